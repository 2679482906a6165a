// Span files in memory, and spans that resemble each other enough for filters and copies to find something.
import assert from 'node:assert/strict';
import { decodeTraces, encodeTraces } from '@tracewell/otlp';
import { Double, type SpanData, SpanKind, StatusCode } from '@tracewell/plugin';
import fc from 'fast-check';
import { SpanFile } from '../../../../packages/store/src/cold/spans/span-file.ts';
import { SpanSorter } from '../../../../packages/store/src/cold/spans/span-sorter.ts';
import { writeSpanFile } from '../../../../packages/store/src/cold/spans/write-span-file.ts';
import { bare } from '../../../otlp/arbitrary.ts';
import { span } from '../../../otlp/span.ts';
import { MemorySink, memoryFile } from '../../parquet/memory-file.ts';

/** A file of the spans of some requests; `undefined` if there are none. */
export function fileOf(requests: readonly Uint8Array[]): SpanFile | undefined {
  const sorter = new SpanSorter();
  for (const request of requests) sorter.add(request);
  const sink = new MemorySink();
  const summary = writeSpanFile(sorter, sink);
  if (summary === undefined) return undefined;
  assert.equal(summary.bytes, sink.size);
  return openFile(sink.bytes());
}

export function openFile(bytes: Uint8Array): SpanFile {
  return SpanFile.open(memoryFile(bytes), 'spans.parquet');
}

/** Spans as files order them, of times below 2^63. */
export function inFileOrder(spans: readonly SpanData[]): SpanData[] {
  const key = (span: SpanData): string =>
    `${span.traceId}${String(span.startTimeUnixNanos).padStart(20, '0')}${span.spanId}`;
  return [...spans].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

const id = (digits: number): fc.Arbitrary<string> =>
  fc.integer({ min: 1, max: 5 }).map((number) => number.toString(16).repeat(digits));

/** Some spans with few names, ids, times and attributes, in the order in which a request has them. */
export const similarSpans: fc.Arbitrary<SpanData[]> = fc
  .array(
    fc
      .record({
        traceId: id(32),
        spanId: id(16),
        parentSpanId: fc.constantFrom('', '1'.repeat(16)),
        name: fc.constantFrom('GET /', 'query'),
        kind: fc.constantFrom(...Object.values(SpanKind)),
        status: fc.constantFrom(StatusCode.UNSET, StatusCode.ERROR),
        start: fc.constantFrom(0n, 1_760_000_000_000_000_000n, 1_760_000_000_000_000_001n, 2n ** 64n - 1n),
        took: fc.constantFrom(0n, 5n, 1_000_000n, 2_000_000_000n, 2n ** 63n),
        service: fc.constantFrom('web', 'cart', undefined),
        attribute: fc.constantFrom(0, 1, -0, new Double(1), 2 ** 60, 'x', true, ['x'], undefined),
        isOpen: fc.boolean(),
        scope: fc.constantFrom('', 'http'),
      })
      .map(({ status, start, took, service, attribute, isOpen, scope, ...fields }) =>
        span({
          ...fields,
          status: { code: status, message: status === StatusCode.ERROR ? 'boom' : '' },
          startTimeUnixNanos: start,
          endTimeUnixNanos: BigInt.asUintN(64, start + took),
          attributes: bare([
            ...(attribute === undefined ? [] : [['a', attribute] as const]),
            ...(isOpen ? [['tracewell.unfinished', true] as const] : []),
          ]),
          resource: {
            attributes: bare(service === undefined ? [] : [['service.name', service]]),
            droppedAttributesCount: 0,
            schemaUrl: '',
          },
          scope: { name: scope, version: '', attributes: bare([]), droppedAttributesCount: 0, schemaUrl: '' },
        }),
      ),
    { maxLength: 12 },
  )
  .map((spans) => decodeTraces(encodeTraces(spans)));

/** The request of some spans. */
export function requestOf(spans: readonly SpanData[]): Uint8Array {
  return encodeTraces(spans);
}
