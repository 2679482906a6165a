import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeTracesJson, encodeTracesJson } from '@tracewell/otlp';
import { Double, type SpanData } from '@tracewell/plugin';
import { bare } from './arbitrary.ts';
import { span } from './span.ts';

const IDS = { traceId: '5B8EFFF798038103D269B633813FC60C', spanId: 'EEE19B7EC3C1B174' };

const request = (part: object): object => ({
  resourceSpans: [{ scopeSpans: [{ spans: [{ ...IDS, ...part }] }] }],
});
const decodeOne = (part: object): SpanData => decodeTracesJson(request(part))[0]!;
const attributeOf = (value: object): unknown => decodeOne({ attributes: [{ key: 'k', value }] }).attributes.k;
const refuses = (part: object, message: RegExp): void =>
  assert.throws(() => decodeOne(part), { code: 'TW_DECODE_INVALID', message });

test('the JSON is that of the OTLP specification, on one line', () => {
  const full = span({
    parentSpanId: 'b7ad6b7169203332',
    traceState: 'a=b',
    flags: 0x101,
    attributes: {
      text: 'a\nb',
      int: 5,
      big: 2n ** 63n - 1n,
      half: 0.5,
      whole: new Double(2),
      yes: true,
      none: null,
    },
    droppedAttributesCount: 1,
    events: [
      {
        timeUnixNanos: 7n,
        name: 'e',
        attributes: { bytes: Uint8Array.of(0xfb, 0xff) },
        droppedAttributesCount: 2,
      },
    ],
    droppedEventsCount: 3,
    links: [
      {
        traceId: '0af7651916cd43dd8448eb211c80319c',
        spanId: 'b7ad6b7169203331',
        traceState: 'c=d',
        flags: 1,
        attributes: { list: [1, 'x'], map: { a: Number.NaN } },
        droppedAttributesCount: 4,
      },
    ],
    droppedLinksCount: 5,
    status: { code: 2, message: 'boom' },
    resource: { attributes: { 'service.name': 'shop' }, droppedAttributesCount: 6, schemaUrl: 'https://r' },
    scope: { name: 'http', version: '1', attributes: {}, droppedAttributesCount: 7, schemaUrl: 'https://s' },
  });
  const json = encodeTracesJson([full]);
  assert.ok(!json.includes('\n'));
  assert.deepEqual(JSON.parse(json), {
    resourceSpans: [
      {
        resource: {
          attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }],
          droppedAttributesCount: 6,
        },
        scopeSpans: [
          {
            scope: { name: 'http', version: '1', droppedAttributesCount: 7 },
            spans: [
              {
                traceId: '0af7651916cd43dd8448eb211c80319c',
                spanId: 'b7ad6b7169203331',
                traceState: 'a=b',
                parentSpanId: 'b7ad6b7169203332',
                name: 'checkout',
                kind: 2,
                startTimeUnixNano: '1700000000000000001',
                endTimeUnixNano: '1700000000020000003',
                attributes: [
                  { key: 'text', value: { stringValue: 'a\nb' } },
                  { key: 'int', value: { intValue: '5' } },
                  { key: 'big', value: { intValue: '9223372036854775807' } },
                  { key: 'half', value: { doubleValue: 0.5 } },
                  { key: 'whole', value: { doubleValue: 2 } },
                  { key: 'yes', value: { boolValue: true } },
                  { key: 'none', value: {} },
                ],
                droppedAttributesCount: 1,
                events: [
                  {
                    timeUnixNano: '7',
                    name: 'e',
                    attributes: [{ key: 'bytes', value: { bytesValue: '+/8=' } }],
                    droppedAttributesCount: 2,
                  },
                ],
                droppedEventsCount: 3,
                links: [
                  {
                    traceId: '0af7651916cd43dd8448eb211c80319c',
                    spanId: 'b7ad6b7169203331',
                    traceState: 'c=d',
                    attributes: [
                      {
                        key: 'list',
                        value: { arrayValue: { values: [{ intValue: '1' }, { stringValue: 'x' }] } },
                      },
                      {
                        key: 'map',
                        value: { kvlistValue: { values: [{ key: 'a', value: { doubleValue: 'NaN' } }] } },
                      },
                    ],
                    droppedAttributesCount: 4,
                    flags: 1,
                  },
                ],
                droppedLinksCount: 5,
                status: { message: 'boom', code: 2 },
                flags: 0x101,
              },
            ],
            schemaUrl: 'https://s',
          },
        ],
        schemaUrl: 'https://r',
      },
    ],
  });
});

test('names in snake case are those in camel case', () => {
  const [decoded] = decodeTracesJson({
    resource_spans: [
      {
        resource: { dropped_attributes_count: 1 },
        schema_url: 'https://r',
        scope_spans: [
          {
            schema_url: 'https://s',
            spans: [
              {
                trace_id: IDS.traceId,
                span_id: IDS.spanId,
                parent_span_id: IDS.spanId,
                trace_state: 'a=b',
                start_time_unix_nano: '1',
                end_time_unix_nano: 2,
                dropped_attributes_count: 2,
                dropped_events_count: 3,
                dropped_links_count: 4,
                events: [{ time_unix_nano: '5' }],
                attributes: [
                  { key: 'a', value: { string_value: 's' } },
                  { key: 'b', value: { bool_value: true } },
                  { key: 'c', value: { int_value: '1' } },
                  { key: 'd', value: { double_value: 0.5 } },
                  { key: 'e', value: { bytes_value: 'AQ' } },
                  { key: 'f', value: { array_value: { values: [] } } },
                  { key: 'g', value: { kvlist_value: {} } },
                ],
              },
            ],
          },
        ],
      },
    ],
  });
  assert.deepEqual(decoded, {
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    parentSpanId: 'eee19b7ec3c1b174',
    traceState: 'a=b',
    flags: 0,
    name: '',
    kind: 0,
    startTimeUnixNanos: 1n,
    endTimeUnixNanos: 2n,
    attributes: bare<unknown>([
      ['a', 's'],
      ['b', true],
      ['c', 1],
      ['d', 0.5],
      ['e', Uint8Array.of(1)],
      ['f', []],
      ['g', bare([])],
    ]),
    droppedAttributesCount: 2,
    events: [{ timeUnixNanos: 5n, name: '', attributes: bare([]), droppedAttributesCount: 0 }],
    droppedEventsCount: 3,
    links: [],
    droppedLinksCount: 4,
    status: { code: 0, message: '' },
    resource: { attributes: bare([]), droppedAttributesCount: 1, schemaUrl: 'https://r' },
    scope: { name: '', version: '', attributes: bare([]), droppedAttributesCount: 0, schemaUrl: 'https://s' },
  });
});

test('64-bit integers are taken as strings and as numbers, and lose no digit', () => {
  assert.equal(attributeOf({ intValue: '-9223372036854775808' }), -(2n ** 63n));
  assert.equal(attributeOf({ intValue: 5 }), 5);
  assert.equal(attributeOf({ intValue: '1e3' }), 1000);
  assert.equal(attributeOf({ intValue: 1.0 }), 1);
  assert.equal(decodeOne({ startTimeUnixNano: '18446744073709551615' }).startTimeUnixNanos, 2n ** 64n - 1n);
  const text = JSON.stringify(
    request({
      startTimeUnixNano: 1,
      attributes: [{ key: 'k', value: { intValue: 2 } }],
      name: '9007199254740993',
    }),
  )
    .replace('"startTimeUnixNano":1', '"startTimeUnixNano": 1700000000000000123')
    .replace('"intValue":2', '"intValue":-9007199254740993');
  const [decoded] = decodeTracesJson(text);
  assert.equal(decoded!.startTimeUnixNanos, 1_700_000_000_000_000_123n);
  assert.equal(decoded!.attributes.k, -9_007_199_254_740_993n);
  assert.equal(decoded!.name, '9007199254740993');
});

test('floats are taken as numbers, strings and words', () => {
  const values: [unknown, unknown][] = [
    [1, new Double(1)],
    [0.5, 0.5],
    ['0.25', 0.25],
    ['-1e-3', -0.001],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['-0', -0],
    [2n ** 63n, 2 ** 63],
  ];
  for (const [json, value] of values) assert.deepEqual(attributeOf({ doubleValue: json }), value);
});

test('enums are taken as numbers and as names', () => {
  assert.equal(decodeOne({ kind: 3 }).kind, 3);
  assert.equal(decodeOne({ kind: 'SPAN_KIND_CONSUMER' }).kind, 5);
  assert.equal(decodeOne({ kind: 99 }).kind, 0);
  assert.deepEqual(decodeOne({ status: { code: 'STATUS_CODE_ERROR' } }).status, { code: 2, message: '' });
  for (const kind of ['SERVER', 'SPAN_KIND_', 'SPAN_KIND_toString', 1.5, true])
    refuses({ kind }, /spans\[0\]\.kind/);
});

test('bytes are taken in either base64, padded or not', () => {
  for (const text of ['+/8=', '+/8', '-_8=', '-_8']) {
    assert.deepEqual(attributeOf({ bytesValue: text }), Uint8Array.of(0xfb, 0xff));
  }
  refuses({ attributes: [{ key: 'k', value: { bytesValue: 'no!' } }] }, /base64/);
});

test('null is absent, and unknown fields are ignored', () => {
  const decoded = decodeOne({
    name: null,
    kind: null,
    attributes: null,
    status: null,
    startTimeUnixNano: null,
    brandNew: { field: [1] },
  });
  assert.equal(decoded.name, '');
  assert.equal(decoded.startTimeUnixNanos, 0n);
  assert.equal(attributeOf({ stringValue: null, intValue: 1 }), 1);
  assert.equal(decodeOne({ attributes: [{ key: 'k' }] }).attributes.k, null);
});

test('an error says where it is', () => {
  refuses({ name: 1 }, /at resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[0\]\.name: must be a string/);
  refuses(
    { attributes: [{ key: 'a' }, { key: 'b', value: { arrayValue: { values: [{ boolValue: 'true' }] } } }] },
    /spans\[0\]\.attributes\[1\].*boolValue: must be true or false/,
  );
  refuses({ attributes: {} }, /attributes: must be an array/);
  refuses({ attributes: [1] }, /attributes\[0\]: must be an object/);
  refuses({ status: 1 }, /status: must be an object/);
  refuses({ traceId: 'xyz' }, /traceId: must be hex/);
  refuses({ spanId: '12' }, /spans\[0\]: a span has an invalid span id/);
  refuses({ flags: 2 ** 32 }, /flags: must be a whole number from 0 to 4294967295/);
  refuses({ startTimeUnixNano: '-1' }, /startTimeUnixNano/);
  refuses({ startTimeUnixNano: 0.5 }, /startTimeUnixNano/);
  refuses({ attributes: [{ key: 'k', value: { intValue: '1', stringValue: 'x' } }] }, /two types/);
  for (const json of ['', 'null', '[]', '1', '{"resourceSpans":{}}', '{']) {
    assert.throws(() => decodeTracesJson(json), { code: 'TW_DECODE_INVALID' }, json);
  }
});

test('invalid spans are reported and left out when asked for', () => {
  const found: unknown[] = [];
  const spans = decodeTracesJson(request({ traceId: '00' }), {
    onInvalidSpan: (invalid) => found.push(invalid),
  });
  assert.deepEqual(spans, []);
  assert.deepEqual(found, [{ reason: 'trace id', where: 'resourceSpans[0].scopeSpans[0].spans[0]' }]);
  assert.equal(decodeOne({ parentSpanId: '0'.repeat(16) }).parentSpanId, '');
});

test('limits hold', () => {
  const json = JSON.stringify(
    request({ attributes: [{ key: 'k', value: { arrayValue: { values: [{}, {}] } } }] }),
  );
  decodeTracesJson(json, { maxBytes: json.length, maxItems: 6, maxDepth: 1 });
  assert.throws(() => decodeTracesJson(json, { maxBytes: json.length - 1 }), { code: 'TW_DECODE_TOO_LARGE' });
  assert.throws(() => decodeTracesJson(json, { maxItems: 5 }), { code: 'TW_DECODE_TOO_LARGE' });
  assert.throws(() => decodeTracesJson(json, { maxDepth: 0 }), {
    code: 'TW_DECODE_TOO_DEEP',
    message: /attributes\[0\]/,
  });
});
