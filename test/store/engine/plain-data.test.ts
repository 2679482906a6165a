import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStore } from '@tracewell/store';
import { gauge, log, numberPoint } from '../../otlp/plain.ts';
import { span } from '../../otlp/span.ts';
import { newDirectory } from './directory.ts';

test('an insert of plain data that is wrong is a rejection that names record and field, and stores nothing', async (t) => {
  await using store = await openStore(newDirectory(t));
  const wrong = numberPoint({ value: '1' as never });
  const cases: [insert: () => Promise<unknown>, message: string][] = [
    [() => store.insertSpans([span(), null as never]), 'spans[1] must be an object, got null'],
    [() => store.insertSpans([{ name: 5 } as never]), 'spans[0].resource must be an object, got undefined'],
    [
      () => store.insertSpans([span(), span(), span(), span({ name: 5 as never })]),
      'spans[3].name must be a string, got 5',
    ],
    [
      () => store.insertLogs([log(), log({ flags: '1' as never })]),
      'logs[1].flags must be a number, got "1"',
    ],
    [
      () => store.insertMetrics([gauge({ points: [numberPoint(), wrong] })]),
      'metrics[0].points[1].value must be a number, a bigint or a Double, got "1"',
    ],
  ];
  for (const [insert, message] of cases) await assert.rejects(insert, { name: 'TypeError', message });
  assert.deepEqual((await store.queryTraces()).spans, []);
  assert.deepEqual((await store.queryLogs()).logs, []);
  assert.deepEqual((await store.queryMetrics()).series, []);
});
