import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogData, SeverityNumber } from '@tracewell/otlp';
import { type SpanData, SpanKind, StatusCode } from '@tracewell/plugin';
import { type AnomalyQuery, openStore, type SpanFigures, type TraceStore } from '@tracewell/store';
import fc from 'fast-check';
import {
  Durations,
  durationBitsOf,
  PERCENTILE_ERROR,
} from '../../../packages/store/src/analysis/durations.ts';
import { newDirectory } from '../engine/directory.ts';
import { arbitrarySpan, id, resourceOf, span } from '../query/spans.ts';

const NOW = 1_760_000_000_000_000_000n;
const SECOND = 1_000_000_000n;
const MS = 1_000_000n;

test('percentiles are within their error of the exact ones, whatever the durations', () => {
  const nanos = fc.oneof(fc.nat(100), fc.nat(), fc.bigInt(0n, 2n ** 64n - 1n).map(Number));
  fc.assert(
    fc.property(fc.array(nanos, { minLength: 1, maxLength: 200 }), fc.nat(3), (values, group) => {
      const durations = new Durations();
      const other = new Durations();
      for (const [at, value] of values.entries()) {
        (at % 2 === 0 ? durations : other).add(group, durationBitsOf(value));
      }
      durations.merge(group, other, group);
      const sorted = values.map(Math.fround).sort((a, b) => a - b);
      const quantiles = [0.01, 0.5, 0.95, 1];
      const found = durations.percentiles(group, quantiles);
      for (const [at, quantile] of quantiles.entries()) {
        const exact = sorted[Math.max(1, Math.ceil(quantile * sorted.length)) - 1]!;
        assert.ok(Math.abs(found[at]! - exact) <= exact * PERCENTILE_ERROR, `${found[at]} is not ${exact}`);
      }
      assert.equal(durations.max(group), sorted.at(-1));
      assert.equal(durations.count(group), values.length);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      assert.ok(Math.abs(durations.mean(group) - mean) <= mean * 1e-6);
      assert.deepEqual(durations.groups(), [group]);
      assert.equal(durations.count(group + 1), 0);
    }),
    { numRuns: 300 },
  );
});

/** The figures as somebody would work them out who has all spans as objects. */
function naive(spans: readonly SpanData[]): Pick<SpanFigures, 'spanCount' | 'errorCount' | 'maxMs'> {
  const took = (one: SpanData) => Number(one.endTimeUnixNanos - one.startTimeUnixNanos);
  return {
    spanCount: spans.length,
    errorCount: spans.filter((one) => one.status.code === StatusCode.ERROR).length,
    maxMs: Math.fround(Math.max(0, ...spans.map(took))) / 1e6,
  };
}

function serviceOf(one: SpanData): string {
  return (one.resource.attributes['service.name'] as string | undefined) ?? 'unknown_service';
}

test('a summary counts as a plain list of all spans would', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(directory, { durability: 'none' });
  await using other = await openStore(directory, { durability: 'none' });
  const known = new Map<string, SpanData>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        arbitrarySpan.filter((one) => one.attributes['tracewell.unfinished'] === undefined),
        { maxLength: 30 },
      ),
      fc.record({
        service: fc.constantFrom(undefined, 'shop', 'unknown_service', 'nobody'),
        startTime: fc.constantFrom(undefined, 5n, 2n ** 32n),
        endTime: fc.constantFrom(undefined, 5_000_000n, 2n ** 63n),
      }),
      async (spans, query) => {
        await (spans.length % 2 === 0 ? store : other).insertSpans(spans);
        if (spans.length % 8 === 0) await store.compact();
        for (const one of spans) known.set(`${one.traceId}${one.spanId}${one.startTimeUnixNanos}`, one);
        const wanted = [...known.values()].filter(
          (one) =>
            (query.service === undefined || serviceOf(one) === query.service) &&
            one.startTimeUnixNanos >= (query.startTime ?? 0n) &&
            one.startTimeUnixNanos < (query.endTime ?? 2n ** 64n),
        );
        const {
          services,
          failingOperations,
          slowestOperations,
          logs: _,
          ...all
        } = await store.querySummary({
          ...query,
          limit: 1000,
        });
        const figures = ({ spanCount, errorCount, maxMs }: SpanFigures) => ({ spanCount, errorCount, maxMs });
        assert.deepEqual(figures(all), naive(wanted));
        const byService = Map.groupBy(wanted, serviceOf);
        assert.deepEqual(
          new Map(services.map((one) => [one.service, figures(one)])),
          new Map([...byService].map(([name, own]) => [name, naive(own)])),
        );
        assert.ok(services.every((one, at) => at === 0 || services[at - 1]!.spanCount >= one.spanCount));
        const byOperation = Map.groupBy(wanted, (one) => JSON.stringify([serviceOf(one), one.name]));
        const expected = new Map([...byOperation].map(([name, own]) => [name, naive(own)]));
        const listed = (list: typeof slowestOperations) =>
          new Map(list.map((one) => [JSON.stringify([one.service, one.operation]), figures(one)]));
        assert.deepEqual(listed(slowestOperations), expected);
        for (const [name, { errorCount }] of expected) if (errorCount === 0) expected.delete(name);
        assert.deepEqual(listed(failingOperations), expected);
      },
    ),
    { numRuns: 60 },
  );
});

test('log records are counted by severity, hot and cold, each once', async (t) => {
  await using store = await openStore(newDirectory(t));
  const records = (from: number): LogData[] =>
    [0, 1, 9, 12, 13, 17, 20, 24].map((severityNumber, number) => ({
      timeUnixNanos: BigInt(from + number),
      observedTimeUnixNanos: 0n,
      severityNumber: severityNumber as SeverityNumber,
      severityText: '',
      body: 'x',
      attributes: {},
      droppedAttributesCount: 0,
      flags: 0,
      traceId: '',
      spanId: '',
      eventName: '',
      resource: resourceOf(number === 0 ? 'pay' : 'shop'),
      scope: span().scope,
    }));
  await store.insertLogs(records(100));
  await store.compact();
  await store.insertLogs(records(200));
  // A repeated insert counts once, whether its first copy is hot or cold.
  await store.insertLogs(records(200));
  await store.insertLogs(records(100));
  const bySeverity = { unspecified: 2, trace: 2, debug: 0, info: 4, warn: 2, error: 4, fatal: 2 };
  assert.deepEqual((await store.querySummary()).logs, { count: 16, bySeverity });
  const { logs } = await store.querySummary({ service: 'shop', startTime: 102n, endTime: 202n });
  assert.deepEqual([logs.count, logs.bySeverity.info, logs.bySeverity.trace], [7, 2, 1]);
  await store.compact();
  assert.deepEqual((await store.querySummary()).logs, { count: 16, bySeverity });
});

/** Inserts requests of a service at an even rate, each as long as `took` says and failing as `fails` says. */
async function record(
  store: TraceStore,
  {
    service = 'shop',
    name = 'GET /',
    from = 0,
    seconds = 60,
    count = 600,
    took = (_: number) => 20,
    fails = (_: number) => false,
  },
): Promise<void> {
  const spans = Array.from({ length: count }, (_, number) => {
    const start = NOW + BigInt(Math.round((from + (seconds * number) / count) * 1e9));
    return span({
      traceId: id(number) + Buffer.from(service.padEnd(4).slice(0, 4)).toString('hex') + id(from).slice(8),
      spanId: id(number + 1),
      name,
      kind: SpanKind.SERVER,
      startTimeUnixNanos: start,
      endTimeUnixNanos: start + BigInt(Math.round(took(number) * Number(MS))),
      status: { code: fails(number) ? StatusCode.ERROR : StatusCode.UNSET, message: '' },
      resource: resourceOf(service),
    });
  });
  await store.insertSpans(spans);
}

const WINDOW: AnomalyQuery = { windowSeconds: 60, baselineSeconds: 600, endTime: NOW + 660n * SECOND };
const noise = (number: number) => 20 + ((number * 7919) % 100) / 10;

async function anomalies(store: TraceStore, query: AnomalyQuery = WINDOW): Promise<string[]> {
  const { anomalies: found } = await store.queryAnomalies(query);
  return found.map(({ kind, severity, service, operation = '*' }) =>
    [kind, severity, service, operation].join(' '),
  );
}

test('an error rate that grew is told, for the operation and its service, with the numbers', async (t) => {
  await using store = await openStore(newDirectory(t));
  await record(store, { seconds: 600, count: 6000, took: noise, fails: (number) => number % 100 === 0 });
  await record(store, { from: 600, took: noise, fails: (number) => number % 20 === 0 });
  assert.deepEqual(await anomalies(store), ['error-rate warning shop *', 'error-rate warning shop GET /']);
  const {
    anomalies: [found],
  } = await store.queryAnomalies(WINDOW);
  assert.deepEqual([found!.current.spanCount, found!.current.errorCount], [600, 30]);
  assert.deepEqual([found!.baseline.spanCount, found!.baseline.errorCount], [6000, 60]);
  assert.equal(found!.summary, 'shop fails in 5 % of 600 spans, before it was 1 % of 6000.');
});

test('latency that grew is told, also if only one request in ten is slow', async (t) => {
  await using store = await openStore(newDirectory(t));
  await record(store, { seconds: 600, count: 6000, took: noise });
  await record(store, { from: 600, took: (number) => (number % 10 === 0 ? 300 : noise(number)) });
  assert.deepEqual(await anomalies(store), ['latency critical shop *', 'latency critical shop GET /']);
  assert.match(
    (await store.queryAnomalies(WINDOW)).anomalies[0]!.summary,
    /^shop takes 3\d\d ms \(95th percentile of 600 spans\), before it was 2\d\.\d ms of 6000\.$/,
  );
});

test('nothing is told if nothing changed, if it got better, if it is noise, or if it hardly matters', async (t) => {
  await using store = await openStore(newDirectory(t));
  const before = { seconds: 600, count: 6000 };
  await record(store, { ...before, service: 'same', took: noise, fails: (number) => number % 50 === 0 });
  await record(store, { from: 600, service: 'same', took: noise, fails: (number) => number % 50 === 0 });
  await record(store, { ...before, service: 'better', took: () => 50, fails: (number) => number % 5 === 0 });
  await record(store, { from: 600, service: 'better', took: () => 20 });
  await record(store, { ...before, service: 'noise', took: noise, fails: (number) => number % 50 === 0 });
  await record(store, {
    from: 600,
    service: 'noise',
    count: 100,
    took: noise,
    fails: (number) => number < 4,
  });
  await record(store, { ...before, service: 'tiny', took: () => 0.1 });
  await record(store, { from: 600, service: 'tiny', took: () => 0.5 });
  assert.deepEqual(await anomalies(store), []);
});

test('three requests raise no alarm, and neither does what was not there before', async (t) => {
  await using store = await openStore(newDirectory(t));
  await record(store, { service: 'few', seconds: 600, count: 6000, took: noise });
  await record(store, { service: 'few', from: 600, count: 3, took: () => 9000, fails: () => true });
  await record(store, { service: 'new', from: 600, took: () => 9000, fails: () => true });
  assert.deepEqual(await anomalies(store), []);
});

test('the baseline ends where the window begins', async (t) => {
  await using store = await openStore(newDirectory(t));
  await record(store, { seconds: 600, count: 6000, took: noise });
  await record(store, { from: 600, took: noise, fails: () => true });
  assert.deepEqual((await anomalies(store)).length, 2);
  // A window twice as long and none of it in the baseline.
  const {
    anomalies: [found],
  } = await store.queryAnomalies({ ...WINDOW, windowSeconds: 120 });
  assert.deepEqual([found!.current.spanCount, found!.baseline.spanCount], [1200, 5400]);
  assert.equal(found!.baseline.errorCount, 0);
});

test('questions that are none are refused by name', async (t) => {
  await using store = await openStore(newDirectory(t));
  const summary: [object, RegExp][] = [
    [{ limit: 0 }, /querySummary: limit must be a whole number from 1 to 1000, got 0/],
    [{ service: 5 }, /querySummary: service must be a string, got 5/],
    [{ since: 5 }, /querySummary: since is no field of query/],
    [{ lastSeconds: 0 }, /querySummary: lastSeconds must be a number above 0, got 0/],
  ];
  for (const [query, message] of summary) await assert.rejects(store.querySummary(query), message);
  const anomaly: [object, RegExp][] = [
    [{ windowSeconds: 0 }, /queryAnomalies: windowSeconds must be a number above 0, up to 31622400, got 0/],
    [{ baselineSeconds: '60' }, /baselineSeconds must be a number above 0, up to 31622400, got "60"/],
    [{ minSpans: 3 }, /minSpans must be a whole number from 5 on, got 3/],
    [{ endTime: 5 }, /endTime must be a bigint of nanoseconds or a Date, got 5/],
  ];
  for (const [query, message] of anomaly) await assert.rejects(store.queryAnomalies(query), message);
  assert.equal((await store.querySummary()).spanCount, 0);
  assert.deepEqual(await store.queryAnomalies(), { anomalies: [] });
});
