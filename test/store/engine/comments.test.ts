import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type NewComment, openStore } from '@tracewell/store';
import fc from 'fast-check';
import { decodeComment, encodeComment } from '../../../packages/store/src/comments/comment.ts';
import { span } from '../query/spans.ts';
import { newDirectory } from './directory.ts';

const { traceId, spanId } = span();

test('comments come back oldest first, with the trace, from another process’s view, and after reopening', async (t) => {
  const directory = newDirectory(t);
  const expected = [
    { traceId, author: 'ada', text: 'first', timeUnixNanos: 1n, id: 'b'.repeat(16) },
    { traceId, spanId, author: 'bob', text: 'on the span', timeUnixNanos: 2n, id: 'a'.repeat(16) },
    { traceId, author: 'ada', text: 'same time, larger id', timeUnixNanos: 2n, id: 'c'.repeat(16) },
  ];
  {
    await using store = await openStore(directory);
    await using other = await openStore(directory);
    await store.insertSpans([span()]);
    for (const { timeUnixNanos, ...comment } of [expected[2]!, expected[0]!, expected[1]!]) {
      const added = await other.addComment({ ...comment, time: timeUnixNanos });
      assert.deepEqual(added, { ...comment, timeUnixNanos });
    }
    await store.addComment({ traceId: 'f'.repeat(32), author: 'ada', text: 'elsewhere' });
    assert.deepEqual(await store.getComments(traceId.toUpperCase()), expected);
    assert.deepEqual((await store.getTrace(traceId))?.comments, expected);
    assert.equal((await store.health()).comments, 4);
  }
  await using store = await openStore(directory, { readOnly: true });
  assert.deepEqual(await store.getComments(traceId), expected);
  assert.deepEqual(await store.getComments('e'.repeat(32)), []);
});

test('F21 a comment that is added again under its id counts once', async (t) => {
  await using store = await openStore(newDirectory(t));
  const comment: NewComment = { traceId, author: 'ada', text: 'once', id: '1'.repeat(16), time: 5n };
  await store.addComment(comment);
  await store.addComment(comment);
  assert.equal((await store.getComments(traceId)).length, 1);
});

test('F11 comments of a sealed segment are found by its saved index', async (t) => {
  const directory = newDirectory(t);
  const text = 'x'.repeat(60_000);
  {
    await using store = await openStore(directory, { segmentBytes: 64 << 10 });
    for (let number = 0; number < 8; number++) {
      await store.addComment({ traceId, author: `${number}`, text, time: BigInt(number) });
    }
  }
  const saved = globSync(`${directory}/log/*/*.idx`);
  assert.ok(saved.length >= 3, `${saved.length} index files`);
  assert.ok(saved.every((path) => readFileSync(path).length < 1000));
  await using store = await openStore(directory, { readOnly: true });
  const authors = (await store.getComments(traceId)).map((comment) => comment.author);
  assert.deepEqual(authors, ['0', '1', '2', '3', '4', '5', '6', '7']);
});

test('a comment that is none is refused by name, and nothing of it is stored', async (t) => {
  await using store = await openStore(newDirectory(t));
  const good = { traceId, author: 'ada', text: 'yes' };
  const bad: [object, ErrorConstructor, RegExp][] = [
    [{ ...good, traceId: 5 }, TypeError, /traceId must be a string, got 5/],
    [{ ...good, traceId: 'xyz' }, RangeError, /traceId must be 32 hex digits, got "xyz"/],
    [{ ...good, spanId: 'f' }, RangeError, /spanId must be 16 hex digits/],
    [{ ...good, id: 'g'.repeat(16) }, RangeError, /id must be 16 hex digits/],
    [{ ...good, author: '' }, RangeError, /author must have 1 to 256 characters, got 0/],
    [{ ...good, text: 'x'.repeat(65_537) }, RangeError, /text must have 1 to 65536 characters, got 65537/],
    [{ ...good, text: undefined }, TypeError, /text must be a string, got undefined/],
    [{ ...good, time: -1n }, RangeError, /time must be 0 to 2\^64 - 1 nanoseconds, got -1n/],
    [{ ...good, body: 'x' }, TypeError, /body is no field of comment/],
  ];
  for (const [comment, kind, message] of bad) {
    await assert.rejects(store.addComment(comment as NewComment), (error: Error) => {
      assert.ok(error instanceof kind, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
  await assert.rejects(store.getComments('1'), /getComments: traceId must be 32 hex digits/);
  assert.deepEqual(await store.getComments(traceId), []);
});

test('any text comes back as it went into the log, and other bytes are refused with a code', () => {
  const comment = fc.record({
    id: fc.stringMatching(/^[0-9a-f]{16}$/),
    traceId: fc.constant(traceId),
    author: fc.string({ minLength: 1, unit: 'binary' }),
    text: fc.string({ minLength: 1, unit: 'grapheme' }),
    timeUnixNanos: fc.bigInt(0n, 2n ** 64n - 1n),
  });
  fc.assert(
    fc.property(comment, (one) => assert.deepEqual(decodeComment(encodeComment(one)), { ...one })),
    { numRuns: 200 },
  );
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) =>
      assert.throws(() => decodeComment(bytes), { code: 'TW_DECODE_INVALID' }),
    ),
  );
});
