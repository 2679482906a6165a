// What the benchmarks of the analyses share: a store of spans whose traces go through eight services, and the
// same spans in one table of DuckDB, with ids as numbers and the columns that the questions need.
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { openStore, type TraceStore } from '@tracewell/store';
import { SpanSorter } from '../packages/store/src/cold/spans/span-sorter.ts';
import { writeSpanFile } from '../packages/store/src/cold/spans/write-span-file.ts';
import { ACROSS_SERVICES, FIRST_START, RequestMaker, SPANS_PER_REQUEST, STEP_NANOS } from './store-spans.ts';

/** The spans on both sides. */
export interface AnalysisSpans {
  readonly spans: number;
  readonly store: TraceStore;
  readonly connection: DuckDBConnection;
  /** When the first span started, and a nanosecond behind the last one's start. */
  readonly startTime: bigint;
  readonly endTime: bigint;
}

const REQUESTS_OF_FILE = 1024;
let made: Promise<AnalysisSpans> | undefined;

/** The spans, made once for all benchmarks of a run. */
export function analysisSpans(tiny: boolean): Promise<AnalysisSpans> {
  made ??= make(tiny ? 20_480 : 5_000_192);
  return made;
}

async function make(spans: number): Promise<AnalysisSpans> {
  const directory = mkdtempSync(join(tmpdir(), 'tracewell-bench-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const store = await openStore(join(directory, 'store'), { durability: 'none' });
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const maker = new RequestMaker(ACROSS_SERVICES);
  let sorter = new SpanSorter();
  for (let number = 0; number < spans / SPANS_PER_REQUEST; number++) {
    const bytes = maker.make(number);
    await store.insertBatch({ bytes, spanCount: SPANS_PER_REQUEST });
    sorter.add(bytes);
    if (number % REQUESTS_OF_FILE === REQUESTS_OF_FILE - 1) {
      write(join(directory, `${number}.parquet`), sorter);
      sorter = new SpanSorter();
    }
  }
  if (sorter.count > 0) write(join(directory, 'rest.parquet'), sorter);
  await connection.run(`CREATE TABLE spans AS SELECT
    ('0x' || right(trace_id, 16))::UBIGINT AS trace_id, ('0x' || span_id)::UBIGINT AS span_id,
    ('0x' || parent_span_id)::UBIGINT AS parent_span_id, service_name, name, kind, status_code,
    epoch_ns(start_time) AS start_time, duration_ns,
    attributes['db.system.name'] AS db_system, attributes['db.namespace'] AS db_namespace,
    attributes['server.address'] AS server_address
    FROM read_parquet('${directory}/*.parquet')`);
  const endTime = FIRST_START + BigInt(spans) * STEP_NANOS;
  return { spans, store, connection, startTime: FIRST_START, endTime };
}

function write(path: string, sorter: SpanSorter): void {
  const file = openSync(path, 'wx');
  writeSpanFile(sorter, { write: (bytes) => void writeSync(file, bytes) });
  closeSync(file);
}

/** Milliseconds that something takes. */
export async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}
