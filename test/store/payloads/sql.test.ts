import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { openStore } from '@tracewell/store';
import { FAST } from '../cold/answers.ts';
import { newDirectory } from '../engine/directory.ts';
import { log } from '../query/logs.ts';
import { id, span } from '../query/spans.ts';

const sha256 = (contents: string | Uint8Array): string => createHash('sha256').update(contents).digest('hex');

test('SQL has the typed part of GenAI spans, under present and earlier names', async (t) => {
  await using store = await openStore(newDirectory(t), FAST);
  await store.insertSpans([
    span({
      spanId: id(1),
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'model-x',
        'gen_ai.response.model': 'model-x-2026',
        'gen_ai.usage.input_tokens': 12,
        'gen_ai.usage.output_tokens': 5_000_000_000,
      },
    }),
    span({
      spanId: id(2),
      attributes: {
        'gen_ai.system': 'anthropic',
        'gen_ai.provider.name': '',
        'gen_ai.request.model': 'model-y',
        'gen_ai.usage.prompt_tokens': '7',
        'gen_ai.usage.completion_tokens': 'many',
      },
    }),
    span({ spanId: id(3) }),
  ]);
  const columns = ['operation', 'provider', 'model', 'input_tokens', 'output_tokens'].map(
    (name) => `gen_ai_${name}`,
  );
  const ask = async () => {
    const { rows } = await store.querySql(`SELECT ${columns.join(', ')} FROM spans ORDER BY span_id`);
    return rows.map((row) => columns.map((column) => row[column]));
  };
  const expected = [
    ['chat', 'openai', 'model-x-2026', 12n, 5_000_000_000n],
    [null, 'anthropic', 'model-y', 7n, null],
    [null, null, null, null, null],
  ];
  assert.deepEqual(await ask(), expected);
  await store.compact();
  assert.deepEqual(await ask(), expected);
});

test('SQL has the beginnings of large values, the same hot and cold, and the names that fetch them', async (t) => {
  await using store = await openStore(newDirectory(t), FAST);
  const prompt = 'Erzähl mir etwas. '.repeat(1000);
  const image = new Uint8Array(20_000).fill(3);
  const body = { messages: ['x'.repeat(9000)] };
  await store.insertSpans([
    span({ spanId: id(1), attributes: { prompt, image } }),
    span({ spanId: id(2), attributes: { prompt: 'short' } }),
  ]);
  await store.insertLogs([log({ body, attributes: { prompt } })]);
  const ask = async () => {
    const { rows } = await store.querySql(
      `SELECT attributes['prompt'] AS prompt, attributes['image'] AS image, payloads FROM spans ORDER BY span_id`,
    );
    const logs = await store.querySql(`SELECT body, attributes['prompt'] AS prompt, payloads FROM logs`);
    return [...rows, ...logs.rows];
  };
  const before = await ask();
  await store.compact();
  const after = await ask();
  assert.deepEqual(after, before);
  const [large, small, record] = after;
  assert.equal(large!.prompt, prompt.slice(0, 256));
  assert.equal(large!.image, Buffer.from(image.subarray(0, 192)).toString('base64'));
  assert.deepEqual([...(large!.payloads as string[])].sort(), [sha256(prompt), sha256(image)].sort());
  assert.deepEqual(small, { prompt: 'short', image: null, payloads: [] });
  assert.equal(record!.body, JSON.stringify(body).slice(0, 256));
  const names = record!.payloads as string[];
  assert.equal(names.length, 2);
  const texts = await Promise.all(
    names.map(async (name) => Buffer.from(await store.getBlob(name)).toString()),
  );
  assert.ok(texts.includes(prompt) && texts.some((text) => text.includes('x'.repeat(9000))));
});
