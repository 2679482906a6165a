// Traces written as a picture: one line a span, indented below its parent, with the time that it took as a bar.
import { type SpanData, SpanKind, StatusCode } from '@tracewell/plugin';
import type { Trace } from '@tracewell/store';
import { assembleTrace } from '../../../packages/store/src/query/spans/assemble-trace.ts';
import { id, resourceOf, span } from '../query/spans.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const START = 1_760_000_000_000_000_000n;
const MS = 1_000_000n;

/** What a line may say of its span besides its name and its bar. */
type Details = { readonly [name: string]: Partial<SpanData> & { readonly service?: string } };

/**
 * A trace from lines such as `  query |   ==  |`: two spaces an indent, the name, between bars one character
 * a millisecond. `!` in place of `=` means that the span failed. Spans are client calls of the service `shop`
 * unless `details` says otherwise by name.
 */
export function draw(lines: string, details: Details = {}): Trace {
  const spans: SpanData[] = [];
  const parents: string[] = [];
  for (const line of lines.split('\n')) {
    const match = /^( *)(.*?) *\|(.*)\|$/.exec(line);
    if (match === null) continue;
    const [, indent, name, bar] = match as unknown as [string, string, string, string];
    const depth = indent.length / 2;
    const spanId = id(spans.length + 1);
    const from = bar.search(/[=!]/);
    const { service = 'shop', ...fields } = details[name] ?? {};
    spans.push(
      span({
        traceId: TRACE_ID,
        spanId,
        parentSpanId: depth === 0 ? '' : parents[depth - 1]!,
        name,
        kind: SpanKind.CLIENT,
        startTimeUnixNanos: START + BigInt(from) * MS,
        endTimeUnixNanos: START + BigInt(bar.trimEnd().length) * MS,
        status: { code: bar.includes('!') ? StatusCode.ERROR : StatusCode.UNSET, message: '' },
        resource: resourceOf(service),
        ...fields,
      }),
    );
    parents[depth] = spanId;
  }
  return traceOf(spans);
}

export function traceOf(spans: readonly SpanData[]): Trace {
  const inOrder = [...spans].sort((a, b) => (a.startTimeUnixNanos < b.startTimeUnixNanos ? -1 : 1));
  return assembleTrace(inOrder[0]!.traceId, inOrder, []);
}
