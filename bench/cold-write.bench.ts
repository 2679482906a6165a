import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SideName, Written } from './cold-write/sides.ts';
import { alternate, type Bench, compare } from './harness.ts';
import { SPANS_PER_REQUEST } from './store-spans.ts';

// About what a segment of the log holds.
const REQUESTS = 400;
const PEERS = ['duckdb', 'hyparquet-writer'] as const;
const MAX_BYTES_PER_SPAN = 50;

const bench: Bench = {
  name: 'cold-write',
  what: 'OTLP requests to one Parquet file, sorted by trace id and compressed with zstd: spans a second, memory added at the peak, bytes of the file for a span. Each side in a process of its own. The others get decoded spans as columns; DuckDB writes attributes as maps, as we do, hyparquet-writer as JSON text. Ours also keeps what no column says.',

  async run({ tiny, report }) {
    const directory = await mkdtemp(join(tmpdir(), 'tracewell-bench-'));
    const requests = tiny ? 4 : REQUESTS;
    const spans = requests * SPANS_PER_REQUEST;
    const sides = {
      ours: await start('ours', requests, directory),
      duckdb: await start('duckdb', requests, directory),
      'hyparquet-writer': await start('hyparquet-writer', requests, directory),
    };
    try {
      const last = {} as Record<SideName, Result>;
      const run = (name: SideName) => async (): Promise<number> => {
        last[name] = await ask(sides[name]);
        return spans / (last[name].ms / 1000);
      };
      const rates = await alternate(tiny ? 1 : 5, {
        ours: run('ours'),
        duckdb: run('duckdb'),
        'hyparquet-writer': run('hyparquet-writer'),
      });
      const { ours } = last;
      for (const peer of PEERS)
        report(compare('cold-write', 'spans', 'spans/s', 'higher', rates.ours, peer, rates[peer]));
      for (const peer of PEERS) {
        const [mine, theirs] = [ours.addedBytes / 1e6, last[peer].addedBytes / 1e6];
        report(compare('cold-write', 'added memory', 'MB', 'lower', mine, peer, theirs));
      }
      const size = ours.bytes / spans;
      for (const peer of PEERS)
        report(compare('cold-write', 'file', 'B/span', 'lower', size, peer, last[peer].bytes / spans));
      report(compare('cold-write', 'file', 'B/span', 'lower', size, 'limit', MAX_BYTES_PER_SPAN));
    } finally {
      for (const side of Object.values(sides)) {
        side.disconnect();
        await once(side, 'exit');
      }
      await rm(directory, { recursive: true });
    }
  },
};

export default bench;

interface Result extends Written {
  readonly ms: number;
  readonly addedBytes: number;
}

async function start(name: SideName, requests: number, directory: string): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('./cold-write/side.ts', import.meta.url));
  const side = fork(program, [name, String(requests), join(directory, `${name}.parquet`)], {
    execArgv: ['--conditions=@tracewell/source', '--expose-gc'],
  });
  await once(side, 'message');
  return side;
}

async function ask(side: ChildProcess): Promise<Result> {
  const answer = once(side, 'message');
  side.send('write');
  const [result] = await answer;
  return result as Result;
}
