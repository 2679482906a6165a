import { countSpans, decodeTraces } from '@tracewell/otlp';
import { type SpanData, TracewellError } from '@tracewell/plugin';
import { checkFields, wrongType } from '../query/check.ts';
import { matches } from '../query/spans/match.ts';
import { planQuery } from '../query/spans/plan.ts';
import { shown } from '../shown.ts';
import type { TraceQuery } from '../store.ts';
import type { FrameItems, LiveOptions } from './live-tail.ts';

/** Which spans a live tail gives: those that match every field that is given, as in a query. */
export type LiveTraceFilter = Pick<
  TraceQuery,
  'service' | 'operation' | 'status' | 'kind' | 'minDurationMs' | 'maxDurationMs' | 'attributes'
>;

const FILTER_FIELDS: ReadonlySet<string> = new Set<keyof LiveTraceFilter>([
  'service',
  'operation',
  'status',
  'kind',
  'minDurationMs',
  'maxDurationMs',
  'attributes',
]);
const OPTION_FIELDS: ReadonlySet<string> = new Set<keyof LiveOptions>(['signal', 'maxLagBytes']);
const MAX_LAG_BYTES = 16 * 1024 ** 2;

/**
 * The spans of frames that match a filter.
 *
 * @throws TypeError, RangeError naming the field
 */
export function liveTraces(filter: LiveTraceFilter): FrameItems<SpanData> {
  checkFields('tailTraces', 'filter', filter, FILTER_FIELDS);
  const plan = planQuery(filter, 0n);
  return {
    items: (frame) =>
      frame.content === 'traces'
        ? ignoringInvalid(() => decodeTraces(frame.payload, { onInvalidSpan: () => {} }), []).filter((span) =>
            matches(span, plan),
          )
        : [],
    count: (frame) => (frame.content === 'traces' ? ignoringInvalid(() => countSpans(frame.payload), 0) : 0),
  };
}

/**
 * The options of a live tail, complete.
 *
 * @throws TypeError, RangeError naming the field
 */
export function liveOptions(
  caller: string,
  options: LiveOptions,
): { readonly signal: AbortSignal | undefined; readonly maxLagBytes: number } {
  checkFields(caller, 'options', options, OPTION_FIELDS);
  const { signal, maxLagBytes = MAX_LAG_BYTES } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw wrongType(caller, 'signal', 'an AbortSignal', signal);
  }
  if (!Number.isInteger(maxLagBytes) || maxLagBytes < 0) {
    throw new RangeError(`${caller}: maxLagBytes must be a whole number from 0, got ${shown(maxLagBytes)}`);
  }
  return { signal, maxLagBytes };
}

/** Frames that hold no request are passed over here as they are by the index, which counts them. */
export function ignoringInvalid<Result>(read: () => Result, otherwise: Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof TracewellError) return otherwise;
    throw error;
  }
}
