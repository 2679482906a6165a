import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ExporterStats } from '@tracewell/plugin';
import { startCollector } from '../../examples/shop/collector.ts';

interface Sample {
  recorded: number;
  heapUsed: number;
  arrayBuffers: number;
  rss: number;
}
interface Outcome {
  done: true;
  refused: number;
  exporters: ExporterStats[];
  stored: number;
}

const SPANS = 1_000_000;
const RATE = 50_000;

test('a million spans at a constant rate: memory stays flat and every span is accounted for', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'tracewell-soak-'));
  const collector = await startCollector();
  t.after(async () => {
    await collector.close();
    rmSync(directory, { recursive: true });
  });

  const samples: Sample[] = [];
  let outcome: Outcome | undefined;
  const program = fork(
    join(import.meta.dirname, 'soak-program.ts'),
    [directory, collector.url, String(SPANS), String(RATE)],
    { execArgv: ['--conditions=@tracewell/source', '--expose-gc'] },
  );
  program.on('message', (message: Sample | Outcome) => {
    if ('done' in message) outcome = message;
    else samples.push(message);
  });
  const [code] = await once(program, 'exit');
  assert.equal(code, 0);
  assert.ok(outcome !== undefined, 'the program reported nothing');

  // A machine that is busy with other things may be too slow for the rate. Then spans are dropped, and counted.
  assert.equal(outcome.refused, 0);
  for (const { name, exported, retained, dropped } of outcome.exporters) {
    assert.equal(exported + retained + dropped, SPANS, `${name} lost count`);
    const arrived: number = name === 'store' ? outcome.stored : collector.spanCount;
    assert.equal(arrived, exported, `what arrived at ${name} is not what it counts as exported`);
    t.diagnostic(`${name}: ${exported} exported, ${dropped} dropped`);
  }

  // The index grows by up to 60 bytes for every span that the store holds: that is its promise, not a leak.
  const settled = samples.slice(samples.length >> 2);
  const first = settled[0]!;
  const last = settled.at(-1)!;
  const indexed = 60 * (last.recorded - first.recorded);
  const heapGrowth = last.heapUsed - first.heapUsed;
  const bufferGrowth = last.arrayBuffers - first.arrayBuffers;
  t.diagnostic(
    `heap ${(first.heapUsed / 2 ** 20).toFixed(1)} -> ${(last.heapUsed / 2 ** 20).toFixed(1)} MiB, ` +
      `buffers ${(first.arrayBuffers / 2 ** 20).toFixed(1)} -> ${(last.arrayBuffers / 2 ** 20).toFixed(1)} MiB, ` +
      `rss ${(first.rss / 2 ** 20).toFixed(0)} -> ${(last.rss / 2 ** 20).toFixed(0)} MiB over ${last.recorded - first.recorded} spans`,
  );
  assert.ok(heapGrowth < 4 * 2 ** 20, `the heap grew by ${heapGrowth} bytes`);
  assert.ok(
    bufferGrowth < indexed + 16 * 2 ** 20,
    `buffers grew by ${bufferGrowth} bytes, index allowance ${indexed}`,
  );
});
