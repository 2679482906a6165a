import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  countSpans,
  decodeResource,
  decodeScope,
  decodeSpan,
  decodeTraces,
  encodeTraces,
  splitTraces,
  TraceScanner,
  validateTraces,
} from '@tracewell/otlp';
import type { ResourceData, ScopeData, SpanData } from '@tracewell/plugin';
import fc from 'fast-check';
import { anySpans } from './arbitrary-spans.ts';
import { bytes, field, varint, varintField } from './protobuf.ts';
import { scramble } from './scramble.ts';
import { span } from './span.ts';

/** What the scanner says of the span where it stands, in the form of decoded spans. */
function indexed(scanner: TraceScanner): object {
  const { bytes: source } = scanner;
  const hex = (at: number, length: number): string =>
    Buffer.from(source.subarray(at, at + length)).toString('hex');
  const text = (start: number, end: number): string => Buffer.from(source.subarray(start, end)).toString();
  const nanos = (low: number, high: number): bigint => (BigInt(high) << 32n) | BigInt(low);
  return {
    traceId: hex(scanner.traceIdAt, 16),
    spanId: hex(scanner.spanIdAt, 8),
    parentSpanId: scanner.parentIdAt === -1 ? '' : hex(scanner.parentIdAt, 8),
    name: text(scanner.nameStart, scanner.nameEnd),
    kind: scanner.kind,
    statusCode: scanner.statusCode,
    start: nanos(scanner.startLow, scanner.startHigh),
    end: nanos(scanner.endLow, scanner.endHigh),
    serviceName:
      scanner.serviceNameStart === -1 ? undefined : text(scanner.serviceNameStart, scanner.serviceNameEnd),
  };
}

/** The same of a decoded span. */
function expected({ traceId, spanId, parentSpanId, name, kind, ...rest }: SpanData): object {
  const serviceName = rest.resource.attributes['service.name'];
  return {
    traceId,
    spanId,
    parentSpanId,
    name,
    kind,
    statusCode: rest.status.code,
    start: rest.startTimeUnixNanos,
    end: rest.endTimeUnixNanos,
    serviceName: typeof serviceName === 'string' ? serviceName : undefined,
  };
}

/** Decodes with the scanner and the late decoders. */
function lateDecode(scanner: TraceScanner): SpanData[] {
  const { bytes: source } = scanner;
  const spans: SpanData[] = [];
  const resources: ResourceData[] = [];
  const scopes: ScopeData[] = [];
  while (scanner.next()) {
    resources[scanner.resourceNumber] ??= decodeResource(
      source,
      scanner.resourceStart,
      scanner.resourceEnd,
      scanner.resourceSchemaStart,
      scanner.resourceSchemaEnd,
    );
    scopes[scanner.scopeNumber] ??= decodeScope(
      source,
      scanner.scopeStart,
      scanner.scopeEnd,
      scanner.scopeSchemaStart,
      scanner.scopeSchemaEnd,
    );
    const resource = resources[scanner.resourceNumber]!;
    const scope = scopes[scanner.scopeNumber]!;
    spans.push(decodeSpan(source, scanner.spanStart, scanner.spanEnd, resource, scope));
  }
  return spans;
}

test('the scanner says of every span what the decoder says, however it is written', () => {
  const scanner = new TraceScanner();
  fc.assert(
    fc.property(anySpans, fc.integer({ min: 1 }), (spans, seed) => {
      for (const request of [encodeTraces(spans), scramble(encodeTraces(spans), { seed })]) {
        const found: object[] = [];
        scanner.reset(request);
        while (scanner.next()) found.push(indexed(scanner));
        assert.deepEqual(found, decodeTraces(request).map(expected));
        assert.equal(scanner.invalid, 0);
      }
    }),
  );
});

test('what the scanner finds can be decoded later, with its resource and scope', () => {
  const scanner = new TraceScanner();
  fc.assert(
    fc.property(anySpans, fc.integer({ min: 1 }), (spans, seed) => {
      scanner.reset(scramble(encodeTraces(spans), { seed }));
      assert.deepEqual(lateDecode(scanner), spans);
    }),
  );
});

test('a range of a larger buffer is scanned, and nothing around it', () => {
  const request = encodeTraces([span({ name: 'a' }), span({ name: 'b' })]);
  // What surrounds it looks like the beginning and the end of the same request.
  const around = Buffer.concat([request, request, request]);
  const scanner = new TraceScanner();
  scanner.reset(around, request.length, 2 * request.length);
  const names: string[] = [];
  while (scanner.next()) names.push(around.toString('utf8', scanner.nameStart, scanner.nameEnd));
  assert.deepEqual(names, ['a', 'b']);
  assert.equal(scanner.next(), false);
  for (let cut = 1; cut < request.length; cut++) {
    scanner.reset(around, request.length, 2 * request.length - cut);
    assert.throws(
      () => {
        while (scanner.next());
      },
      { code: 'TW_DECODE_INVALID' },
    );
  }
  for (const [start, end] of [
    [-1, 2],
    [3, 2],
    [0, around.length + 1],
    [Number.NaN, 2],
  ]) {
    assert.throws(() => scanner.reset(around, start, end), RangeError);
  }
});

test('numbers tell which spans share a resource and a scope', () => {
  const resource = { ...span().resource, attributes: { other: 1 } };
  const scope = { ...span().scope, name: 'other' };
  const request = encodeTraces([
    span(),
    span(),
    span({ scope }),
    span({ resource }),
    span({ resource, scope }),
  ]);
  const scanner = new TraceScanner();
  scanner.reset(request);
  const numbers: number[][] = [];
  while (scanner.next()) numbers.push([scanner.resourceNumber, scanner.scopeNumber]);
  assert.deepEqual(numbers, [
    [0, 0],
    [0, 0],
    [0, 1],
    [1, 2],
    [1, 3],
  ]);
});

test('spans without a resource or a scope have none from another', () => {
  const ids = [field(1, Array(16).fill(1)), field(2, Array(8).fill(2))];
  const named = encodeTraces([span()]);
  const bare = bytes(field(1, field(2, field(2, ...ids))));
  const scanner = new TraceScanner();
  scanner.reset(Buffer.concat([named, bare]));
  assert.ok(scanner.next());
  assert.notEqual(scanner.serviceNameStart, -1);
  assert.ok(scanner.next());
  assert.deepEqual(
    [scanner.resourceStart, scanner.scopeStart, scanner.serviceNameStart, scanner.resourceSchemaStart],
    [-1, -1, -1, -1],
  );
});

test('the last service.name counts, and only if it is a string', () => {
  const nameOf = (...attributes: number[][]): string | undefined => {
    const ids = [field(1, Array(16).fill(1)), field(2, Array(8).fill(2))];
    const request = bytes(field(1, field(1, ...attributes), field(2, field(2, ...ids))));
    const scanner = new TraceScanner();
    scanner.reset(request);
    assert.ok(scanner.next());
    const found = (indexed(scanner) as { serviceName?: string }).serviceName;
    assert.equal(found, (expected(decodeTraces(request)[0]!) as { serviceName?: string }).serviceName);
    return found;
  };
  const named = (...value: number[][]): number[] => field(1, field(1, 'service.name'), field(2, ...value));
  assert.equal(nameOf(named(field(1, 'a')), named(field(1, 'b'))), 'b');
  assert.equal(nameOf(named(field(1, 'a')), named(varintField(3, 1))), undefined);
  assert.equal(nameOf(named(field(1, 'a')), named()), undefined);
  assert.equal(nameOf(named(field(1, ''))), '');
  assert.equal(nameOf(named(field(1, 'a'), varintField(3, 1))), undefined);
  assert.equal(nameOf(named(varintField(3, 1), field(1, 'a'))), 'a');
  // value before key, in two parts
  assert.equal(nameOf(field(1, field(2, field(1, 'x')), field(1, 'service.name'), field(2))), 'x');
  assert.equal(nameOf(field(1, field(1, 'service.nama'), field(2, field(1, 'x')))), undefined);
});

test('invalid spans are passed over and counted', () => {
  const ids = [field(1, Array(16).fill(1)), field(2, Array(8).fill(2))];
  const request = bytes(
    field(1, field(2, field(2), field(2, ...ids), field(2, ids[0]!), field(2, ...ids, field(4, [1])))),
  );
  const scanner = new TraceScanner();
  scanner.reset(request);
  assert.ok(scanner.next());
  assert.deepEqual([scanner.invalid, scanner.invalidReason], [1, 'trace id']);
  assert.equal(scanner.next(), false);
  assert.deepEqual([scanner.invalid, scanner.invalidReason], [3, 'parent span id']);
  assert.equal(countSpans(request), 4);
  scanner.reset(new Uint8Array());
  assert.deepEqual([scanner.invalid, scanner.invalidReason], [0, undefined]);
});

test('a kind or status that no enum has is 0, and a parent id of zeros is no parent', () => {
  const ids = [field(1, Array(16).fill(1)), field(2, Array(8).fill(2))];
  const odd = [varintField(6, 300), field(15, varintField(3, 300)), field(4, Array(8).fill(0))];
  const scanner = new TraceScanner();
  scanner.reset(bytes(field(1, field(2, field(2, ...ids, ...odd)))));
  assert.ok(scanner.next());
  assert.deepEqual([scanner.kind, scanner.statusCode, scanner.parentIdAt], [0, 0, -1]);
});

test('a span that reaches beyond its scope is an error, though the bytes are there', () => {
  // The length of the span takes two bytes, as most do, and takes in the schema URL, which could be a field of it.
  const attributes = Array.from({ length: 20 }, (_, index) => field(9, field(1, `key-${index}`)));
  const message = [field(1, Array(16).fill(1)), field(2, Array(8).fill(2)), ...attributes].flat();
  const tooLong = [0x12, ...varint(message.length + 8), ...message];
  const request = bytes(field(1, field(2, tooLong), field(3, 'schema')));
  const scanner = new TraceScanner();
  scanner.reset(request);
  assert.throws(() => scanner.next(), { code: 'TW_DECODE_INVALID' });
  assert.throws(() => validateTraces(request), { code: 'TW_DECODE_INVALID' });
});

test('a second resource or scope, which only a decoder can merge, is an error that says so', () => {
  const twoResources = bytes(field(1, field(1), field(1)));
  const twoScopes = bytes(field(1, field(2, field(1), field(1))));
  for (const request of [twoResources, twoScopes]) {
    const scanner = new TraceScanner();
    scanner.reset(request);
    assert.throws(() => scanner.next(), { code: 'TW_DECODE_INVALID', message: /two (resources|scopes)/ });
    assert.throws(() => validateTraces(request), { code: 'TW_DECODE_INVALID', message: /twice/ });
    assert.deepEqual(decodeTraces(request), []);
  }
});

test('a request is counted and split without losing what its spans belong to', () => {
  fc.assert(
    fc.property(anySpans, fc.integer({ min: 1 }), fc.integer({ min: 1, max: 4 }), (spans, seed, maxSpans) => {
      const request = scramble(encodeTraces(spans), { seed });
      assert.equal(countSpans(request), spans.length);
      const batches = splitTraces(request, maxSpans);
      for (const batch of batches) {
        assert.equal(countSpans(batch.bytes), batch.spanCount);
        assert.ok(batch.spanCount <= maxSpans);
      }
      assert.equal(batches.length, Math.max(1, Math.ceil(spans.length / maxSpans)));
      assert.deepEqual(
        batches.flatMap((batch) => decodeTraces(batch.bytes)),
        spans,
      );
    }),
  );
});

test('a request that is small enough is not copied, and invalid spans stay in what is split', () => {
  const request = encodeTraces([span(), span()]);
  assert.equal(splitTraces(request, 2)[0]!.bytes, request);
  const invalid = bytes(field(1, field(2, field(2), field(2), field(2))));
  assert.deepEqual(
    splitTraces(invalid, 2).map(({ spanCount }) => spanCount),
    [2, 1],
  );
  assert.throws(() => splitTraces(request, 0), RangeError);
  assert.throws(() => splitTraces(request, Number.NaN), RangeError);
});

test('scanning allocates nothing per span', {
  skip: globalThis.gc === undefined && 'needs --expose-gc',
}, () => {
  const request = encodeTraces(Array.from({ length: 1000 }, () => span({ attributes: { a: 1, b: 'x' } })));
  const scanner = new TraceScanner();
  const scan = (): number => {
    scanner.reset(request);
    let spans = 0;
    while (scanner.next()) spans++;
    return spans;
  };
  for (let round = 0; round < 50; round++) scan();
  // The engine and the test runner allocate beside us now and then; what the scanner allocates it does each time.
  let bytesPerSpan = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 10; attempt++) {
    globalThis.gc!();
    const before = process.memoryUsage().heapUsed;
    let spans = 0;
    for (let round = 0; round < 100; round++) spans += scan();
    bytesPerSpan = Math.min(bytesPerSpan, (process.memoryUsage().heapUsed - before) / spans);
  }
  assert.ok(bytesPerSpan < 4, `${bytesPerSpan} bytes per span`);
});
