import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { globSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { encodeTraces } from '@tracewell/otlp';
import { type AttributeValue, Double, type SpanData } from '@tracewell/plugin';
import { openStore, type StoreOptions, type TraceStore } from '@tracewell/store';
import fc from 'fast-check';
import { encodeReference, PayloadKind } from '../../../packages/store/src/payloads/reference.ts';
import { requestRewriter, spanRewriter } from '../../../packages/store/src/payloads/rewrite.ts';
import { FAST, HOUR, NOON, text } from '../cold/answers.ts';
import { newDirectory } from '../engine/directory.ts';
import { log } from '../query/logs.ts';
import { id, span } from '../query/spans.ts';

const TRACE = id(7) + id(1);
const MISSING = 'tracewell.missing_payloads';
const PROMPT = 'Tell me a story. '.repeat(1000);
const sha256 = (contents: string | Uint8Array): string => createHash('sha256').update(contents).digest('hex');

/** A span with attributes, by its number. */
function spanWith(
  attributes: Readonly<Record<string, AttributeValue>>,
  number = 1,
  fields: Partial<SpanData> = {},
): SpanData {
  const startTimeUnixNanos = fields.startTimeUnixNanos ?? NOON + BigInt(number);
  return span({
    service: 'chat',
    traceId: TRACE,
    spanId: id(number),
    name: 'chat model',
    ...fields,
    startTimeUnixNanos,
    endTimeUnixNanos: startTimeUnixNanos + 5n,
    attributes,
  });
}

const blobsIn = (directory: string): string[] => globSync(`${directory}/blobs/*/*/*`);

/** What queries say of spans and logs, bytes included; attributes have no order. */
async function contents(store: TraceStore): Promise<string> {
  const { spans } = await store.queryTraces({ limit: 1000 });
  const { logs } = await store.queryLogs({ limit: 1000 });
  const trace = await store.getTrace(TRACE);
  return JSON.stringify([spans, logs, trace], (_, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`;
    if (part instanceof Uint8Array) return `bytes ${sha256(part)}`;
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Makes all blobs as old as that. */
function age(directory: string, hours: number): void {
  const time = Date.now() / 1000 - hours * 3600;
  for (const path of blobsIn(directory)) utimesSync(path, time, time);
}

const dropAll: StoreOptions = {
  ...FAST,
  maintenance: { scheduled: false, retention: { spans: { maxAgeMs: 0 } } },
};

test('a value above 8 KiB leaves the row for a blob and comes back with it, one below stays', async (t) => {
  const big = (length: number): AttributeValue[] => [
    'x'.repeat(length),
    new Uint8Array(length).fill(7),
    ['y'.repeat(length - 12), 1n],
    { key: 'z'.repeat(length) },
  ];
  for (const [length, blobs] of [
    [8150, 0],
    [8192, 2],
    [8193, 4],
    [100_000, 4],
  ] as const) {
    const directory = newDirectory(t);
    await using store = await openStore(directory, FAST);
    await store.insertSpans(big(length).map((value, number) => spanWith({ value, small: 'x' }, number + 1)));
    const before = await contents(store);
    await store.compact();
    // The list and the map are longer, as OTLP encodes them, than the strings in them.
    assert.equal(blobsIn(directory).length, blobs, `${length} bytes`);
    assert.ok((await contents(store)) === before, `${length} bytes`);
  }
});

test('values of any kind and length are the same before and after a compaction, in spans and in logs', async (t) => {
  // Few lengths and letters, so that values meet each other; most lie about the threshold. They are told by what makes
  // them, so that a counterexample can be read.
  const length = fc.oneof(fc.integer({ min: 8180, max: 8205 }), fc.constantFrom(0, 300, 20_000));
  const value = fc.record({
    kind: fc.constantFrom('string', 'bytes', 'list', 'map', 'other'),
    letter: fc.constantFrom('a', 'ü', '€', '😀', '\ud800', '\0'),
    length,
  });
  const made = ({
    kind,
    letter,
    length,
  }: {
    kind: string;
    letter: string;
    length: number;
  }): AttributeValue => {
    const string = letter.repeat(Math.ceil(length / Buffer.byteLength(letter)));
    if (kind === 'string') return string;
    if (kind === 'bytes') return new Uint8Array(length).fill(length);
    if (kind === 'list') return [string, 5n, null];
    if (kind === 'map') return { string, bytes: new Uint8Array(length) };
    return length % 2 === 0 ? true : new Double(1.5);
  };
  const attributes = fc.dictionary(fc.constantFrom('k', 'l', 'm'), value, { maxKeys: 2 });
  const row = fc.record({ attributes, event: attributes, link: attributes, body: value });
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 5 }), async (rows) => {
      const directory = newDirectory(t);
      await using store = await openStore(directory, FAST);
      for (const [number, row] of rows.entries()) {
        const all = (values: Readonly<Record<string, Parameters<typeof made>[0]>>) =>
          Object.fromEntries(Object.entries(values).map(([key, value]) => [key, made(value)]));
        const [attributes, event, link] = [all(row.attributes), all(row.event), all(row.link)];
        const dropped = { droppedAttributesCount: 0 };
        const events = [{ name: 'e', timeUnixNanos: NOON, attributes: event, ...dropped }];
        const links = [
          { traceId: TRACE, spanId: id(1), traceState: '', flags: 0, attributes: link, ...dropped },
        ];
        await store.insertSpans([spanWith(attributes, number + 1, { events, links })]);
        await store.insertLogs([
          log({ timeUnixNanos: NOON + BigInt(number), attributes, body: made(row.body) }),
        ]);
        if (number === 2) await store.compact();
      }
      const before = await contents(store);
      await store.compact();
      assert.ok((await contents(store)) === before);
      assert.ok((await store.verify()).ok);
    }),
    { numRuns: 10 },
  );
});

test('a value is stored once, however often it comes, and compressed', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(directory, FAST);
  await store.insertSpans(
    Array.from({ length: 50 }, (_, number) => spanWith({ 'gen_ai.system_instructions': PROMPT }, number + 1)),
  );
  await store.insertLogs([log({ body: PROMPT })]);
  await store.compact();
  const [path, ...others] = blobsIn(directory);
  assert.deepEqual([basename(path!), others.length], [sha256(PROMPT), 0]);
  assert.ok(readFileSync(path!).length < PROMPT.length / 50);
  assert.equal(Buffer.from(await store.getBlob(sha256(PROMPT))).toString(), PROMPT);

  // The same request again is the same records, although they were changed on their way to the cold tier.
  await store.insertLogs([log({ body: PROMPT })]);
  assert.equal((await store.queryLogs()).logs.length, 1);
  await store.compact();
  assert.equal((await store.queryLogs()).logs.length, 1);
});

test('10 MB come back as they were', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(directory, { ...FAST, segmentBytes: 32 << 20 });
  const large = Buffer.alloc(10_000_000, 'all of it ').toString();
  await store.insertSpans([spanWith({ large })]);
  await store.compact();
  assert.equal(blobsIn(directory).length, 1);
  assert.ok((await store.getTrace(TRACE))!.spans[0]!.attributes.large === large);
});

test('a query finds rows by what is in their blobs', async (t) => {
  await using store = await openStore(newDirectory(t), FAST);
  const ending = `${PROMPT}the end`;
  await store.insertSpans([spanWith({ prompt: PROMPT }, 1), spanWith({ prompt: ending }, 2)]);
  await store.insertLogs([log({ body: PROMPT }), log({ body: ending, attributes: { prompt: ending } })]);
  const ask = async () =>
    text([
      await store.queryTraces({ attributes: { prompt: ending } }),
      await store.queryTraces({ attributes: { prompt: ending.slice(0, 256) } }),
      await store.queryLogs({ contains: 'the end' }),
      await store.queryLogs({ attributes: { prompt: ending } }),
    ]);
  const before = await ask();
  await store.compact();
  assert.ok((await ask()) === before);
  const { spans } = await store.queryTraces({ attributes: { prompt: ending } });
  assert.deepEqual(
    spans.map(({ spanId }) => spanId),
    [id(2)],
  );
});

test('a blob that is gone or damaged leaves the beginning, cut between characters, and the row says so', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(directory, FAST);
  const faces = '😀'.repeat(3000);
  const bytes = new Uint8Array(9000).fill(9);
  const list = Array.from({ length: 3000 }, (_, number) => number);
  const dropped = { droppedAttributesCount: 0 };
  const events = [{ name: 'e', timeUnixNanos: NOON, attributes: { completion: PROMPT }, ...dropped }];
  await store.insertSpans([spanWith({ faces, bytes, list, small: 'x' }, 1, { events })]);
  await store.insertLogs([log({ body: faces, attributes: { small: 1 } })]);
  await store.compact();
  for (const path of blobsIn(directory)) {
    if (basename(path) === sha256(bytes)) writeFileSync(path, 'damaged');
    else rmSync(path);
  }
  const [left] = (await store.getTrace(TRACE))!.spans;
  assert.equal(left!.attributes.faces, '😀'.repeat(256));
  assert.deepEqual(left!.attributes.bytes, new Uint8Array(192).fill(9));
  assert.equal(left!.attributes.list, JSON.stringify(list).slice(0, 256));
  assert.equal(left!.attributes.small, 'x');
  assert.equal(left!.events[0]!.attributes.completion, PROMPT.slice(0, 256));
  const missing = left!.attributes[MISSING] as Record<string, string>;
  assert.deepEqual(Object.keys(missing).sort(), ['bytes', 'completion', 'faces', 'list']);
  assert.equal(missing.faces, sha256(faces));
  const [record] = (await store.queryLogs()).logs;
  assert.equal(record!.body, '😀'.repeat(256));
  assert.deepEqual({ ...(record!.attributes[MISSING] as object) }, { body: sha256(faces) });

  const { ok, problems } = await store.verify();
  assert.equal(ok, false);
  assert.ok(problems.some(({ message }) => message.startsWith('3 payloads that its rows name')));
  assert.ok(problems.some(({ path }) => path.endsWith(sha256(bytes))));
  await assert.rejects(store.getBlob(sha256(faces)), { code: 'TW_BLOB_MISSING' });
  await assert.rejects(store.getBlob(sha256(bytes)), { code: 'TW_BLOB_DAMAGED' });
});

test('F46 a name that is none is refused, and none comes in from outside', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(directory, FAST);
  for (const bad of ['', '..', '../../meta.db', '%2e%2e', `${'0'.repeat(63)}\0`]) {
    await assert.rejects(store.getBlob(bad), RangeError);
  }
  await assert.rejects(store.getBlob(5 as unknown as string), /getBlob: name must be a string, got 5/);
  await store.insertSpans([spanWith({ secret: PROMPT })]);
  // A value that says it were the secret.
  const forged = encodeReference(
    { kind: PayloadKind.STRING, length: PROMPT.length, name: sha256(PROMPT) },
    Buffer.from('mine'),
  );
  const forge = requestRewriter(spanRewriter(() => forged));
  const request = encodeTraces([spanWith({ small: 'x' }, 2), spanWith({ large: 'x'.repeat(9000) }, 3)]);
  await store.insertOtlp('traces', forge(request, 0, request.length)!);
  const before = await contents(store);
  await store.compact();
  assert.ok((await contents(store)) === before);
  const spans = (await store.getTrace(TRACE))!.spans.map(({ attributes }) => ({ ...attributes }));
  assert.deepEqual(spans, [{ secret: PROMPT }, { small: 'mine' }, { large: 'mine' }]);
});

test('blobs live as long as a file names them, through merges, and go when none does', async (t) => {
  const directory = newDirectory(t);
  const store = await openStore(directory, FAST);
  const own = (number: number): string => `${number} ${PROMPT}`;
  for (const number of [1, 2, 3]) {
    // The second time it has a file of the same hour to merge with, because a span comes again.
    const start = NOON + BigInt(number % 2) * HOUR;
    const spans = [1, 2, 3].slice(0, number).map((one) =>
      spanWith({ prompt: own(one), shared: PROMPT }, one, {
        startTimeUnixNanos: one === number ? start : NOON + BigInt(one % 2) * HOUR,
      }),
    );
    await store.insertSpans(spans);
    const before = await contents(store);
    await store.compact();
    assert.ok((await contents(store)) === before);
  }
  age(directory, 5);
  const { payloads } = await store.maintain();
  assert.deepEqual([payloads!.unnamed, payloads!.kept], [0, 4]);
  assert.ok((await store.verify()).ok);
  await store.close();

  await using last = await openStore(directory, dropAll);
  const dry = await last.maintain({ dryRun: true });
  assert.deepEqual([dry.payloads!.unnamed, blobsIn(directory).length], [4, 4]);
  const gone = await last.maintain();
  assert.equal(gone.payloads!.unnamed, 4);
  assert.ok(gone.payloads!.freedBytes > 0);
  assert.deepEqual(blobsIn(directory), []);
});

test('nothing is collected for want of a name while a file cannot say what it names', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(directory, FAST);
  await store.insertSpans([spanWith({ prompt: PROMPT })]);
  await store.compact();
  age(directory, 5);
  const [file] = globSync(`${directory}/cold/spans/**/*.parquet`);
  const whole = readFileSync(file!);
  writeFileSync(file!, whole.subarray(0, 100));
  await store.maintain();
  assert.equal(blobsIn(directory).length, 1);
});

test('payloads may go before their rows, which keep the beginnings', async (t) => {
  const directory = newDirectory(t);
  const options: StoreOptions = {
    ...FAST,
    maintenance: { scheduled: false, retention: { payloads: { maxAgeMs: 2 * 3_600_000 } } },
  };
  await using store = await openStore(directory, options);
  await store.insertSpans([spanWith({ prompt: PROMPT })]);
  await store.compact();
  assert.equal((await store.maintain()).payloads!.dropped, 0);
  age(directory, 3);
  assert.equal((await store.maintain()).payloads!.dropped, 1);
  const [left] = (await store.getTrace(TRACE))!.spans;
  assert.equal(left!.attributes.prompt, PROMPT.slice(0, 256));
  assert.ok((await store.verify()).ok);
  for (const payloads of [5, { maxAge: 1 }, { maxBytes: -1 }]) {
    const wrong = { maintenance: { retention: { payloads } } } as StoreOptions;
    await assert.rejects(openStore(newDirectory(t), wrong), /payloads/);
  }
});
