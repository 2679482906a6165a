/** Directories of every released format version, kept as they were written, are opened as they are. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openStore } from '@tracewell/store';
import { fixtureSpans } from './fixtures/format-1-spans.ts';

const FORMAT_1 = fileURLToPath(new URL('fixtures/format-1', import.meta.url));

/** Decoded attributes have no prototype, which a strict comparison would mind. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner)));
}

for (const how of ['as it is', 'without its index files', 'verified'] as const) {
  it(`a directory of format 1 opens ${how}, with everything in it`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tracewell-format-'));
    cpSync(FORMAT_1, directory, { recursive: true });
    const logs = readdirSync(join(directory, 'log'));
    assert.equal(logs.length, 2);
    if (how === 'without its index files') {
      for (const log of logs) {
        for (const name of readdirSync(join(directory, 'log', log))) {
          if (name.endsWith('.idx')) rmSync(join(directory, 'log', log, name));
        }
      }
    }
    const store = await openStore(directory, { verify: how === 'verified' });
    for (let trace = 0; trace < 9; trace++) {
      const expected = fixtureSpans(trace);
      const found = await store.getTrace(expected[0]!.traceId);
      assert.deepEqual(plain(found?.spans), plain(expected));
    }
    const { signals, log } = await store.health();
    assert.equal(signals.traces.count, 9 * 12);
    assert.equal(log.tornBytes, 0);
    // And it can be written to.
    await store.insertSpans(fixtureSpans(9));
    assert.equal((await store.getTrace(fixtureSpans(9)[0]!.traceId))?.spans.length, 12);
    await store.close();
    rmSync(directory, { recursive: true });
  });
}
