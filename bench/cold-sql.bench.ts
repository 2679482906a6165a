// Five aggregates by DuckDB over the files of the cold tier, beside the same over files that DuckDB wrote itself:
// the same rows, columns, row groups and order, both compressed with zstd.
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { SpanSorter } from '../packages/store/src/cold/spans/span-sorter.ts';
import { writeSpanFile } from '../packages/store/src/cold/spans/write-span-file.ts';
import { TABLES, viewOf } from '../packages/store/src/sql/tables.ts';
import { alternate, type Bench, compare } from './harness.ts';
import { RequestMaker, SPANS_PER_REQUEST } from './store-spans.ts';

const FILES = 10;

const AGGREGATES: { readonly [name: string]: string } = {
  'count by service and status':
    'SELECT service_name, status_code, count(*) FROM spans GROUP BY ALL ORDER BY ALL',
  'percentiles by operation': `SELECT service_name, name, count(*), quantile_cont(duration_ns, [0.5, 0.95, 0.99])
    FROM spans GROUP BY ALL ORDER BY ALL`,
  'errors by second': `SELECT time_bucket(INTERVAL '1 second', start_time), count(*),
      count(*) FILTER (status_code = 'ERROR')
    FROM spans WHERE kind = 'SERVER' GROUP BY ALL ORDER BY ALL`,
  'by an attribute': `SELECT attributes['http.route'], attributes['http.response.status_code']::INTEGER, count(*),
      sum(duration_ns), max(duration_ms)
    FROM spans GROUP BY ALL ORDER BY ALL`,
  'slowest traces': `SELECT trace_id, count(*), sum(duration_ns) AS total FROM spans
    GROUP BY trace_id ORDER BY total DESC, trace_id LIMIT 20`,
};

export default {
  name: 'cold-sql',
  what: 'An aggregate by DuckDB over Parquet files of spans; the floor is 0.8 (at most 1.25 of the time)',
  async run({ tiny, report }) {
    const directory = mkdtempSync(join(tmpdir(), 'tracewell-cold-sql-'));
    const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
    const ours = await instance.connect();
    const theirs = await instance.connect();
    try {
      // A multiple of the rows of a row group, so that both sides have the same row groups.
      const bytes = await writeFiles(directory, ours, tiny ? 2 * 1024 : 256 * 1024);
      const rounds = tiny ? 1 : 7;
      report(compare('cold-sql', 'bytes a span', 'B', 'lower', bytes.ours, 'DuckDB files', bytes.theirs));
      await ours.run('SET parquet_metadata_cache = true');
      await ours.run(viewOf(TABLES[0]!, read(directory, 'ours')));
      await theirs.run(viewOf(TABLES[0]!, read(directory, 'theirs')));
      for (const [name, sql] of Object.entries(AGGREGATES)) {
        const answers = await Promise.all([answer(ours, sql), answer(theirs, sql)]);
        if (answers[0] !== answers[1] || answers[0] === '[]') throw new Error(`${name}: answers differ`);
        const times = await alternate(rounds, {
          ours: () => timed(ours, sql),
          theirs: () => timed(theirs, sql),
        });
        report(compare('cold-sql', name, 'ms', 'lower', times.ours, 'DuckDB files', times.theirs));
      }
    } finally {
      ours.closeSync();
      theirs.closeSync();
      instance.closeSync();
      rmSync(directory, { recursive: true });
    }
  },
} satisfies Bench;

/** Writes both sides' files; returns the bytes that a span takes in each. */
async function writeFiles(
  directory: string,
  connection: DuckDBConnection,
  spansPerFile: number,
): Promise<{ ours: number; theirs: number }> {
  const maker = new RequestMaker();
  for (const side of ['ours', 'theirs']) mkdirSync(join(directory, side));
  let ours = 0;
  let theirs = 0;
  for (let file = 0; file < FILES; file++) {
    const sorter = new SpanSorter();
    const requests = spansPerFile / SPANS_PER_REQUEST;
    for (let request = 0; request < requests; request++) sorter.add(maker.make(file * requests + request));
    const path = join(directory, 'ours', `${file}.parquet`);
    const fd = openSync(path, 'w');
    writeSpanFile(sorter, { write: (bytes) => void writeSync(fd, bytes) });
    closeSync(fd);
    const other = join(directory, 'theirs', `${file}.parquet`);
    await connection.run(
      `COPY (FROM read_parquet('${path}')) TO '${other}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 65536)`,
    );
    ours += statSync(path).size;
    theirs += statSync(other).size;
  }
  return { ours: ours / (FILES * spansPerFile), theirs: theirs / (FILES * spansPerFile) };
}

function read(directory: string, side: string): string {
  return `read_parquet('${join(directory, side)}/*.parquet')`;
}

async function answer(connection: DuckDBConnection, sql: string): Promise<string> {
  return JSON.stringify((await connection.runAndReadAll(sql)).getRowsJson());
}

async function timed(connection: DuckDBConnection, sql: string): Promise<number> {
  const begun = performance.now();
  await answer(connection, sql);
  return performance.now() - begun;
}
