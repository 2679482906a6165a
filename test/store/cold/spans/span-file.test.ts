import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeTraces, encodeTraces } from '@tracewell/otlp';
import { type SpanData, SpanKind, StatusCode } from '@tracewell/plugin';
import fc from 'fast-check';
import { mergeSpanFiles } from '../../../../packages/store/src/cold/spans/merge-span-files.ts';
import { newestSpans } from '../../../../packages/store/src/cold/spans/newest-spans.ts';
import type { SpanFile } from '../../../../packages/store/src/cold/spans/span-file.ts';
import { visitSpanFile } from '../../../../packages/store/src/cold/spans/visit-spans.ts';
import { Operations } from '../../../../packages/store/src/hot/spans/operations.ts';
import {
  FLAG_KIND,
  FLAG_KIND_SHIFT,
  FLAG_ROOT,
  FLAG_STATUS,
} from '../../../../packages/store/src/hot/spans/row.ts';
import { serviceOf } from '../../../../packages/store/src/query/service-of.ts';
import { durationOf, matches } from '../../../../packages/store/src/query/spans/match.ts';
import { planQuery } from '../../../../packages/store/src/query/spans/plan.ts';
import { compareSpanKeys } from '../../../../packages/store/src/query/spans/span-order.ts';
import { withoutCopies } from '../../../../packages/store/src/query/spans/without-copies.ts';
import type { TraceQuery } from '../../../../packages/store/src/store.ts';
import { bare } from '../../../otlp/arbitrary.ts';
import { anySpans } from '../../../otlp/arbitrary-spans.ts';
import { span } from '../../../otlp/span.ts';
import { MemorySink } from '../../parquet/memory-file.ts';
import { fileOf, inFileOrder, openFile, requestOf, similarSpans } from './files.ts';

test('any spans come back from a file as they were', () => {
  fc.assert(
    fc.property(fc.array(anySpans, { maxLength: 3 }), (requests) => {
      const file = fileOf(requests.map((spans) => encodeTraces(spans)));
      const spans = requests.flat();
      if (file === undefined) return assert.equal(spans.length, 0);
      assert.equal(file.rows, spans.length);
      for (const traceId of new Set(spans.map(({ traceId }) => traceId))) {
        assert.deepEqual(
          file.readTrace(traceId),
          inFileOrder(spans.filter((span) => span.traceId === traceId)),
        );
      }
      file.parquet.verify();
    }),
  );
});

/** All spans of a file, newest first. */
function allOf(file: SpanFile | undefined): SpanData[] {
  return file === undefined
    ? []
    : [...newestSpans(file, planQuery({}, 0n))].filter((span) => span !== undefined);
}

test('of copies in one file the one stays that stands for the span', () => {
  fc.assert(
    fc.property(fc.array(similarSpans, { maxLength: 4 }), (requests) => {
      assert.deepEqual(allOf(fileOf(requests.map(requestOf))), withoutCopies(requests.flat()));
    }),
  );
});

test('merged files hold what the files held, without copies', () => {
  fc.assert(
    fc.property(fc.array(similarSpans, { maxLength: 4 }), (parts) => {
      const files = parts.map((spans) => fileOf([requestOf(spans)])).filter((file) => file !== undefined);
      const sink = new MemorySink();
      const summary = mergeSpanFiles(files, sink, new Map([['tracewell.from', 'parts']]));
      const expected = withoutCopies(parts.flat());
      if (summary === undefined) return assert.equal(expected.length, 0);
      const merged = openFile(sink.bytes());
      assert.deepEqual(allOf(merged), expected);
      assert.equal(merged.parquet.keyValues.get('tracewell.from'), 'parts');
      assert.equal(summary.rows, expected.length);
      assert.equal(summary.maxStartUnixNanos, expected[0]!.startTimeUnixNanos);
      assert.equal(summary.minStartUnixNanos, expected.at(-1)!.startTimeUnixNanos);
      for (const { traceId } of expected) {
        assert.deepEqual(
          new Set(merged.readTrace(traceId)),
          new Set(expected.filter((span) => span.traceId === traceId)),
        );
      }
    }),
  );
});

const anyQuery = fc.record(
  {
    service: fc.constantFrom('web', 'cart', 'unknown_service', 'nobody'),
    operation: fc.constantFrom('GET /', 'query', 'other'),
    status: fc.constantFrom(...Object.values(StatusCode)),
    kind: fc.constantFrom(...Object.values(SpanKind)),
    minDurationMs: fc.constantFrom(0, 1, 1.5, 2000),
    maxDurationMs: fc.constantFrom(0, 1, 2000, 1e9),
    attributes: fc.constantFrom(
      { a: 1 },
      { a: 'x' },
      { a: true },
      { a: '1' },
      { 'service.name': 'web' },
      { b: 1 },
    ),
    startTime: fc.constantFrom(0n, 1n, 1_760_000_000_000_000_001n, 2n ** 64n - 1n),
    endTime: fc.constantFrom(0n, 1_760_000_000_000_000_001n, 2n ** 63n, 2n ** 64n - 1n),
  },
  { requiredKeys: [] },
);

test('a query finds in a file what a look at every span finds, newest first, from any place on', () => {
  fc.assert(
    fc.property(
      fc.array(similarSpans, { minLength: 1, maxLength: 4 }),
      anyQuery,
      fc.nat(8),
      (requests, query, place) => {
        const file = fileOf(requests.map(requestOf));
        if (file === undefined) return;
        const all = withoutCopies(requests.flat());
        const after = all[place];
        const plan = { ...planQuery(query, 0n), after };
        const expected = all.filter(
          (span) => matches(span, plan) && (after === undefined || compareSpanKeys(span, after) > 0),
        );
        assert.deepEqual(
          [...newestSpans(file, plan)].filter((span) => span !== undefined),
          expected,
        );
      },
    ),
  );
});

test('a visitor gets the numbers of every span in the window', () => {
  const windows = [0n, 1_760_000_000_000_000_001n, 2n ** 63n, 2n ** 64n - 1n];
  fc.assert(
    fc.property(
      similarSpans,
      fc.constantFrom(...windows),
      fc.constantFrom(...windows),
      (spans, minStart, maxStart) => {
        const file = fileOf([requestOf(spans)]);
        if (file === undefined) return;
        const operations = new Operations();
        const seen: unknown[] = [];
        const visits = visitSpanFile(
          file,
          { minStart, maxStart },
          operations,
          (operation, flags, high, low, bits) => {
            seen.push({
              service: operations.serviceName(operations.serviceOf(operation)),
              name: operations.name(operation),
              status: flags & FLAG_STATUS,
              kind: (flags & FLAG_KIND) >> FLAG_KIND_SHIFT,
              isRoot: (flags & FLAG_ROOT) !== 0,
              start: (BigInt(high) << 32n) | BigInt(low),
              duration: new Float32Array(Uint32Array.of(bits).buffer)[0],
            });
          },
        );
        for (const _ of visits);
        const expected = withoutCopies(spans)
          .filter((span) => span.startTimeUnixNanos >= minStart && span.startTimeUnixNanos <= maxStart)
          .map((span) => ({
            service: serviceOf(span),
            name: span.name,
            status: span.status.code,
            kind: span.kind,
            isRoot: span.parentSpanId === '',
            start: span.startTimeUnixNanos,
            duration: Math.fround(Number(durationOf(span))),
          }));
        const text = (facts: unknown): string =>
          JSON.stringify(facts, (_, value) => (typeof value === 'bigint' ? String(value) : value));
        assert.deepEqual(seen.map(text).sort(), expected.map(text).sort());
      },
    ),
  );
});

test('many spans make row groups and pages, of which a trace and a query read what holds them', () => {
  const made = Array.from({ length: 70_000 }, (_, number) =>
    span({
      traceId: (Math.imul(number >> 3, 0x9e3779b1) >>> 0).toString(16).padStart(31, '0').padEnd(32, '1'),
      spanId: (number + 1).toString(16).padStart(16, '0'),
      startTimeUnixNanos: 1_760_000_000_000_000_000n + BigInt(number) * 1000n,
      endTimeUnixNanos:
        1_760_000_000_000_000_000n + BigInt(number) * 1000n + BigInt((number * 7919) % 100_000),
      // Values that never repeat make a dictionary too large to be worth it.
      attributes: bare([
        ['http.route', `/route/${number % 10}`],
        ['request.id', `request-${number}-of-many-that-never-come-again`],
      ]),
    }),
  );
  const request = requestOf(made);
  const spans = decodeTraces(request);
  const file = fileOf([request])!;
  const { parquet } = file;
  assert.ok(parquet.rowGroups > 1);
  assert.ok(parquet.pages(0, 'trace_id').length > 4);
  for (const number of [0, 12_345, 69_999]) {
    const { traceId } = spans[number]!;
    assert.deepEqual(file.readTrace(traceId), spans.slice(number - (number % 8), number - (number % 8) + 8));
  }
  assert.deepEqual(file.readTrace('f'.repeat(32)), []);
  const find = (query: TraceQuery, count: number): SpanData[] => {
    const found: SpanData[] = [];
    for (const span of newestSpans(file, planQuery(query, 0n))) {
      if (span !== undefined) found.push(span);
      if (found.length === count) break;
    }
    return found;
  };
  assert.deepEqual(find({}, 5), spans.slice(-5).reverse());
  const wanted = spans[40_000]!;
  assert.deepEqual(find({ attributes: { 'request.id': wanted.attributes['request.id']! } }, 2), [wanted]);
  assert.equal(
    find({ minDurationMs: 0.0999 }, 1000).length,
    spans.filter((span) => durationOf(span) >= 99_900n).length,
  );
});
