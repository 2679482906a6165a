import assert from 'node:assert/strict';
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { SpanData } from '@tracewell/plugin';
import { SpanFile } from '../packages/store/src/cold/spans/span-file.ts';
import { SpanSorter } from '../packages/store/src/cold/spans/span-sorter.ts';
import { writeSpanFile } from '../packages/store/src/cold/spans/write-span-file.ts';
import { nodeFileSystem } from '../packages/store/src/fs/node-file-system.ts';
import { alternate, type Bench, compare } from './harness.ts';
import { idsOf, RequestMaker, SPANS_PER_REQUEST, SPANS_PER_TRACE } from './store-spans.ts';

const FILES = 20;
const REQUESTS_PER_FILE = 400;

// A row group is what DuckDB reads at least, and has a filter of its own. Its default, and what measured best; smaller
// ones are slower again.
const ROW_GROUPS = [16_384, 122_880] as const;

const bench: Bench = {
  name: 'cold-trace',
  what: 'A trace by its id among 4M spans in 20 files: ours decodes whole spans, DuckDB gives rows of the same columns, from files that it wrote itself, sorted, with filters, with their footers cached, by a prepared statement and with the size of row groups that suits it best.',

  async run({ tiny, report }) {
    const directory = await mkdtemp(join(tmpdir(), 'tracewell-bench-'));
    const requests = tiny ? 2 : REQUESTS_PER_FILE;
    const spans = FILES * requests * SPANS_PER_REQUEST;
    const paths = writeFiles(directory, requests);
    const files = paths.map((path) => SpanFile.open(nodeFileSystem.openSync(path, 'read'), path));
    const instance = await DuckDBInstance.create();
    const connection = await instance.connect();
    await connection.run('SET parquet_metadata_cache = true');
    const lookups = await Promise.all(
      ROW_GROUPS.map((rows) => duckLookup(connection, directory, paths, rows)),
    );
    try {
      const traces = spans / SPANS_PER_TRACE;
      for (const find of [...lookups, (id: string) => findOurs(files, id).length]) {
        assert.equal(await find(traceId(1, traces)), SPANS_PER_TRACE);
        assert.equal(await find('f'.repeat(32)), 0);
      }
      const count = tiny ? 3 : 100;
      const times = await alternate(tiny ? 1 : 5, {
        ours: () => timed(count, traces, (id) => findOurs(files, id).length),
        small: () => timed(count, traces, lookups[0]!),
        large: () => timed(count, traces, lookups[1]!),
      });
      const theirs = Math.min(times.small, times.large);
      report(
        compare(
          'cold-trace',
          'trace by id, 4M spans in 20 files',
          'us',
          'lower',
          times.ours,
          'duckdb',
          theirs,
        ),
      );
    } finally {
      connection.closeSync();
      instance.closeSync();
      await rm(directory, { recursive: true });
    }
  },
};

export default bench;

let next = 0;
/** Ids far from each other, none of them twice. */
function traceId(number: number, traces: number): string {
  return idsOf(((number * 0x9e3779b1) % traces) * SPANS_PER_TRACE).traceId;
}

/** The microseconds of one search, over many. */
async function timed(
  count: number,
  traces: number,
  find: (id: string) => number | Promise<number>,
): Promise<number> {
  const start = performance.now();
  for (let search = 0; search < count; search++)
    assert.equal(await find(traceId(next++, traces)), SPANS_PER_TRACE);
  return ((performance.now() - start) * 1000) / count;
}

function writeFiles(directory: string, requests: number): string[] {
  const maker = new RequestMaker();
  return Array.from({ length: FILES }, (_, number) => {
    const sorter = new SpanSorter();
    for (let request = 0; request < requests; request++) sorter.add(maker.make(number * requests + request));
    const path = join(directory, `${number}.parquet`);
    const file = openSync(path, 'w');
    writeSpanFile(sorter, { write: (bytes) => void writeSync(file, bytes) });
    closeSync(file);
    return path;
  });
}

function findOurs(files: readonly SpanFile[], id: string): SpanData[] {
  return files.flatMap((file) => file.readTrace(id));
}

/** Lets DuckDB write files of its own with row groups of so many rows, and prepares the search in them. */
async function duckLookup(
  connection: DuckDBConnection,
  directory: string,
  paths: readonly string[],
  rows: number,
): Promise<(id: string) => Promise<number>> {
  const copies: string[] = [];
  for (const [number, path] of paths.entries()) {
    const copy = join(directory, `duckdb-${rows}-${number}.parquet`);
    await connection.run(
      `COPY (SELECT * EXCLUDE (resource, scope, otlp) FROM '${path}' ORDER BY trace_id, start_time) TO '${copy}'
       (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2, ROW_GROUP_SIZE ${rows})`,
    );
    copies.push(`'${copy}'`);
  }
  const statement = await connection.prepare(
    `SELECT * FROM read_parquet([${copies.join(', ')}]) WHERE trace_id = $1`,
  );
  return async (id) => {
    statement.bindVarchar(1, id);
    return (await statement.runAndReadAll()).getRows().length;
  };
}
