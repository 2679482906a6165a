import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStore } from '@tracewell/store';
import { newDirectory } from '../engine/directory.ts';
import { id } from '../query/spans.ts';

test('the table comments has every comment once', async (t) => {
  const store = await openStore(newDirectory(t), { segmentBytes: 64 * 1024 });
  t.after(() => store.close());
  const traceId = 'a'.repeat(32);
  const text = 'ü'.repeat(10_000);
  for (let i = 0; i < 20; i++) {
    const comment = { traceId, author: 'ada', text: `${i} ${text}`, time: BigInt(i), id: id(i) };
    await store.addComment(comment);
    if (i % 5 === 0) await store.addComment(comment);
  }
  await store.addComment({
    id: id(100),
    traceId: 'b'.repeat(32),
    spanId: id(1),
    author: 'bob',
    text: 'here',
    time: 1_760_000_000_000_000_001n,
  });
  const { rows } = await store.querySql('SELECT * FROM comments ORDER BY time');
  assert.equal(rows.length, 21);
  assert.deepEqual(rows[3], {
    id: id(3),
    trace_id: traceId,
    span_id: null,
    author: 'ada',
    text: `3 ${text}`,
    time: 3n,
  });
  assert.deepEqual(rows[20], {
    id: id(100),
    trace_id: 'b'.repeat(32),
    span_id: id(1),
    author: 'bob',
    text: 'here',
    time: 1_760_000_000_000_000_001n,
  });
});
