import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeTraces, encodeTracesJson, type LogData } from '@tracewell/otlp';
import type { SpanData } from '@tracewell/plugin';
import { fileExporter } from '@tracewell/sdk';
import { type ExportFileOptions, openStore, type TraceStore } from '@tracewell/store';
import fc from 'fast-check';
import { newDirectory } from '../engine/directory.ts';
import { arbitrarySpan, id, resourceOf, span } from '../query/spans.ts';

async function allSpans(store: TraceStore): Promise<unknown[]> {
  const spans: SpanData[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.queryTraces({ limit: 1000, cursor });
    spans.push(...page.spans);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return spans.map((one) =>
    JSON.parse(JSON.stringify(one, (_, part) => (typeof part === 'bigint' ? `${part}n` : part))),
  );
}

test('what one store exports another imports, the same in every field, and once if twice', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(join(directory, 'from'), { durability: 'none' });
  await fc.assert(
    fc.asyncProperty(fc.array(arbitrarySpan, { maxLength: 40 }), async (spans) => {
      await store.insertSpans(spans);
    }),
    { numRuns: 40 },
  );
  const file = join(directory, 'spans.jsonl');
  const steps: number[] = [];
  const { rows, bytes } = await store.export(file, { onProgress: (progress) => steps.push(progress.rows) });
  assert.equal(rows, (await store.health()).signals.traces.count);
  assert.equal(bytes, statSync(file).size);
  assert.equal(steps.at(-1), rows);

  await using copy = await openStore(join(directory, 'to'), { durability: 'none' });
  const imported = await copy.import(file);
  assert.deepEqual([imported.accepted, imported.rejected, imported.rejectedLines], [rows, 0, 0]);
  await copy.import(file);
  assert.deepEqual(await allSpans(copy), await allSpans(store));
});

test('log records go the same way', async (t) => {
  const directory = newDirectory(t);
  const log = (number: number): LogData => ({
    timeUnixNanos: 1_000n + BigInt(number),
    observedTimeUnixNanos: 0n,
    severityNumber: 9,
    severityText: 'INFO',
    body: `message ${number}`,
    attributes: { number },
    droppedAttributesCount: 0,
    flags: 0,
    traceId: '',
    spanId: '',
    eventName: '',
    resource: resourceOf('shop'),
    scope: span().scope,
  });
  await using store = await openStore(join(directory, 'from'));
  await store.insertLogs(Array.from({ length: 1200 }, (_, number) => log(number)));
  const file = join(directory, 'logs.jsonl');
  assert.equal((await store.export(file, { signal: 'logs' })).rows, 1200);
  await using copy = await openStore(join(directory, 'to'));
  const { accepted, lines } = await copy.import(file);
  assert.deepEqual([accepted, lines], [1200, 3]);
  const { logs } = await copy.queryLogs({ limit: 2 });
  assert.deepEqual(
    logs.map((one) => one.body),
    ['message 1199', 'message 1198'],
  );
});

test('a service and a window narrow it down', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(join(directory, 'store'));
  await store.insertSpans(
    Array.from({ length: 10 }, (_, number) =>
      span({
        spanId: id(number + 1),
        startTimeUnixNanos: BigInt(number),
        service: number % 2 === 0 ? 'shop' : 'pay',
      }),
    ),
  );
  const rows = async (options: ExportFileOptions) =>
    (await store.export(join(directory, 'x.jsonl'), { ...options, overwrite: true })).rows;
  assert.equal(await rows({}), 10);
  assert.equal(await rows({ service: 'pay' }), 5);
  assert.equal(await rows({ startTime: 3n, endTime: 7n }), 4);
  assert.equal(await rows({ service: 'nobody' }), 0);
});

test('what the file exporter wrote can be imported', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(join(directory, 'store'));
  const file = join(directory, 'exported.jsonl');
  const exporter = fileExporter(file);
  await exporter.export({ bytes: encodeTraces([span()]), spanCount: 1 });
  assert.equal((await store.import(file)).accepted, 1);
  assert.equal((await store.getTrace(span().traceId))?.spans.length, 1);
});

test('lines that are no requests are left out, counted and explained; the others are stored', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(join(directory, 'store'));
  const file = join(directory, 'mixed.jsonl');
  const good = (number: number) => encodeTracesJson([span({ spanId: id(number) })]);
  const bad = JSON.stringify({
    resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: 'xyz', spanId: id(9) }] }] }],
  });
  writeFileSync(
    file,
    [good(1), 'no json', '', '{"resourceSpams":[]}', good(2), bad, `${good(3)}\r`, good(4).slice(0, 50)].join(
      '\n',
    ),
  );
  const { reasons, ...counts } = await store.import(file);
  assert.deepEqual(counts, { lines: 7, accepted: 3, rejected: 0, rejectedLines: 4 });
  assert.equal(reasons.length, 4);
  assert.match(reasons[0]!, /^line 2: .*JSON/);
  assert.match(reasons[1]!, /^line 4: it has no resourceSpans or resourceLogs/);
  assert.equal((await store.health()).signals.traces.count, 3);
});

test('a line that is too long costs no memory, and the next one is read', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(join(directory, 'store'));
  const file = join(directory, 'long.jsonl');
  writeFileSync(file, `${'x'.repeat(33 * 1024 * 1024)}\n${encodeTracesJson([span()])}`);
  const { accepted, rejectedLines, reasons } = await store.import(file);
  assert.deepEqual([accepted, rejectedLines], [1, 1]);
  assert.match(reasons[0]!, /line 1: it has more than/);
});

test('an export replaces nothing unasked, and leaves nothing half written', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(join(directory, 'store'));
  await store.insertSpans([span()]);
  const file = join(directory, 'spans.jsonl');
  writeFileSync(file, 'precious');
  await assert.rejects(store.export(file), { code: 'TW_TRANSFER_FAILED', message: /is there already/ });
  assert.equal(readFileSync(file, 'utf8'), 'precious');
  await store.export(file, { overwrite: true });
  assert.notEqual(readFileSync(file, 'utf8'), 'precious');

  const other = join(directory, 'other.jsonl');
  await assert.rejects(store.export(other, { abortSignal: AbortSignal.abort() }), { name: 'AbortError' });
  await assert.rejects(store.export(join(directory, 'nowhere', 'x.jsonl')), { code: 'TW_TRANSFER_FAILED' });
  assert.equal(existsSync(other), false);
  assert.deepEqual(globSync(join(directory, '*.tmp')), []);
  await assert.rejects(store.import(join(directory, 'nowhere.jsonl')), { code: 'TW_TRANSFER_FAILED' });
});

test('arguments that are none are refused by name', async (t) => {
  const directory = newDirectory(t);
  await using store = await openStore(join(directory, 'store'));
  const options = (value: object) => value as ExportFileOptions;
  await assert.rejects(store.export(5 as unknown as string), /export: path must be a path, got 5/);
  await assert.rejects(
    store.export('x', options({ signal: 'spans' })),
    /signal must be 'traces' or 'logs', got "spans"/,
  );
  await assert.rejects(store.export('x', options({ format: 'csv' })), /format is no field of options/);
  await assert.rejects(store.import('x', { signal: 'logs' } as object), /signal is no field of options/);
});
