import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Attributes, Double } from '@tracewell/plugin';
import { genAiOf, openStore, type StoreOptions } from '@tracewell/store';
import { newDirectory } from '../engine/directory.ts';
import { span } from '../query/spans.ts';

const PRICES = {
  'model-x': { inputPerMillion: 1, outputPerMillion: 10 },
  'model-*': { inputPerMillion: 2, outputPerMillion: 20, cachedInputPerMillion: 0.5 },
  '*': { inputPerMillion: 3, outputPerMillion: 30 },
};

test('the present names and those before them say the same', () => {
  const now: Attributes = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'acme',
    'gen_ai.request.model': 'model-x',
    'gen_ai.response.model': 'model-x-2',
    'gen_ai.usage.input_tokens': 100,
    'gen_ai.usage.output_tokens': 20,
    'gen_ai.response.finish_reasons': ['stop', 'length'],
    'gen_ai.response.time_to_first_chunk': 0.25,
  };
  const before: Attributes = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.system': 'acme',
    'gen_ai.request.model': 'model-x',
    'gen_ai.response.model': 'model-x-2',
    'gen_ai.usage.prompt_tokens': 100n,
    'gen_ai.usage.completion_tokens': '20',
    'gen_ai.response.finish_reasons': ['stop', 'length'],
    'gen_ai.server.time_to_first_token': new Double(0.25),
  };
  const expected = {
    spanId: span().spanId,
    operation: 'chat',
    provider: 'acme',
    model: 'model-x-2',
    inputTokens: 100,
    outputTokens: 20,
    timeToFirstTokenMs: 250,
    finishReasons: ['stop', 'length'],
  };
  assert.deepEqual(genAiOf(span({ attributes: now })), expected);
  assert.deepEqual(genAiOf(span({ attributes: before })), expected);
});

test('a span of something else has no such part; one that says little has little', () => {
  assert.equal(
    genAiOf(span({ attributes: { 'http.route': '/', 'gen_ai.usage.input_tokens': 5 } })),
    undefined,
  );
  assert.deepEqual(
    genAiOf(span({ attributes: { 'gen_ai.tool.name': 'search', 'gen_ai.operation.name': 'execute_tool' } })),
    {
      spanId: span().spanId,
      operation: 'execute_tool',
      provider: '',
      model: '',
      finishReasons: [],
      tool: 'search',
    },
  );
});

test('what a call cost is what the span says, or else what the prices of its model come to', () => {
  const call = (model: string, more: Attributes = {}) =>
    genAiOf(
      span({
        attributes: {
          'gen_ai.request.model': model,
          'gen_ai.usage.input_tokens': 1_000_000,
          'gen_ai.usage.output_tokens': 100_000,
          ...more,
        },
      }),
      PRICES,
    );
  const cost = (...of: Parameters<typeof call>) => [call(...of)?.cost, call(...of)?.costSource];
  assert.deepEqual(cost('model-x'), [2, 'prices'], 'its own name before a pattern');
  assert.deepEqual(cost('model-y'), [4, 'prices'], 'the longest pattern');
  assert.deepEqual(cost('other'), [6, 'prices']);
  assert.deepEqual(cost('model-y', { 'gen_ai.usage.cache_read.input_tokens': 400_000 }), [3.4, 'prices']);
  assert.deepEqual(cost('model-x', { 'gen_ai.usage.cost': 0.5 }), [0.5, 'span']);
  assert.deepEqual(
    genAiOf(span({ attributes: { 'gen_ai.request.model': 'model-x' } }), PRICES)?.cost,
    undefined,
  );
  assert.equal(genAiOf(span({ attributes: { 'gen_ai.request.model': 'toString' } }), {})?.cost, undefined);
});

test('values that are no numbers are no tokens', () => {
  for (const value of ['', 'many', -1, new Double(Number.NaN), [5], true]) {
    const found = genAiOf(
      span({ attributes: { 'gen_ai.request.model': 'm', 'gen_ai.usage.input_tokens': value } }),
    );
    assert.equal(found?.inputTokens, undefined, String(value));
  }
});

test('a trace brings the typed parts of its spans, priced with the table of the store', async (t) => {
  await using store = await openStore(newDirectory(t), { genAiPrices: PRICES });
  const attributes = { 'gen_ai.request.model': 'model-x', 'gen_ai.usage.output_tokens': 100_000 };
  await store.insertSpans([span(), span({ spanId: 'a'.repeat(16), attributes })]);
  const trace = await store.getTrace(span().traceId);
  assert.deepEqual(
    trace?.genAi.map(({ spanId, cost }) => [spanId, cost]),
    [['a'.repeat(16), 1]],
  );
});

test('a price table that is none is refused by name', async (t) => {
  const directory = newDirectory(t);
  const bad: [unknown, RegExp][] = [
    [5, /openStore: genAiPrices must be an object, got 5/],
    [{ m: 5 }, /genAiPrices\["m"\] must be an object, got 5/],
    [
      { m: { inputPerMillion: -1, outputPerMillion: 1 } },
      /genAiPrices\["m"\]\.inputPerMillion must be a number from 0 on, got -1/,
    ],
    [
      { m: { inputPerMillion: 1 } },
      /genAiPrices\["m"\]\.outputPerMillion must be a number from 0 on, got undefined/,
    ],
  ];
  for (const [genAiPrices, message] of bad) {
    await assert.rejects(openStore(directory, { genAiPrices } as StoreOptions), message);
  }
});
