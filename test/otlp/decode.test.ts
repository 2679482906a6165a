import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeTraces, encodeTraces, type InvalidSpan, TraceScanner, validateTraces } from '@tracewell/otlp';
import type { SpanData } from '@tracewell/plugin';
import fc from 'fast-check';
import { bare } from './arbitrary.ts';
import { anySpans } from './arbitrary-spans.ts';
import { bytes, field, fixed64, varint, varintField } from './protobuf.ts';
import { peerDecode } from './protobufjs.ts';
import { scramble } from './scramble.ts';
import { span } from './span.ts';

/** A request with one span, whose message is given. */
const requestOf = (...spanFields: number[][]): Uint8Array =>
  bytes(field(1, field(2, field(2, ...spanFields))));
const IDS = [field(1, Array(16).fill(1)), field(2, Array(8).fill(2))];

/** All that read a request, the last one as far as it looks. */
const READERS = [
  (request: Uint8Array): unknown => decodeTraces(request),
  (request: Uint8Array): unknown => validateTraces(request),
  (request: Uint8Array): void => {
    const scanner = new TraceScanner();
    scanner.reset(request);
    while (scanner.next());
  },
];

const decodeOne = (...spanFields: number[][]): SpanData => decodeTraces(requestOf(...IDS, ...spanFields))[0]!;
const attributeOf = (...anyValue: number[][]): unknown =>
  decodeOne(field(9, field(1, 'k'), field(2, ...anyValue))).attributes.k;

test('fields in any order, unknown fields, long varints, overridden values and merged messages change nothing', () => {
  fc.assert(
    fc.property(anySpans, fc.integer({ min: 1 }), (spans, seed) => {
      const scrambled = scramble(encodeTraces(spans), { seed, splitHeads: true });
      assert.deepEqual(decodeTraces(scrambled), peerDecode(scrambled));
      assert.deepEqual(decodeTraces(scrambled), spans);
    }),
    { numRuns: 150 },
  );
});

test('the last of several values of a field counts', () => {
  assert.equal(decodeOne(field(5, 'first'), field(5, 'last')).name, 'last');
  assert.equal(decodeOne(varintField(6, 1), varintField(6, 3)).kind, 3);
  assert.equal(decodeOne(fixed64(7, 1n), fixed64(7, 2n)).startTimeUnixNanos, 2n);
  assert.equal(attributeOf(field(1, 'text'), varintField(3, 7)), 7);
  assert.equal(attributeOf(varintField(3, 7), field(1, 'text')), 'text');
});

test('the last of several values of an attribute counts', () => {
  const attribute = (value: number): number[] => field(9, field(1, 'k'), field(2, varintField(3, value)));
  assert.deepEqual(decodeOne(attribute(1), attribute(2)).attributes, bare([['k', 2]]));
});

test('parts of a message are merged', () => {
  const status = decodeOne(field(15, field(2, 'boom')), field(15, varintField(3, 2))).status;
  assert.deepEqual(status, { code: 2, message: 'boom' });
  const one = field(1, varintField(3, 1));
  const two = field(1, varintField(3, 2));
  assert.deepEqual(attributeOf(field(5, one), field(5, two)), [1, 2]);
  const a = field(1, field(1, 'a'), field(2, varintField(3, 1)));
  const b = field(1, field(1, 'b'), field(2, varintField(3, 2)));
  const merged = bare([
    ['a', 1],
    ['b', 2],
  ]);
  assert.deepEqual(attributeOf(field(6, a), field(6, b)), merged);
  const split = decodeOne(field(9, field(1, 'k'), field(2, field(6, a)), field(2, field(6, b)))).attributes.k;
  assert.deepEqual(split, merged);
  // A member of another type in between begins anew.
  assert.deepEqual(attributeOf(field(5, one), field(1, 'x'), field(5, two)), [2]);
});

test('numbers on the wire that no enum has become 0', () => {
  assert.equal(decodeOne(varintField(6, 6)).kind, 0);
  assert.equal(decodeOne([0x30, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]).kind, 0);
  assert.equal(decodeOne(field(15, varintField(3, 3))).status.code, 0);
});

test('strings that differ in one byte are told apart, whatever was decoded before', () => {
  const texts = Array.from(
    { length: 12 },
    (_, index) => `abcdefghijkl${'x'.repeat(index)}Z${'x'.repeat(11 - index)}end`,
  );
  for (const text of [...texts, ...texts]) {
    const [decoded] = decodeTraces(encodeTraces([span({ name: text, attributes: { [text]: text } })]));
    assert.equal(decoded!.name, text);
    assert.deepEqual(decoded!.attributes, bare([[text, text]]));
  }
});

test('an attribute without a key or a value is kept', () => {
  assert.deepEqual(decodeOne(field(9)).attributes, bare([['', null]]));
  assert.deepEqual(decodeOne(field(9, field(1, 'k'))).attributes, bare([['k', null]]));
  assert.equal(attributeOf(), null);
});

test('a parent id of zeros is no parent', () => {
  assert.equal(decodeOne(field(4, Array(8).fill(0))).parentSpanId, '');
  assert.equal(decodeOne(field(4)).parentSpanId, '');
});

test('spans whose ids OTLP calls invalid are refused, or reported and left out', () => {
  const cases: [string, number[][]][] = [
    ['trace id', [IDS[1]!]],
    ['trace id', [field(1, Array(15).fill(1)), IDS[1]!]],
    ['trace id', [field(1, Array(16).fill(0)), IDS[1]!]],
    ['span id', [IDS[0]!]],
    ['span id', [IDS[0]!, field(2, Array(9).fill(1))]],
    ['span id', [IDS[0]!, field(2, Array(8).fill(0))]],
    ['parent span id', [...IDS, field(4, [1])]],
  ];
  for (const [reason, fields] of cases) {
    const request = bytes(field(1, field(2, field(2, ...fields), field(2, ...IDS))));
    assert.throws(() => decodeTraces(request), { code: 'TW_DECODE_INVALID', message: new RegExp(reason) });
    const invalid: InvalidSpan[] = [];
    const spans = decodeTraces(request, { onInvalidSpan: (found) => invalid.push(found) });
    assert.equal(spans.length, 1);
    assert.deepEqual(invalid, [{ reason, where: 'byte 6' }]);
  }
});

test('a field of the wrong wire type is an error, with its offset', () => {
  const wrong: [string, number[]][] = [
    ['name as varint', varintField(5, 1)],
    ['kind as string', field(6, 'x')],
    ['start time as varint', varintField(7, 1)],
    ['end time as 4 bytes', [0x45, 0, 0, 0, 0]],
    ['attributes as 8 bytes', [0x49, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['flags as varint', [0x80, 0x01, 1]],
    ['name as group', [0x2b, 0x2c]],
  ];
  for (const [what, fieldBytes] of wrong) {
    const request = requestOf(...IDS, fieldBytes);
    const expected = { code: 'TW_DECODE_INVALID', message: /at byte \d+: field \d+ has the wire type \d/ };
    for (const read of READERS) assert.throws(() => read(request), expected, what);
  }
});

test('malformed protobuf is an error', () => {
  const malformed: [string, RegExp, number[]][] = [
    ['field number 0', /field number/, [0x02, 0]],
    ['field number 0 before what could be the rest of a key', /field number/, [0x02, 0x01, 0x61]],
    ['wire type 6', /no wire type 6/, [0xa6, 0x06, 0]],
    ['wire type 7', /no wire type 7/, [0xa7, 0x06, 0]],
    ['group that ends before it starts', /never started/, [0xa4, 0x06]],
    ['group that never ends', /never ends/, [0xa3, 0x06, 0x08, 0x01]],
    ['group that ends as another', /never started/, [0xa3, 0x06, 0xac, 0x06]],
    ['varint of 11 bytes', /longer than 10/, [0x50, ...Array(10).fill(0x80), 0x01]],
    ['varint of 70 bits', /64 bits/, [0x50, ...Array(9).fill(0xff), 0x7f]],
    ['varint that is cut', /beyond the end/, [0x50, 0x80]],
    ['varint that is not there', /beyond the end/, [0x50]],
    ['kind that is not there', /beyond the end/, [0x30]],
    ['length that is not there', /beyond the end/, [0x2a]],
    ['key that is cut', /beyond the end/, [0x85]],
    ['length that is cut', /beyond the end/, [0x2a, 0x80]],
    ['length that is too long', /length of 100/, [0x2a, 100, 1]],
    ['length of 2^63', /reaches beyond/, [0x2a, ...Array(9).fill(0x80), 0x01]],
    ['field number beyond 2^29', /field number/, [0xff, 0xff, 0xff, 0xff, 0x7f, 0]],
    ['8 bytes that are cut', /beyond the end/, [0x39, 1, 2, 3]],
    ['4 bytes that are cut', /beyond the end/, [0x85, 0x01, 1, 2, 3]],
  ];
  for (const [what, message, fieldBytes] of malformed) {
    // At the end of the array, and followed by bytes that would do.
    for (const more of [[], field(2, ...IDS)]) {
      const request = bytes(field(1, field(2, field(2, ...IDS, fieldBytes), more)));
      for (const read of READERS) {
        assert.throws(() => read(request), { code: 'TW_DECODE_INVALID', message }, what);
      }
    }
  }
});

test('a malformed attribute is an error wherever it stands', () => {
  const key = field(1, 'k');
  const malformed: [string, number[]][] = [
    ['text longer than its value', field(2, [0x0a, 5, 0x61])],
    ['text shorter than its value', field(2, [0x0a, 1, 0x61, 0x62])],
    ['float of 4 bytes', field(2, [0x21, 0, 0, 0, 0])],
    ['float of 9 bytes', field(2, [0x21, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
    ['integer that is cut', field(2, [0x18, 0x80])],
    ['integer that is not there', field(2, [0x18])],
    ['integer followed by what is no field', field(2, [0x18, 1, 0x07])],
    ['boolean that is not there', field(2, [0x10])],
    ['integer of 11 bytes', field(2, [0x18, ...Array(10).fill(0x80), 0x01])],
    ['value longer than its attribute', [0x12, 9, 0x0a, 1, 0x61]],
    ['value as varint', varintField(2, 1)],
    ['key as varint', varintField(1, 1)],
    ['value whose length takes two bytes and looks like one', [0x12, 0x80 + 2, 0x0a, 0x80]],
    ['array of text', field(2, field(5, varintField(1, 1)))],
  ];
  const good = field(9, key, field(2, varintField(3, 1)));
  for (const [what, value] of malformed) {
    for (const more of [[], good]) {
      const attribute = field(9, key, value);
      const event = field(11, field(3, key, value));
      const link = field(13, field(4, key, value));
      for (const part of [attribute, event, link]) {
        const request = requestOf(...IDS, part, more);
        assert.throws(() => decodeTraces(request), { code: 'TW_DECODE_INVALID' }, what);
        assert.throws(() => validateTraces(request), { code: 'TW_DECODE_INVALID' }, what);
      }
    }
  }
});

test('limits have defaults, hold, and must be sensible', () => {
  const request = encodeTraces([span({ attributes: { list: [1, 2, 3] } })]);
  decodeTraces(request, { maxBytes: request.length });
  for (const run of [decodeTraces, validateTraces]) {
    const refuses = (limits: object, code: string, name: RegExp): void =>
      assert.throws(() => run(request, limits), { code, message: name }, run.name);
    refuses({ maxBytes: request.length - 1 }, 'TW_DECODE_TOO_LARGE', /maxBytes/);
    refuses({ maxDepth: 0 }, 'TW_DECODE_TOO_DEEP', /maxDepth/);
    // a ResourceSpans, a ScopeSpans, a span, two attributes (one of the resource) and three elements
    run(request, { maxItems: 8 });
    refuses({ maxItems: 7 }, 'TW_DECODE_TOO_LARGE', /maxItems/);
    for (const limits of [
      { maxBytes: 2 ** 30 },
      { maxDepth: -1 },
      { maxDepth: 257 },
      { maxBytes: 1.5 },
      { maxItems: Number.NaN },
    ]) {
      assert.throws(() => run(request, limits), RangeError, JSON.stringify(limits));
    }
    assert.throws(() => run('text' as never), TypeError);
  }
});

test('a message of tiny values that would fill the memory is refused at the default limit', () => {
  const events = new Uint8Array(4_000_000);
  for (let at = 0; at < events.length; at += 2) events[at] = 0x5a;
  const head = requestOf(...IDS);
  const ids = head.subarray(head.length - 28);
  const spanBytes = [...varint(ids.length + events.length)];
  const scopeBytes = varint(1 + spanBytes.length + ids.length + events.length);
  const resourceBytes = varint(1 + scopeBytes.length + 1 + spanBytes.length + ids.length + events.length);
  const request = Buffer.concat([
    Uint8Array.of(0x0a, ...resourceBytes, 0x12, ...scopeBytes, 0x12, ...spanBytes),
    ids,
    events,
  ]);
  assert.throws(() => decodeTraces(request), { code: 'TW_DECODE_TOO_LARGE', message: /maxItems/ });
  assert.throws(() => validateTraces(request), { code: 'TW_DECODE_TOO_LARGE', message: /maxItems/ });
});

// Where a key of 0x81 bytes would end, it goes on with the bytes `12 02 18 05`, as a value would.
const LOOKS_LIKE_VALUE = `${'x'.repeat(0x81 - 7)}\x12\x02\x18\x05`;

test('a KeyValue says the same in the form that encoders write and in all others that protobuf allows', () => {
  const key = field(1, 'k');
  const value = (...content: number[]): number[] => field(2, content);
  const cases: [number[], unknown][] = [
    [[...key, ...value(0x10, 1)], true],
    [[...key, ...value(0x10, 0)], false],
    [[...key, ...value(0x10, 0x80, 1)], true],
    [[...key, ...value(0x10, 0x80, 0)], false],
    [[...key, ...value(0x18, 0x7f)], 127],
    [[...key, ...value(0x18, 0x80, 0x01)], 128],
    [[...key, ...value(0x18, 0xff, 0x7f)], 16_383],
    [[...key, ...value(0x18, 0x80, 0x80, 0x01)], 16_384],
    [[...key, ...value(0x18, 0x85, 0x00)], 5],
    [[...key, ...value(0x18, ...Array(9).fill(0xff), 1)], -1],
    [[...key, ...value(0x0a, 0)], ''],
    [[...key, ...value(0x0a, 1, 0x78)], 'x'],
    [[...key, ...value(0x0a, 0x81, 0, 0x78)], 'x'],
    [[0x0a, 0x81, 0, 0x6b, ...value(0x0a, 1, 0x78)], 'x'],
    [[...key, 0x12, 0x83, 0, 0x0a, 1, 0x78], 'x'],
    [[...value(0x0a, 1, 0x78), ...key], 'x'],
    [[...key, ...value(0x0a, 1, 0x78), ...value(0x18, 2)], 2],
    [[...key, ...value(0x0a, 1, 0x78, 0x18, 2)], 2],
    [[...key, ...value(0x18, 2, 0x0a, 1, 0x78)], 'x'],
    [[...key, ...value(0x0a, 1, 0x78), 0x18, 1], 'x'],
    [[...key, ...value(0x10, 1, 0x18, 2)], 2],
    // A length of two bytes, whose first alone would lead to what looks like a value and is text.
    [[0x0a, 0x81, 0, 0x6b, ...value(...field(1, LOOKS_LIKE_VALUE))], LOOKS_LIKE_VALUE],
    [[...key, ...value()], null],
    [[...key], null],
  ];
  for (const [keyValue, expected] of cases) {
    const [decoded] = decodeTraces(requestOf(...IDS, field(9, keyValue)));
    assert.deepEqual({ ...decoded!.attributes }, { k: expected }, Buffer.from(keyValue).toString('hex'));
  }
  const withoutKey = field(9, value(0x0a, 1, 0x78));
  assert.deepEqual({ ...decodeTraces(requestOf(...IDS, withoutKey))[0]!.attributes }, { '': 'x' });
});

test('strings come out right however many of them fall on the same places of the cache', () => {
  const texts = Array.from({ length: 20_000 }, (_, number) => `item-${number % 7000}-${number % 11}`);
  const attributes = Object.fromEntries(texts.map((text) => [text, `${text}!`]));
  const [decoded] = decodeTraces(encodeTraces([span({ attributes })]));
  assert.deepEqual({ ...decoded!.attributes }, attributes);
});
