import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  countSpans,
  decodeTraces,
  decodeTracesJson,
  encodeTraces,
  encodeTracesJson,
  splitTraces,
  TraceScanner,
  validateTraces,
} from '@tracewell/otlp';
import { TracewellError } from '@tracewell/plugin';
import fc from 'fast-check';
import { bare } from './arbitrary.ts';
import { anySpans } from './arbitrary-spans.ts';
import { bytes, field, varint } from './protobuf.ts';
import { span } from './span.ts';

const IDS = [field(1, Array(16).fill(1)), field(2, Array(8).fill(2))];
const TOO_DEEP = { code: 'TW_DECODE_TOO_DEEP' };

/** A request with a span that has one attribute, `deep`, whose value is given as the bytes of an AnyValue. */
function requestWith(anyValue: readonly number[]): Uint8Array {
  return bytes(field(1, field(2, field(2, ...IDS, field(9, field(1, 'deep'), field(2, anyValue))))));
}

/** Messages within messages, built from the inside out without recursion. */
function nest(levels: number, ...numbers: number[]): Uint8Array {
  const heads: number[][] = [];
  let size = 0;
  for (let level = 0; level < levels; level++) {
    for (const number of numbers) {
      const head = [number * 8 + 2, ...varint(size)].reverse();
      heads.push(head);
      size += head.length;
    }
  }
  return Uint8Array.from(heads.flat().reverse());
}

function drain(scanner: TraceScanner, request: Uint8Array): number {
  scanner.reset(request);
  let spans = 0;
  while (scanner.next()) spans++;
  return spans;
}

test('F36: values nested 10,000 deep are an error, in protobuf and in JSON', () => {
  const arrays = requestWith([...nest(10_000, 1, 5)]);
  const maps = requestWith([...nest(10_000, 2, 1, 6)]);
  for (const request of [arrays, maps]) {
    assert.throws(() => decodeTraces(request), TOO_DEEP);
    assert.throws(() => validateTraces(request), TOO_DEEP);
  }
  const json = (value: string): string =>
    `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"${'1'.repeat(32)}","spanId":"${'1'.repeat(16)}","attributes":[{"key":"deep","value":${value}}]}]}]}]}`;
  const array = `${'{"arrayValue":{"values":['.repeat(10_000)}{}${']}}'.repeat(10_000)}`;
  const map = `${'{"kvlistValue":{"values":[{"value":'.repeat(10_000)}{}${'}]}}'.repeat(10_000)}`;
  const number = `{"intValue":12345678901234567}`;
  for (const value of [array, map, array.replace('{}', number), map.replace('{}', number)]) {
    assert.throws(() => decodeTracesJson(json(value)), TOO_DEEP);
  }
  // Nested as deep in a field that nobody knows, it is nobody's business.
  assert.equal(
    decodeTracesJson(json(`{"stringValue":"x","unknown":${'['.repeat(10_000)}${']'.repeat(10_000)}}`)).length,
    1,
  );
});

test('F36: the limit is exact, the same in protobuf and JSON, and 64 unless told otherwise', () => {
  const nested = (levels: number): never => {
    let value: unknown = 'x';
    for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { value };
    return value as never;
  };
  for (const [limit, options] of [
    [64, {}],
    [3, { maxDepth: 3 }],
    [256, { maxDepth: 256 }],
  ] as const) {
    const fits = [span({ attributes: { deep: nested(limit) } })];
    assert.equal(decodeTraces(encodeTraces(fits), options).length, 1);
    assert.equal(decodeTracesJson(encodeTracesJson(fits), options).length, 1);
    validateTraces(encodeTraces(fits), options);
    if (limit === 256) continue;
    const deeper = [span({ attributes: { deep: nested(limit + 1) } })];
    assert.throws(() => decodeTraces(encodeTraces(deeper), options), TOO_DEEP);
    assert.throws(() => decodeTracesJson(encodeTracesJson(deeper), options), TOO_DEEP);
    assert.throws(() => validateTraces(encodeTraces(deeper), options), TOO_DEEP);
  }
});

test('F36: groups are skipped to a depth of 64 and refused beyond', () => {
  const repeat = (key: number[], times: number): number[] => Array(times).fill(key).flat();
  const request = (depth: number): Uint8Array =>
    bytes(field(1, field(2, field(2, ...IDS, repeat([0xa3, 0x06], depth), repeat([0xa4, 0x06], depth)))));
  const scanner = new TraceScanner();
  for (const run of [decodeTraces, validateTraces, (all: Uint8Array) => drain(scanner, all)]) {
    run(request(64));
    assert.throws(() => run(request(65)), TOO_DEEP);
    assert.throws(() => run(request(10_000)), TOO_DEEP);
  }
});

test('F37: keys that mean something to JavaScript are keys like any other', () => {
  const keys = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', '', '\0', 'a\0b', '0'];
  const value = bare(keys.map((key) => [key, `value of ${key}`]));
  const attributes = { ...value, inner: value };
  Object.defineProperty(attributes, '__proto__', {
    value: Reflect.get(value, '__proto__'),
    enumerable: true,
  });
  const spans = [span({ attributes })];
  for (const decoded of [decodeTraces(encodeTraces(spans)), decodeTracesJson(encodeTracesJson(spans))]) {
    const found = decoded[0]!.attributes;
    assert.equal(Object.getPrototypeOf(found), null);
    assert.equal(Object.getPrototypeOf(found.inner), null);
    for (const key of keys) assert.equal(found[key], `value of ${key}`);
    assert.deepEqual(found.inner, value);
  }
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  const hostile = JSON.parse(
    `{"resourceSpans":[{"__proto__":{"polluted":1},"resource":{"attributes":[{"key":"__proto__","value":{"kvlistValue":{"values":[{"key":"polluted","value":{"boolValue":true}}]}}}]},"scopeSpans":[{"spans":[{"traceId":"${'1'.repeat(32)}","spanId":"${'1'.repeat(16)}"}]}]}]}`,
  ) as object;
  const { resource } = decodeTracesJson(hostile)[0]!;
  assert.deepEqual(Reflect.get(resource.attributes, '__proto__'), bare([['polluted', true]]));
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  // What has no attributes shares an empty object that nobody can change.
  const { attributes: none } = decodeTraces(encodeTraces([span()]))[0]!;
  assert.throws(() => {
    (none as { key?: string }).key = 'x';
  }, TypeError);
});

test('F37: bytes that are not UTF-8 and lone surrogates become U+FFFD', () => {
  const request = bytes(
    field(
      1,
      field(
        2,
        field(
          2,
          ...IDS,
          field(5, [0x61, 0xff, 0x62]),
          field(9, field(1, [0xc0, 0xaf]), field(2, field(1, [0xed, 0xa0, 0x80]))),
        ),
      ),
    ),
  );
  const [decoded] = decodeTraces(request);
  assert.equal(decoded!.name, 'a\ufffdb');
  assert.deepEqual(decoded!.attributes, bare([['\ufffd\ufffd', '\ufffd\ufffd\ufffd']]));
  const texts = ['\ud800', 'a\udc00', `${'x'.repeat(100)}\ud83d`, '\udc00\ud800', '😀\ud83d'];
  for (const text of texts) {
    const spans = [span({ name: text, attributes: { [text]: text }, status: { code: 2, message: text } })];
    for (const [found] of [decodeTraces(encodeTraces(spans)), decodeTracesJson(encodeTracesJson(spans))]) {
      const expected = text.toWellFormed();
      assert.equal(found!.name, expected);
      assert.equal(found!.status.message, expected);
      assert.deepEqual(found!.attributes, bare([[expected, expected]]));
    }
  }
});

test('F37: lone surrogates that JSON escapes become U+FFFD, as the same bytes in protobuf do', () => {
  const json = String.raw`{"resourceSpans":[{"schemaUrl":"\ud800","resource":{"attributes":[{"key":"\ud800","value":{}}]},
    "scopeSpans":[{"scope":{"name":"\udc00"},"spans":[{
      "traceId":"${'01'.repeat(16)}","spanId":"${'02'.repeat(8)}","name":"a\ud800","traceState":"\udc00",
      "attributes":[{"key":"k","value":{"stringValue":"\ud83d\ude00\ud83d"}}],
      "status":{"message":"\udc00\ud800"}}]}]}]}`;
  const decoded = decodeTracesJson(json);
  const [span] = decoded;
  assert.equal(span!.name, 'a\ufffd');
  assert.equal(span!.traceState, '\ufffd');
  assert.equal(span!.scope.name, '\ufffd');
  assert.equal(span!.status.message, '\ufffd\ufffd');
  assert.deepEqual(span!.attributes, bare([['k', '😀\ufffd']]));
  assert.deepEqual(span!.resource.attributes, bare([['\ufffd', null]]));
  assert.deepEqual(decoded, decodeTraces(encodeTraces(decoded)));
});

test('F36: resources and scopes without a span count as items, in every reader', () => {
  const tooMany = { code: 'TW_DECODE_TOO_LARGE', message: /maxItems/ };
  const resources = bytes(field(1), field(1), field(1));
  const scopes = bytes(field(1, field(2), field(2)));
  const json = [{ resourceSpans: [{}, {}, {}] }, { resourceSpans: [{ scopeSpans: [{}, {}] }] }];
  for (const read of [decodeTraces, validateTraces]) {
    for (const request of [resources, scopes]) {
      read(request, { maxItems: 3 });
      assert.throws(() => read(request, { maxItems: 2 }), tooMany);
    }
  }
  for (const request of json) {
    decodeTracesJson(request, { maxItems: 3 });
    assert.throws(() => decodeTracesJson(request, { maxItems: 2 }), tooMany);
  }
});

const anyDamage = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), bit: fc.constant(0) }),
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('remove' as const), at: fc.nat(), bit: fc.constant(0) }),
  fc.record({ kind: fc.constant('repeat' as const), at: fc.nat(), bit: fc.nat(7) }),
);

/** All ways to read a request: each gives a result or an error that says what is wrong, and they agree. */
function readInAllWays(request: Uint8Array): void {
  const attempt = <Result>(read: () => Result): Result | undefined => {
    try {
      return read();
    } catch (error) {
      assert.ok(error instanceof TracewellError, String(error));
      assert.match(error.code, /^TW_DECODE_/);
      return undefined;
    }
  };
  let invalid = 0;
  const decoded = attempt(() => decodeTraces(request, { onInvalidSpan: () => invalid++ }));
  const valid = attempt(() => validateTraces(request) ?? true) === true;
  const scanner = new TraceScanner();
  const scanned = attempt(() => drain(scanner, request));
  attempt(() => countSpans(request));
  attempt(() => splitTraces(request, 1));
  if (!valid) return;
  assert.ok(decoded !== undefined, 'what is valid can be decoded');
  assert.equal(scanned, decoded.length);
  assert.equal(scanner.invalid, invalid);
  assert.equal(countSpans(request), decoded.length + invalid);
  // Whatever was let in survives another round.
  assert.deepEqual(decodeTraces(encodeTraces(decoded)).length, decoded.length);
}

test('F38: damaged requests give a result or a decoding error, the same from every reader', () => {
  fc.assert(
    fc.property(anySpans, fc.array(anyDamage, { minLength: 1, maxLength: 3 }), (spans, damages) => {
      let request = Buffer.from(encodeTraces(spans));
      for (const { kind, at, bit } of damages) {
        if (request.length === 0) break;
        const place = at % request.length;
        if (kind === 'cut') request = request.subarray(0, place);
        else if (kind === 'flip') request[place]! ^= 1 << bit;
        else if (kind === 'remove')
          request = Buffer.concat([request.subarray(0, place), request.subarray(place + 1)]);
        else request = Buffer.concat([request.subarray(0, place + bit), request.subarray(place)]);
      }
      readInAllWays(request);
    }),
    { numRuns: 700 },
  );
});

test('F38: random bytes give a result or a decoding error', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), readInAllWays), { numRuns: 3000 });
  // Bytes that look like protobuf go further: keys of known fields, and lengths that fit.
  const likely = fc.constantFrom(
    0x0a,
    0x12,
    0x1a,
    0x22,
    0x2a,
    0x30,
    0x39,
    0x4a,
    0x5a,
    0x7a,
    0,
    1,
    2,
    4,
    8,
    0x80,
    0xff,
  );
  fc.assert(
    fc.property(fc.array(likely, { maxLength: 60 }), (list) => readInAllWays(Uint8Array.from(list))),
    { numRuns: 3000 },
  );
});

test('F38: every truncation of a request is an error, or ends between two resources', () => {
  const other = { ...span().resource, attributes: { 'service.name': 'other' } };
  const first = encodeTraces([span({ attributes: { a: 1, b: [1, 'x'] } })]);
  const request = Buffer.concat([first, encodeTraces([span({ resource: other })])]);
  for (let length = 0; length < request.length; length++) {
    const cut = request.subarray(0, length);
    if (length === 0 || length === first.length) decodeTraces(cut);
    else assert.throws(() => decodeTraces(cut), { code: 'TW_DECODE_INVALID' }, `${length} bytes`);
  }
});

test('F38: a span that is cut within intact messages is an error to every reader, or to none', () => {
  const scanner = new TraceScanner();
  const whole = encodeTraces([
    span({
      parentSpanId: '1'.repeat(16),
      attributes: { a: 1, b: [1, 'x'] },
      status: { code: 2, message: 'm' },
    }),
  ]);
  scanner.reset(whole);
  assert.ok(scanner.next());
  const message = [...whole.subarray(scanner.spanStart, scanner.spanEnd)];
  const failing = (read: () => unknown): boolean => {
    try {
      read();
      return false;
    } catch (error) {
      assert.ok(error instanceof TracewellError, String(error));
      return true;
    }
  };
  for (let length = 0; length < message.length; length++) {
    for (const more of [[], field(2, ...IDS)]) {
      const request = bytes(field(1, field(2, field(2, message.slice(0, length)), more)));
      const expected = failing(() => validateTraces(request));
      assert.equal(
        failing(() => decodeTraces(request, { onInvalidSpan: () => {} })),
        expected,
        `${length}`,
      );
      assert.equal(
        failing(() => drain(scanner, request)),
        expected,
        `${length}`,
      );
    }
  }
});

test('F38: damaged JSON gives a result or a decoding error', () => {
  const attempt = (json: string | object): void => {
    try {
      decodeTracesJson(json);
    } catch (error) {
      assert.ok(error instanceof TracewellError, `${String(error)} for ${JSON.stringify(json)}`);
      assert.match(error.code, /^TW_DECODE_/);
    }
  };
  fc.assert(
    fc.property(anySpans, fc.nat(), fc.string({ maxLength: 3 }), fc.nat(3), (spans, at, text, removed) => {
      const json = encodeTracesJson(spans);
      const place = at % json.length;
      attempt(json.slice(0, place));
      attempt(json.slice(0, place) + text + json.slice(place + removed));
    }),
    { numRuns: 500 },
  );
  fc.assert(fc.property(fc.json(), attempt), { numRuns: 500 });
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      for (const path of ['resourceSpans', 'resource', 'scopeSpans', 'spans', 'attributes', 'value']) {
        attempt(replaceDeep(path, value));
      }
    }),
    { numRuns: 500 },
  );
});

/** A request in which one field, wherever it stands, holds something else. */
function replaceDeep(name: string, value: unknown): object {
  const plain = encodeTracesJson([span({ attributes: { list: [1], map: { a: 1 } } })]);
  return JSON.parse(plain, (key, original: unknown) => (key === name ? value : original)) as object;
}
