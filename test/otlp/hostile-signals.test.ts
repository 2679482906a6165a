// The faults of hostile.test.ts for logs and metrics.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as otlp from '@tracewell/otlp';
import { TracewellError } from '@tracewell/plugin';
import fc from 'fast-check';
import { bare } from './arbitrary.ts';
import { anyLogs } from './arbitrary-logs.ts';
import { anyMetrics } from './arbitrary-metrics.ts';
import { exponentialHistogram, gauge, histogram, log, numberPoint, sum, summary } from './plain.ts';
import { bytes, field } from './protobuf.ts';

const TOO_DEEP = { code: 'TW_DECODE_TOO_DEEP' };

function drain(scanner: otlp.LogScanner | otlp.MetricScanner, request: Uint8Array): number {
  scanner.reset(request);
  let count = 0;
  while (scanner.next()) count++;
  return count;
}

function nested(levels: number): never {
  let value: unknown = 'x';
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { value };
  return value as never;
}

test('F36: the limit of depth is exact for bodies, attributes, metadata and exemplars', () => {
  const exemplar = { timeUnixNanos: 1n, value: 1, traceId: '', spanId: '' };
  const logs = (deep: never): Uint8Array[] => [
    otlp.encodeLogs([log({ body: deep })]),
    otlp.encodeLogs([log({ attributes: { deep } })]),
  ];
  const metrics = (deep: never): Uint8Array[] => [
    otlp.encodeMetrics([gauge({ metadata: { deep } })]),
    otlp.encodeMetrics([gauge({ points: [numberPoint({ attributes: { deep } })] })]),
    otlp.encodeMetrics([histogram({ exemplars: [{ ...exemplar, filteredAttributes: { deep } }] })]),
  ];
  for (const request of logs(nested(64))) {
    otlp.validateLogs(request);
    assert.equal(otlp.decodeLogsJson(otlp.logsToJson(request)).length, 1);
  }
  for (const request of metrics(nested(64))) {
    otlp.validateMetrics(request);
    assert.equal(otlp.decodeMetricsJson(otlp.metricsToJson(request)).length, 1);
  }
  for (const request of logs(nested(65))) {
    assert.throws(() => otlp.validateLogs(request), TOO_DEEP);
    assert.throws(() => otlp.decodeLogs(request), TOO_DEEP);
    const json = otlp.encodeLogsJson(otlp.decodeLogs(request, { maxDepth: 65 }));
    assert.throws(() => otlp.decodeLogsJson(json), TOO_DEEP);
  }
  for (const request of metrics(nested(65))) {
    assert.throws(() => otlp.validateMetrics(request), TOO_DEEP);
    assert.throws(() => otlp.decodeMetrics(request), TOO_DEEP);
    const json = otlp.encodeMetricsJson(otlp.decodeMetrics(request, { maxDepth: 65 }));
    assert.throws(() => otlp.decodeMetricsJson(json), TOO_DEEP);
  }
});

test('F37: keys that mean something to JavaScript are keys like any other, and lone surrogates become U+FFFD', () => {
  const keys = ['__proto__', 'constructor', 'toString', '', '\0'];
  const hostile = bare(keys.map((key) => [key, `value of ${key}`]));
  const [record] = otlp.decodeLogs(
    otlp.encodeLogs([log({ body: hostile, attributes: hostile, eventName: '\ud800' })]),
  );
  assert.deepEqual(record!.body, hostile);
  assert.deepEqual(record!.attributes, hostile);
  assert.equal(record!.eventName, '\ufffd');
  const point = numberPoint({ attributes: hostile });
  const [metric] = otlp.decodeMetricsJson(
    otlp.encodeMetricsJson([gauge({ name: 'a\udc00', metadata: hostile, points: [point] })]),
  );
  assert.deepEqual(metric!.metadata, hostile);
  assert.deepEqual(metric!.points[0]!.attributes, hostile);
  assert.equal(metric!.name, 'a\ufffd');
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

/** All ways to read a request of a signal. */
interface Readers {
  decode(request: Uint8Array): readonly unknown[];
  validate(request: Uint8Array): void;
  count(request: Uint8Array): number;
  split(request: Uint8Array, max: number): unknown;
  encodeAgain(request: Uint8Array): Uint8Array;
  /** How many the scanner should find of what was decoded. */
  size(decoded: readonly unknown[]): number;
  readonly scanner: otlp.LogScanner | otlp.MetricScanner;
}

const LOGS: Readers = {
  decode: otlp.decodeLogs,
  validate: otlp.validateLogs,
  count: otlp.countLogs,
  split: otlp.splitLogs,
  encodeAgain: (request) => otlp.encodeLogs(otlp.decodeLogs(request)),
  size: (decoded) => decoded.length,
  scanner: new otlp.LogScanner(),
};
const METRICS: Readers = {
  decode: otlp.decodeMetrics,
  validate: otlp.validateMetrics,
  count: otlp.countDataPoints,
  split: otlp.splitMetrics,
  encodeAgain: (request) => otlp.encodeMetrics(otlp.decodeMetrics(request)),
  size: (decoded) => (decoded as otlp.MetricData[]).reduce((count, { points }) => count + points.length, 0),
  scanner: new otlp.MetricScanner(),
};

/** Each reader gives a result or an error that says what is wrong, and they agree. */
function readInAllWays(it: Readers, request: Uint8Array): void {
  const attempt = <Result>(read: () => Result): Result | undefined => {
    try {
      return read();
    } catch (error) {
      assert.ok(error instanceof TracewellError, String(error));
      assert.match(error.code, /^TW_DECODE_/);
      return undefined;
    }
  };
  const decoded = attempt(() => it.decode(request));
  const valid = attempt(() => it.validate(request) ?? true) === true;
  const scanned = attempt(() => drain(it.scanner, request));
  attempt(() => it.count(request));
  attempt(() => it.split(request, 1));
  if (!valid) return;
  assert.ok(decoded !== undefined, 'what is valid can be decoded');
  assert.equal(scanned, it.size(decoded));
  assert.equal(it.count(request), scanned);
  // Whatever was let in survives another round.
  assert.equal(it.size(it.decode(it.encodeAgain(request))), scanned);
}

const anyDamage = fc.record({
  kind: fc.constantFrom('cut', 'flip', 'remove', 'repeat'),
  at: fc.nat(),
  bit: fc.nat(7),
});

function damaged(request: Uint8Array, kind: string, at: number, bit: number): Uint8Array {
  if (request.length === 0) return request;
  const place = at % request.length;
  if (kind === 'cut') return request.subarray(0, place);
  if (kind === 'remove') return Buffer.concat([request.subarray(0, place), request.subarray(place + 1)]);
  if (kind === 'repeat') return Buffer.concat([request.subarray(0, place + bit), request.subarray(place)]);
  const flipped = Uint8Array.from(request);
  flipped[place]! ^= 1 << bit;
  return flipped;
}

test('F38: damaged logs and metrics give a result or a decoding error, the same from every reader', () => {
  const damages = fc.array(anyDamage, { minLength: 1, maxLength: 3 });
  const damage = (
    request: Uint8Array,
    list: readonly { kind: string; at: number; bit: number }[],
  ): Uint8Array => list.reduce((bytesLeft, { kind, at, bit }) => damaged(bytesLeft, kind, at, bit), request);
  fc.assert(
    fc.property(anyLogs, damages, (logs, list) => readInAllWays(LOGS, damage(otlp.encodeLogs(logs), list))),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(anyMetrics, damages, (metrics, list) =>
      readInAllWays(METRICS, damage(otlp.encodeMetrics(metrics), list)),
    ),
    { numRuns: 500 },
  );
});

test('F38: random bytes give a result or a decoding error', () => {
  const likely = fc.constantFrom(
    ...[0x0a, 0x12, 0x1a, 0x2a, 0x3a, 0x4a, 0x52, 0x5a, 0x62, 0x09, 0x11, 0x19, 0x21, 0x31, 0x10, 0x18],
    ...[0, 1, 2, 4, 8, 0x80, 0xff],
  );
  for (const it of [LOGS, METRICS]) {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (random) => readInAllWays(it, random)),
      {
        numRuns: 2000,
      },
    );
    fc.assert(
      fc.property(fc.array(likely, { maxLength: 60 }), (list) => readInAllWays(it, Uint8Array.from(list))),
      { numRuns: 2000 },
    );
    // The same within a metric of each type, or a record, so that it goes deeper.
    fc.assert(
      fc.property(
        fc.array(likely, { maxLength: 40 }),
        fc.constantFrom(5, 7, 9, 10, 11),
        fc.boolean(),
        (list, type, inPoint) =>
          readInAllWays(
            it,
            bytes(field(1, field(2, field(2, field(type, inPoint ? field(1, list) : list))))),
          ),
      ),
      { numRuns: 3000 },
    );
  }
});

test('F38: an entry that is cut within intact messages is an error to every reader, or to none', () => {
  const failing = (read: () => unknown): boolean => {
    try {
      read();
      return false;
    } catch (error) {
      assert.ok(error instanceof TracewellError, String(error));
      return true;
    }
  };
  const body = { a: [1, 'x'], b: 2.5 };
  const exemplar = { timeUnixNanos: 1n, value: 1, filteredAttributes: { a: 1 }, traceId: '', spanId: '' };
  const cases: [Readers, Uint8Array][] = [
    [LOGS, otlp.encodeLogs([log({ body, attributes: body })])],
    ...[gauge(), sum(), histogram({ exemplars: [exemplar] }), exponentialHistogram(), summary()].map(
      (metric): [Readers, Uint8Array] => [
        METRICS,
        otlp.encodeMetrics([{ ...metric, metadata: body } as never]),
      ],
    ),
  ];
  for (const [it, request] of cases) {
    drain(it.scanner, request);
    const start = it.scanner instanceof otlp.LogScanner ? it.scanner.recordStart : it.scanner.metricStart;
    const end = it.scanner instanceof otlp.LogScanner ? it.scanner.recordEnd : it.scanner.metricEnd;
    for (let length = 0; length < end - start; length++) {
      const cut = bytes(field(1, field(2, field(2, [...request.subarray(start, start + length)]))));
      const expected = failing(() => it.validate(cut));
      assert.equal(
        failing(() => it.decode(cut)),
        expected,
        `${length}`,
      );
      assert.equal(
        failing(() => drain(it.scanner, cut)),
        expected,
        `${length}`,
      );
    }
  }
});

test('F38: damaged JSON gives a result or a decoding error', () => {
  const attempt = (read: (json: string | object) => unknown, json: string | object): void => {
    try {
      read(json);
    } catch (error) {
      assert.ok(error instanceof TracewellError, `${String(error)} for ${JSON.stringify(json)}`);
      assert.match(error.code, /^TW_DECODE_/);
    }
  };
  const plain = otlp.encodeMetricsJson([sum(), histogram(), exponentialHistogram(), summary()]);
  const plainLogs = otlp.encodeLogsJson([log({ attributes: { list: [1] } })]);
  const names = ['dataPoints', 'bucketCounts', 'positive', 'sum', 'quantileValues', 'asInt', 'count', 'body'];
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(), (value, at) => {
      for (const name of names) {
        const replaced = (json: string): object =>
          JSON.parse(json, (key, original: unknown) => (key === name ? value : original)) as object;
        attempt(otlp.decodeMetricsJson, replaced(plain));
        attempt(otlp.decodeLogsJson, replaced(plainLogs));
      }
      attempt(otlp.decodeMetricsJson, plain.slice(0, at % plain.length));
      attempt(otlp.decodeLogsJson, plainLogs.slice(0, at % plainLogs.length));
    }),
    { numRuns: 300 },
  );
});

test('scanning logs and points allocates nothing for each', {
  skip: globalThis.gc === undefined && 'needs --expose-gc',
}, () => {
  const attributes = { a: 1, b: 'x' };
  const logs = otlp.encodeLogs(Array.from({ length: 1000 }, () => log({ attributes })));
  const points = Array.from({ length: 1000 }, () => numberPoint({ attributes }));
  const metrics = otlp.encodeMetrics([gauge({ points })]);
  for (const [scanner, request] of [
    [new otlp.LogScanner(), logs],
    [new otlp.MetricScanner(), metrics],
  ] as const) {
    for (let round = 0; round < 50; round++) drain(scanner, request);
    let least = Number.POSITIVE_INFINITY;
    // The compiler works beside us, and on a busy machine takes its time; only its code keeps large numbers unboxed.
    for (let attempt = 0; attempt < 100 && least >= 4; attempt++) {
      globalThis.gc!();
      const before = process.memoryUsage().heapUsed;
      let count = 0;
      for (let round = 0; round < 100; round++) count += drain(scanner, request);
      least = Math.min(least, (process.memoryUsage().heapUsed - before) / count);
    }
    assert.ok(least < 4, `${least} bytes each`);
  }
});
