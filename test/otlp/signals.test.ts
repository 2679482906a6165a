// What holds for logs and metrics as it does for traces, whose tests stand in files of their own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as otlp from '@tracewell/otlp';
import { Double, type ResourceData, type ScopeData } from '@tracewell/plugin';
import fc from 'fast-check';
import type protobuf from 'protobufjs';
import { bare } from './arbitrary.ts';
import { anyLogs } from './arbitrary-logs.ts';
import { anyMetrics } from './arbitrary-metrics.ts';
import { exponentialHistogram, gauge, histogram, log, numberPoint, sum, summary } from './plain.ts';
import { bytes, field, fixed64, varint, varintField } from './protobuf.ts';
import { ExportLogsServiceRequest, ExportMetricsServiceRequest } from './protobufjs.ts';
import { peerDecodeLogs, peerDecodeMetrics } from './protobufjs-signals.ts';
import { scramble } from './scramble.ts';

/** The functions of a signal under one name each. */
interface Signal<Type> {
  readonly signal: 'logs' | 'metrics';
  readonly any: fc.Arbitrary<Type[]>;
  readonly one: Type;
  encode(entries: Iterable<Type>): Uint8Array;
  decode(request: Uint8Array, limits?: otlp.DecodeLimits): Type[];
  encodeJson(entries: Iterable<Type>): string;
  decodeJson(json: string | object, limits?: otlp.DecodeLimits): Type[];
  toJson(request: Uint8Array): string;
  validate(request: Uint8Array, limits?: otlp.DecodeLimits): void;
  count(request: Uint8Array): number;
  split(request: Uint8Array, max: number): otlp.RequestPart[];
  /** How many the counter counts. */
  size(entry: Type): number;
  peerDecode(request: Uint8Array): Type[];
  readonly peer: protobuf.Type;
}

const LOGS: Signal<otlp.LogData> = {
  signal: 'logs',
  any: anyLogs,
  one: log(),
  encode: otlp.encodeLogs,
  decode: otlp.decodeLogs,
  encodeJson: otlp.encodeLogsJson,
  decodeJson: otlp.decodeLogsJson,
  toJson: otlp.logsToJson,
  validate: otlp.validateLogs,
  count: otlp.countLogs,
  split: otlp.splitLogs,
  size: () => 1,
  peerDecode: peerDecodeLogs,
  peer: ExportLogsServiceRequest,
};

const METRICS: Signal<otlp.MetricData> = {
  signal: 'metrics',
  any: anyMetrics,
  one: gauge(),
  encode: otlp.encodeMetrics,
  decode: otlp.decodeMetrics,
  encodeJson: otlp.encodeMetricsJson,
  decodeJson: otlp.decodeMetricsJson,
  toJson: otlp.metricsToJson,
  validate: otlp.validateMetrics,
  count: otlp.countDataPoints,
  split: otlp.splitMetrics,
  size: ({ points }) => points.length,
  peerDecode: peerDecodeMetrics,
  peer: ExportMetricsServiceRequest,
};

function holdsFor<Type>(it: Signal<Type>): void {
  const { signal } = it;

  test(`any ${signal} come back from protobuf and from JSON as they were, and are valid`, () => {
    fc.assert(
      fc.property(it.any, (entries) => {
        const request = it.encode(entries);
        it.validate(request);
        assert.deepEqual(it.decode(request), entries);
        const json = it.encodeJson(entries);
        assert.deepEqual(it.decodeJson(json), entries);
        assert.equal(it.toJson(request), json);
      }),
    );
  });

  test(`protobufjs reads the ${signal} that are encoded, and what it encodes is decoded`, () => {
    fc.assert(
      fc.property(it.any, (entries) => {
        const request = it.encode(entries);
        assert.deepEqual(it.peerDecode(request), entries);
        const again = it.peer.encode(it.peer.decode(request)).finish();
        assert.deepEqual(it.decode(again), entries);
      }),
    );
  });

  test(`${signal} written in any other way that protobuf allows decode to the same`, () => {
    fc.assert(
      fc.property(it.any, fc.integer({ min: 1 }), (entries, seed) => {
        const split = scramble(it.encode(entries), { signal, seed, splitHeads: true });
        assert.deepEqual(it.decode(split), it.peerDecode(split));
        assert.deepEqual(it.decode(split), entries);
        it.validate(scramble(it.encode(entries), { signal, seed }));
      }),
    );
  });

  test(`${signal} are counted and split without losing what they belong to`, () => {
    fc.assert(
      fc.property(it.any, fc.integer({ min: 1 }), fc.integer({ min: 1, max: 4 }), (entries, seed, max) => {
        const request = scramble(it.encode(entries), { signal, seed });
        const total = entries.reduce((count, entry) => count + it.size(entry), 0);
        assert.equal(it.count(request), total);
        const parts = it.split(request, max);
        assert.equal(parts.length, Math.max(1, Math.ceil(total / max)));
        for (const part of parts) {
          assert.equal(it.count(part.bytes), part.count);
          assert.ok(part.count <= max || parts.length === 1);
        }
        const joined = parts.flatMap((part) => it.decode(part.bytes));
        if (parts.length === 1) assert.deepEqual(joined, entries);
        else assert.deepEqual(rejoined(joined), rejoined(entries.filter((entry) => it.size(entry) > 0)));
      }),
    );
    const request = it.encode([it.one, it.one]);
    assert.equal(it.split(request, 2)[0]!.bytes, request);
    for (const max of [0, Number.NaN]) assert.throws(() => it.split(request, max), RangeError);
  });

  test(`limits on ${signal} hold and must be sensible`, () => {
    const request = it.encode([it.one]);
    const refuses = (limits: otlp.DecodeLimits, code: string): void => {
      assert.throws(() => it.decode(request, limits), { code });
      assert.throws(() => it.validate(request, limits), { code });
    };
    refuses({ maxBytes: request.length - 1 }, 'TW_DECODE_TOO_LARGE');
    refuses({ maxItems: 3 }, 'TW_DECODE_TOO_LARGE');
    assert.throws(() => it.decode(request, { maxItems: -1 }), RangeError);
    assert.throws(() => it.decode('text' as never), TypeError);
    assert.throws(() => it.validate('text' as never), TypeError);
    for (let length = 1; length < request.length; length++) {
      const cut = request.subarray(0, length);
      assert.throws(() => it.decode(cut), { code: 'TW_DECODE_INVALID' }, `${length}`);
      assert.throws(() => it.validate(cut), { code: 'TW_DECODE_INVALID' }, `${length}`);
    }
  });

  test(`no ${signal} are an empty request`, () => {
    assert.equal(it.encode([]).length, 0);
    assert.deepEqual(it.decode(new Uint8Array()), []);
    assert.deepEqual(it.decodeJson('{}'), []);
  });
}

/** Puts metrics together that were split between points; leaves log records as they are. */
function rejoined<Type>(entries: readonly Type[]): unknown[] {
  const joined: { points?: readonly unknown[] }[] = [];
  for (const entry of entries as readonly { points?: readonly unknown[] }[]) {
    for (const point of entry.points ?? [undefined]) joined.push({ ...entry, points: [point] });
  }
  return joined;
}

holdsFor(LOGS);
holdsFor(METRICS);

/** What a scanner says of the resource and the scope where it stands. */
function head(scanner: otlp.LogScanner | otlp.MetricScanner): [ResourceData, ScopeData, string | undefined] {
  const { bytes: source } = scanner;
  const service = scanner.serviceNameStart;
  return [
    otlp.decodeResource(
      source,
      scanner.resourceStart,
      scanner.resourceEnd,
      scanner.resourceSchemaStart,
      scanner.resourceSchemaEnd,
    ),
    otlp.decodeScope(
      source,
      scanner.scopeStart,
      scanner.scopeEnd,
      scanner.scopeSchemaStart,
      scanner.scopeSchemaEnd,
    ),
    service === -1 ? undefined : textOf(source, service, scanner.serviceNameEnd),
  ];
}

const textOf = (source: Uint8Array, start: number, end: number): string =>
  Buffer.from(source.subarray(start, end)).toString();
const idOf = (source: Uint8Array, at: number, length: number): string =>
  at === -1 ? '' : Buffer.from(source.subarray(at, at + length)).toString('hex');
const nanosOf = (low: number, high: number): bigint => (BigInt(high) << 32n) | BigInt(low);
const serviceOf = ({ attributes }: ResourceData): string | undefined => {
  const name = attributes['service.name'];
  return typeof name === 'string' ? name : undefined;
};

test('the log scanner says of every record what the decoder says, and late decoding gives the record', () => {
  const scanner = new otlp.LogScanner();
  fc.assert(
    fc.property(anyLogs, fc.integer({ min: 1 }), (logs, seed) => {
      for (const request of [
        otlp.encodeLogs(logs),
        scramble(otlp.encodeLogs(logs), { signal: 'logs', seed }),
      ]) {
        let index = 0;
        scanner.reset(request);
        while (scanner.next()) {
          const expected = logs[index++]!;
          const [resource, scope, service] = head(scanner);
          const { recordStart, recordEnd, bodyTextStart, bodyTextEnd } = scanner;
          assert.deepEqual(otlp.decodeLogRecord(request, recordStart, recordEnd, resource, scope), expected);
          assert.deepEqual(
            {
              time: nanosOf(scanner.timeLow, scanner.timeHigh),
              observed: nanosOf(scanner.observedTimeLow, scanner.observedTimeHigh),
              severity: scanner.severityNumber,
              severityText: textOf(request, scanner.severityTextStart, scanner.severityTextEnd),
              hasBody: scanner.bodyStart !== -1,
              bodyText: bodyTextStart === -1 ? undefined : textOf(request, bodyTextStart, bodyTextEnd),
              traceId: idOf(request, scanner.traceIdAt, 16),
              spanId: idOf(request, scanner.spanIdAt, 8),
              eventName: textOf(request, scanner.eventNameStart, scanner.eventNameEnd),
              service,
            },
            {
              time: expected.timeUnixNanos,
              observed: expected.observedTimeUnixNanos,
              severity: expected.severityNumber,
              severityText: expected.severityText,
              hasBody: expected.body !== undefined,
              bodyText: typeof expected.body === 'string' ? expected.body : undefined,
              traceId: expected.traceId,
              spanId: expected.spanId,
              eventName: expected.eventName,
              service: serviceOf(expected.resource),
            },
          );
        }
        assert.equal(index, logs.length);
      }
    }),
  );
});

test('the metric scanner says of every point what the decoder says, and late decoding gives the point', () => {
  const scanner = new otlp.MetricScanner();
  fc.assert(
    fc.property(anyMetrics, fc.integer({ min: 1 }), (metrics, seed) => {
      const plain = otlp.encodeMetrics(metrics);
      for (const request of [plain, scramble(plain, { signal: 'metrics', seed })]) {
        const expected = metrics.flatMap((metric, number) =>
          metric.points.map((point) => ({ metric, point, number })),
        );
        let index = 0;
        scanner.reset(request);
        while (scanner.next()) {
          const { metric, point, number } = expected[index++]!;
          const [resource, scope, service] = head(scanner);
          const { metricStart, metricEnd, pointStart, pointEnd, type } = scanner;
          assert.deepEqual(otlp.decodeDataPoint(request, pointStart, pointEnd, type), point);
          assert.deepEqual(otlp.decodeMetricHead(request, metricStart, metricEnd, resource, scope), {
            ...metric,
            points: [],
          });
          assert.equal(scanner.metricNumber, number);
          assert.deepEqual(service, serviceOf(metric.resource));
          assert.deepEqual(indexedMetric(scanner), expectedMetric(metric));
          assert.deepEqual(indexedPoint(scanner), expectedPoint(point));
          if (request === plain) {
            assert.ok(scanner.attributesTogether);
            assert.equal(
              scanner.attributesStart === scanner.attributesEnd,
              Object.keys(point.attributes).length === 0,
            );
          }
        }
        assert.equal(index, expected.length);
        assert.equal(scanner.withoutData, 0);
      }
    }),
  );
});

function indexedMetric(scanner: otlp.MetricScanner): object {
  const { bytes: source, type, temporality, isMonotonic } = scanner;
  return {
    type,
    temporality,
    isMonotonic,
    name: textOf(source, scanner.nameStart, scanner.nameEnd),
    description: textOf(source, scanner.descriptionStart, scanner.descriptionEnd),
    unit: textOf(source, scanner.unitStart, scanner.unitEnd),
  };
}

function expectedMetric(metric: otlp.MetricData): object {
  const { type, name, description, unit } = metric;
  return {
    type,
    temporality: type === 'gauge' || type === 'summary' ? 0 : metric.temporality,
    isMonotonic: type === 'sum' && metric.isMonotonic,
    name,
    description,
    unit,
  };
}

function indexedPoint(scanner: otlp.MetricScanner): object {
  const view = new DataView(scanner.bytes.buffer, scanner.bytes.byteOffset);
  const double = (at: number): number | undefined => (at === -1 ? undefined : view.getFloat64(at, true));
  const { valueAt } = scanner;
  return {
    start: nanosOf(scanner.startTimeLow, scanner.startTimeHigh),
    time: nanosOf(scanner.timeLow, scanner.timeHigh),
    flags: scanner.flags,
    value:
      valueAt === -1 ? undefined : scanner.valueIsDouble ? double(valueAt) : view.getBigInt64(valueAt, true),
    count: nanosOf(scanner.countLow, scanner.countHigh),
    sum: double(scanner.sumAt),
    min: double(scanner.minAt),
    max: double(scanner.maxAt),
  };
}

function expectedPoint(point: otlp.MetricPointData): object {
  const value = 'value' in point ? point.value : undefined;
  const isInteger = typeof value === 'bigint' || (Number.isSafeInteger(value) && !Object.is(value, -0));
  return {
    start: point.startTimeUnixNanos,
    time: point.timeUnixNanos,
    flags: point.flags,
    value: value === undefined ? undefined : isInteger ? BigInt(value as bigint) : Number(value),
    count: 'count' in point ? point.count : 0n,
    // The sum of a summary is no optional field, so a sum of 0 is not written.
    sum:
      'quantileValues' in point && Object.is(point.sum, 0)
        ? undefined
        : 'sum' in point
          ? point.sum
          : undefined,
    min: 'min' in point ? point.min : undefined,
    max: 'max' in point ? point.max : undefined,
  };
}

test('attributes that do not stand together are told, and the range of those that do is the same for the same', () => {
  const attribute = (key: string): number[] => field(7, field(1, key), field(2, field(1, 'x')));
  const request = (...points: number[][]): Uint8Array =>
    bytes(field(1, field(2, field(2, field(1, 'm'), field(5, ...points.map((point) => field(1, point)))))));
  const scanner = new otlp.MetricScanner();
  const together = [...fixed64(3, 5n), ...attribute('a'), ...attribute('b')];
  const scattered = [...attribute('a'), ...fixed64(3, 5n), ...attribute('b')];
  scanner.reset(request(together, scattered, fixed64(3, 5n)));
  assert.ok(scanner.next());
  assert.equal(scanner.attributesTogether, true);
  assert.deepEqual(
    [...scanner.bytes.subarray(scanner.attributesStart, scanner.attributesEnd)],
    [...attribute('a'), ...attribute('b')],
  );
  assert.ok(scanner.next());
  assert.equal(scanner.attributesTogether, false);
  assert.ok(scanner.next());
  assert.equal(scanner.attributesStart, scanner.attributesEnd);
});

const logRequest = (...fields: number[][]): Uint8Array => bytes(field(1, field(2, field(2, ...fields))));
const metricRequest = logRequest;
const drain = (scanner: otlp.LogScanner | otlp.MetricScanner, request: Uint8Array): number => {
  scanner.reset(request);
  let count = 0;
  while (scanner.next()) count++;
  return count;
};

test('ids that OTLP calls invalid mean that a record or exemplar belongs to no trace', () => {
  for (const [trace, spanId] of [
    [Array(15).fill(1), Array(9).fill(1)],
    [Array(16).fill(0), Array(8).fill(0)],
    [[], []],
  ] as const) {
    const request = logRequest(field(9, trace), field(10, spanId));
    const [decoded] = otlp.decodeLogs(request);
    assert.deepEqual([decoded!.traceId, decoded!.spanId], ['', '']);
    const scanner = new otlp.LogScanner();
    scanner.reset(request);
    assert.ok(scanner.next());
    assert.deepEqual([scanner.traceIdAt, scanner.spanIdAt], [-1, -1]);
    const hex = (id: readonly number[]): string => Buffer.from(id).toString('hex');
    const json = { traceId: hex(trace), spanId: hex(spanId) };
    const [fromJson] = otlp.decodeLogsJson({ resourceLogs: [{ scopeLogs: [{ logRecords: [json] }] }] });
    assert.deepEqual(fromJson, decoded);
    const metrics = metricRequest(field(5, field(1, field(5, field(4, spanId), field(5, trace)))));
    const metric = otlp.decodeMetrics(metrics)[0] as otlp.GaugeData;
    const { traceId, spanId: exemplarSpan } = metric.points[0]!.exemplars[0]!;
    assert.deepEqual([traceId, exemplarSpan], ['', '']);
  }
});

test('numbers that no enum has become 0', () => {
  assert.equal(otlp.decodeLogs(logRequest(varintField(2, 25)))[0]!.severityNumber, 0);
  const scanner = new otlp.LogScanner();
  assert.equal(drain(scanner, logRequest(varintField(2, 25))), 1);
  assert.equal(scanner.severityNumber, 0);
  const request = metricRequest(field(7, field(1), varintField(2, 3)));
  assert.equal((otlp.decodeMetrics(request)[0] as otlp.SumData).temporality, 0);
  const metrics = new otlp.MetricScanner();
  assert.equal(drain(metrics, request), 1);
  assert.equal(metrics.temporality, 0);
});

test('a body that says nothing is null, and no body is undefined', () => {
  const scanner = new otlp.LogScanner();
  for (const [request, body, hasBody] of [
    [logRequest(field(5)), null, true],
    [logRequest(), undefined, false],
    [logRequest(field(5, field(1))), '', true],
  ] as const) {
    assert.equal(otlp.decodeLogs(request)[0]!.body, body);
    assert.equal(drain(scanner, request), 1);
    assert.equal(scanner.bodyStart !== -1, hasBody);
    assert.equal(scanner.bodyTextStart !== -1, body === '');
  }
  for (const body of [null, undefined, '', 0, false]) {
    assert.equal(otlp.decodeLogs(otlp.encodeLogs([log({ body })]))[0]!.body, body);
    assert.equal(otlp.decodeLogsJson(otlp.encodeLogsJson([log({ body })]))[0]!.body, body);
  }
});

test('fields that OTLP gave up before 1.0 are unknown ones, of any wire type', () => {
  for (const old of [field(4, 'name'), varintField(4, 1), fixed64(4, 1n)]) {
    const request = logRequest(old, field(5, field(1, 'x')));
    assert.equal(otlp.decodeLogs(request)[0]!.body, 'x');
    otlp.validateLogs(request);
    assert.equal(drain(new otlp.LogScanner(), request), 1);
    for (const number of [4, 6, 8]) {
      const shifted = [...varint((number << 3) | (old[0]! & 7)), ...old.slice(1)];
      const metrics = metricRequest(shifted, field(5, field(1)));
      assert.equal(otlp.decodeMetrics(metrics).length, 1);
      otlp.validateMetrics(metrics);
      assert.equal(drain(new otlp.MetricScanner(), metrics), 1);
    }
  }
});

test('a metric without data is left out and counted by the scanner', () => {
  const request = bytes(
    field(1, field(2, field(2, field(1, 'a')), field(2, field(1, 'b'), field(5, field(1))))),
  );
  assert.deepEqual(
    otlp.decodeMetrics(request).map(({ name }) => name),
    ['b'],
  );
  otlp.validateMetrics(request);
  const scanner = new otlp.MetricScanner();
  assert.equal(drain(scanner, request), 1);
  assert.deepEqual([scanner.withoutData, scanner.metricNumber], [1, 0]);
  scanner.reset(request);
  assert.equal(scanner.withoutData, 0);
});

test('of several kinds of data the last counts to the decoder; scanner and validation refuse them', () => {
  const refuses = (
    request: Uint8Array,
    scanner: otlp.LogScanner | otlp.MetricScanner,
    what: RegExp,
  ): void => {
    assert.throws(() => drain(scanner, request), { code: 'TW_DECODE_INVALID', message: what });
    const validate = scanner instanceof otlp.LogScanner ? otlp.validateLogs : otlp.validateMetrics;
    assert.throws(() => validate(request), { code: 'TW_DECODE_INVALID', message: /twice/ });
  };
  const metric = metricRequest(field(7, field(1), field(1)), field(5, field(1)));
  assert.deepEqual(otlp.decodeMetrics(metric), peerDecodeMetrics(metric));
  refuses(metric, new otlp.MetricScanner(), /two kinds of data/);
  const body = logRequest(field(5, field(1, 'a')), field(5, field(1, 'b')));
  assert.equal(otlp.decodeLogs(body)[0]!.body, 'b');
  refuses(body, new otlp.LogScanner(), /two bodies/);
});

test('lists of numbers are read packed, one by one and mixed', () => {
  const counts = [...field(6, [...fixed64(1, 1n).slice(1), ...fixed64(1, 2n).slice(1)]), ...fixed64(6, 3n)];
  const bounds = [...fixed64(7, 0n), ...field(7, fixed64(1, 0n).slice(1))];
  const request = metricRequest(field(9, field(1, counts, bounds)));
  const [decoded] = otlp.decodeMetrics(request);
  assert.ok(decoded?.type === 'histogram');
  assert.deepEqual(decoded.points[0]!.bucketCounts, [1n, 2n, 3n]);
  assert.deepEqual(decoded.points[0]!.explicitBounds, [0, 0]);
  assert.deepEqual(peerDecodeMetrics(request), [decoded]);
  otlp.validateMetrics(request);
  const buckets = field(8, field(2, [1, 0x80, 0x01]), varintField(2, 7), field(2, [5]));
  const exponential = metricRequest(field(10, field(1, buckets)));
  const [other] = otlp.decodeMetrics(exponential);
  assert.ok(other?.type === 'exponentialHistogram');
  assert.deepEqual(other.points[0]!.positive.bucketCounts, [1n, 128n, 7n, 5n]);
  otlp.validateMetrics(exponential);
  for (const broken of [
    field(6, [1, 2, 3]),
    field(7, Array(9).fill(0)),
    varintField(6, 1),
    [0x35, 0, 0, 0, 0],
  ]) {
    const bad = metricRequest(field(9, field(1, broken)));
    assert.throws(() => otlp.decodeMetrics(bad), { code: 'TW_DECODE_INVALID' });
    assert.throws(() => otlp.validateMetrics(bad), { code: 'TW_DECODE_INVALID' });
  }
  const cut = metricRequest(field(10, field(1, field(8, field(2, [1, 0x80])))));
  assert.throws(() => otlp.decodeMetrics(cut), { code: 'TW_DECODE_INVALID' });
  assert.throws(() => otlp.validateMetrics(cut), { code: 'TW_DECODE_INVALID' });
});

test('F36: eight packed numbers count as one item, so that a byte of a count cannot fill the memory', () => {
  const request = (count: number): Uint8Array =>
    metricRequest(field(10, field(1, field(8, field(2, Array(count).fill(1))))));
  // a ResourceMetrics, a ScopeMetrics, a metric, a point, and the counts
  for (const [count, items] of [
    [8, 5],
    [9, 6],
    [800, 104],
  ] as const) {
    for (const read of [otlp.decodeMetrics, otlp.validateMetrics]) {
      read(request(count), { maxItems: items });
      assert.throws(() => read(request(count), { maxItems: items - 1 }), { code: 'TW_DECODE_TOO_LARGE' });
    }
  }
  const json = otlp.metricsToJson(request(9));
  otlp.decodeMetricsJson(json, { maxItems: 6 });
  assert.throws(() => otlp.decodeMetricsJson(json, { maxItems: 5 }), { code: 'TW_DECODE_TOO_LARGE' });
});

test('integers and doubles of points and exemplars survive, whatever their value', () => {
  const values: otlp.MetricNumber[] = [0, -1, 2 ** 53 - 1, 2n ** 62n, -(2n ** 63n), 0.5, -0, undefined];
  values.push(new Double(1), new Double(0), Number.NaN, 1e300, Number.POSITIVE_INFINITY);
  const points = values.map((value) =>
    numberPoint({
      value,
      exemplars: [{ timeUnixNanos: 1n, value, filteredAttributes: {}, traceId: '', spanId: '' }],
    }),
  );
  const expected = points.map(({ value, exemplars }) => [value, exemplars[0]!.value]);
  for (const [decoded] of [
    otlp.decodeMetrics(otlp.encodeMetrics([sum({ points })])),
    otlp.decodeMetricsJson(otlp.encodeMetricsJson([sum({ points })])),
  ]) {
    assert.ok(decoded?.type === 'sum');
    assert.deepEqual(
      decoded.points.map(({ value, exemplars }) => [value, exemplars[0]!.value]),
      expected,
    );
  }
});

test('what is wrong in plain data is a TypeError or RangeError that names record and field', () => {
  const point = histogram().points[0]!;
  const exemplar = { timeUnixNanos: 1n, value: 1, filteredAttributes: {}, traceId: '', spanId: '' };
  const logs: [unknown, string, typeof TypeError | typeof RangeError][] = [
    [null, 'logs[1] must be an object, got null', TypeError],
    [log({ severityText: 5 as never }), 'logs[1].severityText must be a string, got 5', TypeError],
    [
      log({ severityNumber: 25 as never }),
      'logs[1].severityNumber must be a whole number from 0 to 24',
      RangeError,
    ],
    [log({ timeUnixNanos: 1 as never }), 'logs[1].timeUnixNanos must be a bigint, got 1', TypeError],
    [log({ observedTimeUnixNanos: -1n }), 'logs[1].observedTimeUnixNanos must be from 0 to', RangeError],
    [log({ traceId: 'ab' }), 'logs[1].traceId must be 32 hex digits, not all zero, got "ab"', RangeError],
    [log({ spanId: 'x'.repeat(16) }), 'logs[1].spanId must be 16 hex digits, not all zero', RangeError],
    [log({ body: (() => 1) as never }), 'logs[1].body is a function', TypeError],
    [log({ body: { a: 2n ** 63n } }), 'logs[1].body["a"] must be an integer of 64 bits', RangeError],
    [log({ attributes: null as never }), 'logs[1].attributes must be an object, got null', TypeError],
    [log({ eventName: undefined as never }), 'logs[1].eventName must be a string, got undefined', TypeError],
    [log({ scope: undefined as never }), 'logs[1].scope must be an object', TypeError],
  ];
  for (const [given, message, type] of logs) {
    for (const encode of [otlp.encodeLogs, otlp.encodeLogsJson]) {
      refuses(() => encode([log(), given as otlp.LogData]), message, type);
    }
  }
  const metrics: [unknown, string, typeof TypeError | typeof RangeError][] = [
    [5, 'metrics[1] must be an object, got 5', TypeError],
    [{ ...gauge(), type: 'counter' }, "metrics[1].type must be 'gauge', 'sum', 'histogram'", TypeError],
    [{ ...gauge(), points: {} }, 'metrics[1].points must be an array', TypeError],
    [{ ...gauge(), unit: null }, 'metrics[1].unit must be a string, got null', TypeError],
    [{ ...sum(), temporality: 3 }, 'metrics[1].temporality must be a whole number from 0 to 2', RangeError],
    [{ ...sum(), isMonotonic: 1 }, 'metrics[1].isMonotonic must be true or false, got 1', TypeError],
    [gauge({ points: [null as never] }), 'metrics[1].points[0] must be an object, got null', TypeError],
    [
      gauge({ points: [numberPoint({ value: '1' as never })] }),
      'metrics[1].points[0].value must be a number, a bigint or a Double, got "1"',
      TypeError,
    ],
    [
      gauge({ points: [numberPoint({ value: 2n ** 63n })] }),
      'metrics[1].points[0].value must be',
      RangeError,
    ],
    [
      gauge({ points: [numberPoint({ exemplars: [{ ...exemplar, spanId: '12' }] })] }),
      'metrics[1].points[0].exemplars[0].spanId must be 16 hex digits',
      RangeError,
    ],
    [histogram({ count: 5 as never }), 'metrics[1].points[0].count must be a bigint, got 5', TypeError],
    [histogram({ sum: '5' as never }), 'metrics[1].points[0].sum must be a number, got "5"', TypeError],
    [
      histogram({ bucketCounts: [1n, -1n] }),
      'metrics[1].points[0].bucketCounts[1] must be from 0 to 18446744073709551615, got -1',
      RangeError,
    ],
    [
      histogram({ explicitBounds: [null as never] }),
      'metrics[1].points[0].explicitBounds[0] must be',
      TypeError,
    ],
    [
      { ...histogram(), points: [{ ...point, exemplars: undefined }] },
      'metrics[1].points[0].exemplars',
      TypeError,
    ],
    [
      exponentialHistogram({ scale: 2 ** 31 }),
      'metrics[1].points[0].scale must be a whole number',
      RangeError,
    ],
    [
      exponentialHistogram({ positive: null as never }),
      'metrics[1].points[0].positive must be an object',
      TypeError,
    ],
    [
      exponentialHistogram({ negative: { offset: 0, bucketCounts: [1 as never] } }),
      'metrics[1].points[0].negative.bucketCounts[0] must be a bigint, got 1',
      TypeError,
    ],
    [
      summary({ quantileValues: [{}] as never }),
      'metrics[1].points[0].quantileValues[0].quantile must',
      TypeError,
    ],
  ];
  for (const [given, message, type] of metrics) {
    for (const encode of [otlp.encodeMetrics, otlp.encodeMetricsJson]) {
      refuses(() => encode([gauge(), given as otlp.MetricData]), message, type);
    }
  }
});

function refuses(run: () => unknown, message: string, type: typeof TypeError | typeof RangeError): void {
  assert.throws(
    run,
    (error: Error) => {
      assert.equal(error.constructor, type, error.stack);
      assert.ok(error.message.startsWith(message), `${error.message} instead of ${message}`);
      return true;
    },
    message,
  );
}

test('JSON of logs and metrics is read in snake case, with enums by name and integers as numbers', () => {
  const [record] = otlp.decodeLogsJson({
    resource_logs: [
      {
        scope_logs: [
          {
            log_records: [
              {
                time_unix_nano: 5,
                observed_time_unix_nano: '6',
                severity_number: 'SEVERITY_NUMBER_ERROR2',
                severity_text: 'E',
                body: { kvlist_value: { values: [{ key: 'a', value: { int_value: 1 } }] } },
                trace_id: '5B8EFFF798038103D269B633813FC60C',
                event_name: 'e',
              },
            ],
          },
        ],
      },
    ],
  });
  assert.deepEqual(
    [record!.timeUnixNanos, record!.observedTimeUnixNanos, record!.severityNumber, record!.severityText],
    [5n, 6n, 18, 'E'],
  );
  assert.deepEqual(record!.body, bare([['a', 1]]));
  assert.deepEqual([record!.traceId, record!.eventName], ['5b8efff798038103d269b633813fc60c', 'e']);
  const metric = (data: object): otlp.MetricData | undefined =>
    otlp.decodeMetricsJson({
      resource_metrics: [{ scope_metrics: [{ metrics: [{ name: 'm', ...data }] }] }],
    })[0];
  const exponential = metric({
    exponential_histogram: {
      aggregation_temporality: 'AGGREGATION_TEMPORALITY_DELTA',
      data_points: [
        { zero_count: 3, zero_threshold: 0.5, scale: '-1', positive: { bucket_counts: [1, '2'] } },
      ],
    },
  });
  assert.ok(exponential?.type === 'exponentialHistogram');
  assert.equal(exponential.temporality, 1);
  const [point] = exponential.points;
  assert.deepEqual([point!.zeroCount, point!.zeroThreshold, point!.scale], [3n, 0.5, -1]);
  assert.deepEqual(point!.positive, { offset: 0, bucketCounts: [1n, 2n] });
  assert.equal(metric({}), undefined);
  assert.equal(metric({ gauge: null }), undefined);
  const bad: [object, RegExp][] = [
    [{ gauge: {}, sum: {} }, /metrics\[0\]: a metric must not be of two types/],
    [
      { gauge: { dataPoints: [{ asInt: 1, asDouble: 1 }] } },
      /dataPoints\[0\]: a value must not be of two types/,
    ],
    [{ gauge: { dataPoints: [{ asInt: 1.5 }] } }, /gauge\.dataPoints\[0\]\.asInt: must be a whole number/],
    [{ histogram: { dataPoints: [{ bucketCounts: [null] }] } }, /bucketCounts\[0\]: must be a number/],
    [{ histogram: { dataPoints: [{ bucketCounts: ['-1'] }] } }, /bucketCounts\[0\]: must be a whole number/],
    [{ histogram: { dataPoints: [{ explicitBounds: ['x'] }] } }, /explicitBounds\[0\]: must be a number/],
    [{ sum: { isMonotonic: 'yes' } }, /sum\.isMonotonic: must be true or false/],
    [{ sum: { aggregationTemporality: 'DELTA' } }, /AGGREGATION_TEMPORALITY_/],
    [{ exponentialHistogram: { dataPoints: [{ scale: 2 ** 31 }] } }, /scale: must be a whole number/],
  ];
  for (const [data, message] of bad) {
    assert.throws(() => metric(data), { code: 'TW_DECODE_INVALID', message });
  }
});
