import type { Attributes, AttributeValue, SpanKind, SpanStatus } from '@tracewell/plugin';
import { checkFunction, checkObject, describe, flag } from '../options.ts';
import { ParentSampling } from '../sampling/sampler.ts';
import { traceIdRatio } from '../sampling/trace-id-ratio.ts';
import { toAttributes } from './copy.ts';
import type { HeldSpan } from './held-span.ts';

/** A span as a decision sees it. */
export interface TailSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
  readonly status: SpanStatus | undefined;
  /** In milliseconds; so far, if the span is still open. */
  readonly durationMs: number;
  readonly ended: boolean;
}

/** What this process knows of a trace when it decides. */
export interface TailTrace {
  readonly traceId: string;
  /** In the order in which they started. */
  readonly spans: readonly TailSpan[];
  /** From the first start to the last end, in milliseconds; up to now, if a span is still open. */
  readonly durationMs: number;
}

/** Which traces are worth keeping; see `tailSampling`. */
export interface KeepOptions {
  /** Keep traces in which a span failed (its status is an error). Default `true`. */
  readonly keepErrors?: boolean;
  /** Keep traces with a span that took at least this long, in milliseconds. Default: duration does not matter. */
  readonly keepSlowerThanMs?: number;
  /**
   * Keep traces in which a span has one of these attributes with one of these values; `true` stands for any value,
   * a regular expression is tried on strings. Default none.
   */
  readonly keepAttributes?: Readonly<
    Record<string, true | AttributeValue | RegExp | readonly (AttributeValue | RegExp)[]>
  >;
  /**
   * Keep traces for which this returns `true`, asked once, when everything else has decided against. If it throws
   * the trace is kept. Spans that it records itself are left out.
   */
  readonly keepIf?: (trace: TailTrace) => boolean;
  /**
   * The share of all the other traces to keep, 0 to 1, chosen by trace id as by `traceIdRatio`, so that every process
   * chooses the same. They are not held back at all. Default 0.
   */
  readonly keepRatio?: number;
}

const WHERE = 'tailSampling';

/** The rules of {@link KeepOptions}, checked. */
export class KeepPolicy {
  readonly #errors: boolean;
  readonly #slowNanos: bigint | undefined;
  readonly #attributes: readonly (readonly [string, (value: AttributeValue) => boolean])[];
  readonly #keepIf: ((trace: TailTrace) => boolean) | undefined;
  readonly #ratio: ReturnType<typeof traceIdRatio>;
  readonly #traceId = Buffer.alloc(16);

  constructor(options: KeepOptions) {
    const { keepErrors, keepSlowerThanMs, keepAttributes, keepIf, keepRatio } = options;
    this.#errors = flag(WHERE, 'keepErrors', keepErrors, true);
    if (keepSlowerThanMs !== undefined && !(typeof keepSlowerThanMs === 'number' && keepSlowerThanMs >= 0)) {
      throw new RangeError(
        `${WHERE}: keepSlowerThanMs must be a number of 0 or more milliseconds, got ${describe(keepSlowerThanMs)}`,
      );
    }
    this.#slowNanos =
      keepSlowerThanMs === undefined || keepSlowerThanMs === Number.POSITIVE_INFINITY
        ? undefined
        : BigInt(Math.round(keepSlowerThanMs * 1e6));
    if (keepAttributes !== undefined) checkObject(WHERE, 'keepAttributes', keepAttributes);
    this.#attributes = Object.entries(keepAttributes ?? {}).map(([key, wanted]) => [key, matcher(wanted)]);
    checkFunction(WHERE, 'keepIf', keepIf);
    this.#keepIf = keepIf;
    if (keepRatio !== undefined && !(typeof keepRatio === 'number' && keepRatio >= 0 && keepRatio <= 1)) {
      throw new RangeError(`${WHERE}: keepRatio must be a number from 0 to 1, got ${describe(keepRatio)}`);
    }
    this.#ratio = traceIdRatio(keepRatio ?? 0);
  }

  /** Whether a trace is kept whatever happens in it. */
  keepsTraceId(traceId: string): boolean {
    this.#traceId.write(traceId, 'hex');
    return this.#ratio.shouldSample(this.#traceId, 0, ParentSampling.NONE, { name: '' });
  }

  /** Whether a span, ended or open until `now`, is reason enough to keep its trace. */
  keepsSpan(span: HeldSpan, now: bigint): boolean {
    if (this.#errors && span.failed) return true;
    if (this.#slowNanos !== undefined && durationOf(span, now) >= this.#slowNanos) return true;
    return this.#attributes.some(([key, matches]) => {
      const value = span.attributes.get(key);
      return value !== undefined && matches(value);
    });
  }

  /**
   * Whether a trace is kept in the end.
   *
   * @throws whatever `keepIf` throws
   */
  keepsTrace(traceId: string, spans: readonly HeldSpan[], now: bigint): boolean {
    if (spans.some((span) => this.keepsSpan(span, now))) return true;
    return this.#keepIf?.(view(traceId, spans, now)) === true;
  }
}

function matcher(wanted: true | AttributeValue | RegExp | readonly (AttributeValue | RegExp)[]) {
  if (wanted === true) return () => true;
  const list = Array.isArray(wanted) ? (wanted as readonly (AttributeValue | RegExp)[]) : [wanted];
  return (value: AttributeValue): boolean =>
    list.some((each) =>
      // `search` ignores `g` and `lastIndex`, by which `test` would skip.
      each instanceof RegExp ? typeof value === 'string' && value.search(each) >= 0 : each === value,
    );
}

function durationOf(span: HeldSpan, now: bigint): bigint {
  return (span.endTimeUnixNanos ?? now) - span.startTimeUnixNanos;
}

function view(traceId: string, spans: readonly HeldSpan[], now: bigint): TailTrace {
  let start = spans[0]!.startTimeUnixNanos;
  let end = start;
  for (const span of spans) {
    if (span.startTimeUnixNanos < start) start = span.startTimeUnixNanos;
    const until = span.endTimeUnixNanos ?? now;
    if (until > end) end = until;
  }
  return {
    traceId,
    durationMs: Number(end - start) / 1e6,
    spans: spans.map((span) => ({
      name: span.name,
      kind: span.kind,
      attributes: toAttributes(span.attributes),
      status: span.status,
      durationMs: Number(durationOf(span, now)) / 1e6,
      ended: span.endTimeUnixNanos !== undefined,
    })),
  };
}
