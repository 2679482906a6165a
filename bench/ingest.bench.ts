import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '@tracewell/store';
import { alternate, type Bench, compare, median } from './harness.ts';
import { duckdb, jsonLines, lmdb, type Peer, sqlite } from './ingest/peers.ts';
import { NO_FULL_TEXT, RequestMaker, SPANS_PER_REQUEST } from './store-spans.ts';

const MEMORY_LIMIT = 60;
const LATENCY_LIMIT_MS = 50;

const bench: Bench = {
  name: 'ingest',
  what: 'Makes OTLP requests of 512 spans durable and indexed, with 1, 8 and 64 of them in flight; each is acknowledged when it is on the disk.',

  async run({ tiny, report }) {
    const maker = new RequestMaker();
    const requests = Array.from({ length: tiny ? 16 : 1600 }, (_, number) => maker.make(number));
    const rounds = tiny ? 1 : 5;
    const worst: number[] = [];

    for (const inFlight of [1, 8, 64]) {
      const ours = requests.slice(0, tiny ? 16 : inFlight === 1 ? 400 : 1600);
      // The peers take longer, so they get less to do; none of them becomes faster with more.
      const theirs = requests.slice(0, tiny ? 8 : 200);
      const rates = await alternate(rounds, {
        ours: async () => {
          const { rate, worstMs } = await ingestStore(ours, inFlight);
          worst.push(worstMs);
          return rate;
        },
        lmdb: () => ingestPeer(lmdb, theirs, inFlight),
        'node:sqlite': () => ingestPeer(sqlite, theirs, inFlight),
        'DuckDB appender': () => ingestPeer(duckdb, theirs, inFlight),
        'JSON lines': () => ingestPeer(jsonLines, theirs, inFlight),
      });
      const { ours: rate, ...peers } = rates;
      for (const [peer, theirRate] of Object.entries(peers)) {
        report(compare('ingest', `${inFlight} in flight`, 'spans/s', 'higher', rate, peer, theirRate));
      }
    }
    report(compare('ingest', 'longest insert', 'ms', 'lower', median(worst), 'limit', LATENCY_LIMIT_MS));
    const bytes = await memoryPerSpan(maker, tiny ? 200 : 2000);
    report(compare('ingest', 'memory of a span', 'B', 'lower', bytes, 'limit', MEMORY_LIMIT));
  },
};

export default bench;

/** Keeps so many inserts in flight until all requests are in; spans per second. */
async function ingestStore(
  requests: readonly Uint8Array[],
  inFlight: number,
): Promise<{ rate: number; worstMs: number }> {
  const directory = await mkdtemp(join(tmpdir(), 'tracewell-bench-'));
  const store = await openStore(directory, { search: NO_FULL_TEXT });
  let next = 0;
  let worstMs = 0;
  const worker = async (): Promise<void> => {
    while (next < requests.length) {
      const bytes = requests[next++]!;
      const start = performance.now();
      await store.insertBatch({ bytes, spanCount: SPANS_PER_REQUEST });
      worstMs = Math.max(worstMs, performance.now() - start);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, worker));
  const seconds = (performance.now() - start) / 1000;
  await store.close();
  await rm(directory, { recursive: true });
  return { rate: (requests.length * SPANS_PER_REQUEST) / seconds, worstMs };
}

async function ingestPeer(
  open: (directory: string) => Peer | Promise<Peer>,
  requests: readonly Uint8Array[],
  inFlight: number,
): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'tracewell-bench-'));
  const peer = await open(directory);
  const start = performance.now();
  for (let from = 0; from < requests.length; from += inFlight) {
    await peer.commit(requests.slice(from, from + inFlight));
  }
  const seconds = (performance.now() - start) / 1000;
  await peer.close();
  await rm(directory, { recursive: true });
  return (requests.length * SPANS_PER_REQUEST) / seconds;
}

/** What the process grows by, spans in the index against spans not yet there. */
async function memoryPerSpan(maker: RequestMaker, requests: number): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'tracewell-bench-'));
  const store = await openStore(directory, { durability: 'none', search: NO_FULL_TEXT });
  await store.insertBatch({ bytes: maker.make(0), spanCount: SPANS_PER_REQUEST });
  const before = memory();
  for (let number = 1; number <= requests; number++) {
    await store.insertBatch({ bytes: maker.make(number), spanCount: SPANS_PER_REQUEST });
  }
  const bytes = (memory() - before) / (requests * SPANS_PER_REQUEST);
  await store.close();
  await rm(directory, { recursive: true });
  return bytes;
}

function memory(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
