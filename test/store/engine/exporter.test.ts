import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeTraces } from '@tracewell/otlp';
import { ExportError, type SpanData, TracewellError } from '@tracewell/plugin';
import { testBatchExporter } from '@tracewell/plugin/conformance';
import { openStore, storeExporter } from '@tracewell/store';
import { id, span } from '../query/spans.ts';
import { newDirectory } from './directory.ts';

testBatchExporter('the store exporter', {
  // Spans come back in the order of their starts, not of their delivery.
  ordered: false,
  async create() {
    const directory = mkdtempSync(join(tmpdir(), 'tracewell-exporter-'));
    const store = await openStore(directory);
    let failing = false;
    let hanging: PromiseWithResolvers<void> | undefined;
    const fail = (): void => {
      if (failing) throw new TracewellError('TW_LOG_NO_SPACE', 'the disk is full');
    };
    return {
      exporter: storeExporter({
        async insertBatch(batch) {
          fail();
          await hanging?.promise;
          return store.insertBatch(batch);
        },
        insertBatchSync(batch) {
          fail();
          return store.insertBatchSync(batch);
        },
        flush: () => store.flush(),
      }),
      failDelivery(now) {
        failing = now;
      },
      hangDelivery(now) {
        if (now) hanging = Promise.withResolvers();
        else hanging?.resolve();
      },
      async spans() {
        const spans: SpanData[] = [];
        let cursor: string | undefined;
        do {
          const page = await store.queryTraces({ limit: 1000, ...(cursor === undefined ? {} : { cursor }) });
          spans.push(...page.spans);
          cursor = page.cursor;
        } while (cursor !== undefined);
        return spans;
      },
      async dispose() {
        await store.close();
        rmSync(directory, { recursive: true });
      },
    };
  },
});

test('the bytes of a batch are the bytes of the log', async (t) => {
  await using store = await openStore(newDirectory(t));
  const spans = [span({ spanId: id(1), attributes: { n: 2n ** 60n } }), span({ spanId: id(2) })];
  const bytes = encodeTraces(spans);
  await storeExporter(store).export({ bytes, spanCount: 2 });
  assert.equal((await store.queryTraces()).spans.length, 2);
  assert.ok((await store.health()).log.bytes >= bytes.length);
});

test('an error says whether a retry makes sense', async () => {
  const failing = (error: unknown) =>
    storeExporter({
      insertBatch: () => Promise.reject(error),
      insertBatchSync: () => {
        throw error;
      },
      flush: () => Promise.resolve(),
    });
  const batch = { bytes: new Uint8Array(), spanCount: 1 };
  const retryable: [error: unknown, retryable: boolean][] = [
    [new TracewellError('TW_LOG_BUSY', 'busy'), true],
    [new TracewellError('TW_LOG_NO_SPACE', 'full'), true],
    [new TracewellError('TW_LOG_REFUSED', 'refused'), false],
    [new TracewellError('TW_STORE_CLOSED', 'closed'), false],
    [new TracewellError('TW_DECODE_INVALID', 'broken'), false],
    [new RangeError('too large'), false],
    ['odd', true],
  ];
  for (const [error, expected] of retryable) {
    const check = (thrown: unknown): boolean =>
      thrown instanceof ExportError && thrown.retryable === expected && thrown.cause === error;
    await assert.rejects(failing(error).export(batch), check);
    assert.throws(() => failing(error).exportSync!(batch), check);
  }
  // Durable already: sending it again would be of no use.
  const applied = failing(new TracewellError('TW_LOG_APPLY_FAILED', 'later'));
  await applied.export(batch);
  applied.exportSync!(batch);
});

test('spans that the store leaves out are reported as rejected', async (t) => {
  await using store = await openStore(newDirectory(t));
  const bytes = Buffer.from(encodeTraces([span({ spanId: id(1) }), span({ spanId: id(2) })]));
  bytes.fill(0, bytes.indexOf(Buffer.from(id(2), 'hex')), bytes.indexOf(Buffer.from(id(2), 'hex')) + 8);
  await assert.rejects(
    storeExporter(store).export({ bytes, spanCount: 2 }),
    (error) => error instanceof ExportError && error.rejectedSpans === 1 && !error.retryable,
  );
  assert.equal((await store.queryTraces()).spans.length, 1);
});
