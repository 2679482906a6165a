import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeTraces } from '@tracewell/otlp';
import type { SpanData } from '@tracewell/plugin';
import fc from 'fast-check';
import { SpanFile } from '../../../../packages/store/src/cold/spans/span-file.ts';
import { SpanSorter } from '../../../../packages/store/src/cold/spans/span-sorter.ts';
import { writeSpanFile } from '../../../../packages/store/src/cold/spans/write-span-file.ts';
import { anySpans } from '../../../otlp/arbitrary-spans.ts';
import { MemorySink, memoryFile } from '../../parquet/memory-file.ts';

function fileOf(requests: readonly Uint8Array[]): SpanFile | undefined {
  const sorter = new SpanSorter();
  for (const request of requests) sorter.add(request);
  const sink = new MemorySink();
  const summary = writeSpanFile(sorter, sink);
  if (summary === undefined) return undefined;
  assert.equal(summary.bytes, sink.size);
  return SpanFile.open(memoryFile(sink.bytes()), 'spans.parquet');
}

/** In an order that does not depend on where they come from. */
function sorted(spans: readonly SpanData[]): SpanData[] {
  const key = (span: SpanData): string =>
    `${span.traceId}${String(span.startTimeUnixNanos).padStart(20, '0')}${span.spanId}`;
  return [...spans].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

test('any spans come back from a file as they were', () => {
  fc.assert(
    fc.property(fc.array(anySpans, { maxLength: 3 }), (requests) => {
      const file = fileOf(requests.map((spans) => encodeTraces(spans)));
      const spans = requests.flat();
      if (file === undefined) return assert.equal(spans.length, 0);
      assert.equal(file.rows, spans.length);
      for (const traceId of new Set(spans.map(({ traceId }) => traceId))) {
        assert.deepEqual(file.readTrace(traceId), sorted(spans.filter((span) => span.traceId === traceId)));
      }
      file.parquet.verify();
    }),
  );
});
