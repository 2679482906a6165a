import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as wire from '@tracewell/otlp/wire';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import * as fields from '../../packages/otlp/src/wire/fields.ts';
import { anyText } from './arbitrary.ts';
import { ExportTraceServiceRequest } from './protobufjs.ts';

const AT = 3;

/** What a writer wrote, which must be all that it says it wrote. */
function written(write: (bytes: Uint8Array, at: number) => number, room = 64): Uint8Array {
  const bytes = new Uint8Array(AT + room).fill(0xee);
  const end = write(bytes, AT);
  assert.deepEqual(bytes.subarray(0, AT), new Uint8Array(AT).fill(0xee));
  return bytes.subarray(AT, end);
}

const integers = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: 0, max: 53 }).chain((bits) => fc.constantFrom(2 ** bits - 1, -(2 ** bits) + 1)),
);

test('integers of every size are written as protobufjs writes them', () => {
  fc.assert(
    fc.property(integers, (value) => {
      const peer = new Uint8Array(protobuf.Writer.create().int64(value).finish());
      assert.deepEqual(
        written((bytes, at) => wire.writeInt64(bytes, at, value)),
        peer,
      );
      assert.deepEqual(
        written((bytes, at) => wire.writeInt64BigInt(bytes, at, BigInt(value))),
        peer,
      );
      if (value < 0) return;
      const varint = written((bytes, at) => wire.writeVarint(bytes, at, value));
      assert.deepEqual(varint, peer);
      assert.equal(wire.varintSize(value), peer.length);
      assert.equal(wire.readVarint(varint, 0), value);
      assert.equal(wire.skipVarint(varint, 0), peer.length);
    }),
    { numRuns: 1000 },
  );
});

test('a varint that is cut short is read as far as it goes', { timeout: 5000 }, () => {
  for (const [bytes, value] of [
    [[], 0],
    [[0x85], 5],
    [[0x85, 0x81], 0x85],
    [new Array(20).fill(0x80), 0],
  ] as const) {
    const cut = Uint8Array.from(bytes);
    assert.equal(wire.readVarint(cut, 0), value);
    assert.ok(wire.skipVarint(cut, 0) > cut.length);
  }
});

test('64 bits go through halves, bigints and floats unchanged', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 64n - 1n), fc.double(), (unsigned, float) => {
      const view = new DataView(new ArrayBuffer(8));
      view.setBigUint64(0, unsigned, true);
      const low = view.getUint32(0, true);
      const high = view.getUint32(4, true);
      const fixed = new Uint8Array(view.buffer);
      assert.deepEqual(
        written((bytes, at) => wire.writeFixed64(bytes, at, low, high)),
        fixed,
      );
      assert.deepEqual(
        written((bytes, at) => wire.writeFixed64BigInt(bytes, at, unsigned)),
        fixed,
      );
      assert.deepEqual([wire.readFixed32(fixed, 0), wire.readFixed32(fixed, 4)], [low, high]);
      assert.equal(wire.toBigUint64(low, high), unsigned);
      assert.equal(wire.toBigInt64(low, high), BigInt.asIntN(64, unsigned));
      assert.deepEqual(
        written((bytes, at) => wire.writeVarintHalves(bytes, at, low, high)),
        written((bytes, at) => wire.writeInt64BigInt(bytes, at, unsigned)),
      );
      view.setFloat64(0, float, true);
      assert.deepEqual(
        written((bytes, at) => wire.writeDouble(bytes, at, float)),
        fixed,
      );
      assert.equal(wire.toDouble(view.getUint32(0, true), view.getUint32(4, true)), float);
    }),
  );
});

test('text of any length and alphabet is written as UTF-8 behind its length', () => {
  const lone = fc.constantFrom('\ud800', 'a\udfff', `${'x'.repeat(40)}\ud800y`, '\udc00\ud83d\ude00');
  fc.assert(
    fc.property(
      fc.oneof(
        anyText,
        lone,
        fc.nat(20_000).map((length) => 'é'.repeat(length)),
      ),
      (text) => {
        const expected = new Uint8Array(Buffer.from(text));
        const room = wire.stringRoom(text.length);
        assert.deepEqual(
          written((bytes, at) => wire.writeUtf8(bytes, at, text), room),
          expected,
        );
        const peer = new Uint8Array(protobuf.Writer.create().bytes(expected).finish());
        const string = written((bytes, at) => wire.writeString(bytes, at, text), room);
        assert.deepEqual(string, peer);
        assert.equal(wire.readUtf8(string, wire.skipVarint(string, 0), string.length), text.toWellFormed());
        assert.deepEqual(
          written((bytes, at) => wire.writeBytes(bytes, at, expected), room),
          peer,
        );
      },
    ),
  );
});

test('hex digits of either case are written as bytes, and anything else is refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 16 }), fc.boolean(), (id, upper) => {
      const lower = Buffer.from(id).toString('hex');
      const bytes = written((target, at) => wire.writeHex(target, at, upper ? lower.toUpperCase() : lower));
      assert.deepEqual(bytes, id);
      assert.equal(wire.readHex(bytes, 0, bytes.length), lower);
    }),
  );
  for (const hex of ['0', '00fFaB9', 'xx', '0g', 'g0', '0é', '0\u0130', '  ', '0x', '`a', ':0', '@0']) {
    assert.equal(wire.writeHex(new Uint8Array(8), 0, hex), -1, hex);
  }
});

test('a padded length is a length', () => {
  for (const value of [0, 1, 127, 128, 2 ** 21, 2 ** 28 - 1]) {
    const bytes = written((target, at) => wire.writeVarintPadded4(target, at, value));
    assert.equal(bytes.length, 4);
    assert.equal(protobuf.Reader.create(bytes).uint32(), value);
  }
});

/** Checks that each field of some messages has a constant, `PREFIX_FIELD_NAME`, with its key; gives their names. */
function checkKeys(
  constants: Readonly<Record<string, number>>,
  messages: readonly (readonly [prefix: string, type: string, unused: readonly string[]])[],
  nameOf = (prefix: string, field: string): string => `${prefix}_${field}`,
): Set<string> {
  const checked = new Set<string>();
  for (const [prefix, type, unused] of messages) {
    for (const field of ExportTraceServiceRequest.root.lookupType(`opentelemetry.proto.${type}`)
      .fieldsArray) {
      if (unused.includes(field.name)) continue;
      const name = nameOf(
        prefix,
        field.name
          .replace(/Value$/, prefix === 'ANY' ? '' : '$&')
          .replace(/UnixNano$/, '')
          .replace(/[A-Z]/g, (capital) => `_${capital}`)
          .toUpperCase(),
      );
      const wireType =
        (protobuf.types.basic as Readonly<Record<string, number>>)[field.type] ??
        (field.resolve().resolvedType instanceof protobuf.Enum ? 0 : 2);
      const isPacked = field.repeated && wireType !== 2;
      assert.equal(constants[name], field.id * 8 + (isPacked ? 2 : wireType), name);
      checked.add(name);
      if (!isPacked) continue;
      assert.equal(constants[`${name}_ONE`], field.id * 8 + wireType, `${name}_ONE`);
      checked.add(`${name}_ONE`);
    }
  }
  return checked;
}

test('every key is that of the published files', () => {
  const constants = wire as unknown as Readonly<Record<string, number>>;
  const checked = checkKeys(constants, [
    ['REQUEST', 'collector.trace.v1.ExportTraceServiceRequest', []],
    ['RESOURCE_SPANS', 'trace.v1.ResourceSpans', []],
    ['RESOURCE', 'resource.v1.Resource', ['entityRefs']],
    ['SCOPE_SPANS', 'trace.v1.ScopeSpans', []],
    ['SCOPE', 'common.v1.InstrumentationScope', []],
    ['SPAN', 'trace.v1.Span', []],
    ['EVENT', 'trace.v1.Span.Event', []],
    ['LINK', 'trace.v1.Span.Link', []],
    ['STATUS', 'trace.v1.Status', []],
    ['KEY_VALUE', 'common.v1.KeyValue', []],
    ['ANY', 'common.v1.AnyValue', []],
    ['ARRAY', 'common.v1.ArrayValue', []],
    ['KVLIST', 'common.v1.KeyValueList', []],
    ['LOG_RECORD', 'logs.v1.LogRecord', []],
  ]);
  for (const name of checkMetricKeys(constants)) checked.add(name);
  const keys = Object.keys(constants).filter((name) => /^[A-Z]/.test(name) && !name.startsWith('WIRE_'));
  assert.deepEqual(
    keys.filter((name) => !checked.has(name)),
    [],
  );
});

function checkMetricKeys(constants: Readonly<Record<string, number>>): Set<string> {
  // Fields that have the same key in several messages have one constant for all of them.
  const shared: Readonly<Record<string, string>> = {
    DATA_POINTS: 'DATA_POINTS',
    AGGREGATION_TEMPORALITY: 'DATA_TEMPORALITY',
    IS_MONOTONIC: 'DATA_IS_MONOTONIC',
    START_TIME: 'POINT_START_TIME',
    COUNT: 'POINT_COUNT',
    SUM: 'POINT_SUM',
  };
  const nameOf = (prefix: string, field: string): string => {
    if (field === 'TIME' && prefix.endsWith('POINT')) return 'POINT_TIME';
    return prefix === 'METRIC' ? `METRIC_${field}` : (shared[field] ?? `${prefix}_${field}`);
  };
  const points: [string, string, string[]][] = [
    ['METRIC', 'metrics.v1.Metric', []],
    ...['Gauge', 'Sum', 'Histogram', 'ExponentialHistogram', 'Summary'].map(
      (type): [string, string, string[]] => ['DATA', `metrics.v1.${type}`, []],
    ),
    ['NUMBER_POINT', 'metrics.v1.NumberDataPoint', []],
    ['HISTOGRAM_POINT', 'metrics.v1.HistogramDataPoint', []],
    ['EXPONENTIAL_POINT', 'metrics.v1.ExponentialHistogramDataPoint', []],
    ['BUCKETS', 'metrics.v1.ExponentialHistogramDataPoint.Buckets', []],
    ['SUMMARY_POINT', 'metrics.v1.SummaryDataPoint', []],
    ['QUANTILE', 'metrics.v1.SummaryDataPoint.ValueAtQuantile', []],
    ['EXEMPLAR', 'metrics.v1.Exemplar', []],
  ];
  return checkKeys(constants, points, nameOf);
}

test('the keys of the envelope are those of all signals', () => {
  const envelope: Readonly<Record<string, string>> = {
    RESOURCE_SPANS: 'RESOURCE_GROUPS',
    RESOURCE_LOGS: 'RESOURCE_GROUPS',
    RESOURCE_METRICS: 'RESOURCE_GROUPS',
    SCOPE_SPANS: 'SCOPE_GROUPS',
    SCOPE_LOGS: 'SCOPE_GROUPS',
    SCOPE_METRICS: 'SCOPE_GROUPS',
    SPANS: 'ENTRIES',
    LOG_RECORDS: 'ENTRIES',
    METRICS: 'ENTRIES',
  };
  checkKeys(
    fields,
    [
      ['Traces', 'trace', 'Spans'],
      ['Logs', 'logs', 'Logs'],
      ['Metrics', 'metrics', 'Metrics'],
    ].flatMap(([data, folder, name]): [string, string, string[]][] => [
      ['REQUEST', `${folder}.v1.${data}Data`, []],
      ['RESOURCE_GROUP', `${folder}.v1.Resource${name}`, []],
      ['SCOPE_GROUP', `${folder}.v1.Scope${name}`, []],
    ]),
    (prefix, field) => `${prefix}_${envelope[field] ?? field}`,
  );
});
