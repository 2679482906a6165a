import assert from 'node:assert/strict';
import { globSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import type { AttributeValue } from '@tracewell/plugin';
import { openStore, type TraceStore } from '@tracewell/store';
import { FAST, NOON, text } from '../cold/answers.ts';
import { newDirectory } from '../engine/directory.ts';
import { id, span } from '../query/spans.ts';

const TRACE = id(7) + id(1);

/** A span with attributes. */
function spanWith(attributes: Readonly<Record<string, AttributeValue>>, number = 1) {
  const startTimeUnixNanos = NOON + BigInt(number);
  return span({
    service: 'chat',
    traceId: TRACE,
    spanId: id(number),
    name: 'chat model',
    startTimeUnixNanos,
    endTimeUnixNanos: startTimeUnixNanos + 5n,
    attributes,
  });
}

const blobsIn = (directory: string): string[] => globSync(`${directory}/blobs/*/*/*`);

async function spansOf(store: TraceStore): Promise<string> {
  return text((await store.getTrace(TRACE))?.spans);
}

test('a large attribute leaves the row for a blob, and comes back with it', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(directory, FAST);
  const prompt = 'Tell me a story. '.repeat(1000);
  await store.insertSpans([spanWith({ 'gen_ai.prompt': prompt, small: 'x' })]);
  const before = await spansOf(store);
  await store.compact();
  assert.equal(blobsIn(directory).length, 1);
  assert.equal(await spansOf(store), before);
  rmSync(blobsIn(directory)[0]!);
  const [left] = (await store.getTrace(TRACE))!.spans;
  assert.equal(left!.attributes['gen_ai.prompt'], prompt.slice(0, 256));
});
