// What the benchmarks `logs` and `metrics` do with their requests.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { openStore, type Signal } from '@tracewell/store';
import { alternate, type BenchContext, compare } from '../harness.ts';
import type { Peer } from '../ingest/peers.ts';
import { RECORDS_PER_REQUEST } from '../store-records.ts';
import { NO_FULL_TEXT } from '../store-spans.ts';

/** What is measured, and beside what. */
export interface RecordBench {
  readonly name: string;
  readonly signal: Signal;
  readonly unit: string;
  /** What a record may take of memory, in bytes. */
  readonly memoryLimit: number;
  /** The request of a number; every number gives another. */
  make(number: number): Uint8Array;
  readonly peers: { readonly [name: string]: (directory: string) => Peer | Promise<Peer> };
}

/** Makes requests durable and indexed with 1, 8 and 64 in flight, and measures what a record takes of memory. */
export async function measureIngest(bench: RecordBench, { tiny, report }: BenchContext): Promise<void> {
  const requests = Array.from({ length: tiny ? 16 : 800 }, (_, number) => bench.make(number));
  const rounds = tiny ? 1 : 5;
  for (const inFlight of [1, 8, 64]) {
    const ours = requests.slice(0, tiny ? 16 : inFlight === 1 ? 400 : 800);
    // The peers take longer, so they get less to do; none of them becomes faster with more.
    const theirs = requests.slice(0, tiny ? 8 : 200);
    const sides: Record<string, () => Promise<number>> = {
      ours: () => ingestStore(bench.signal, ours, inFlight),
    };
    for (const [name, open] of Object.entries(bench.peers)) {
      sides[name] = () => ingestPeer(open, theirs, inFlight);
    }
    const { ours: rate, ...rates } = await alternate(rounds, sides);
    for (const [peer, theirRate] of Object.entries(rates)) {
      report(
        compare(bench.name, `${inFlight} in flight`, `${bench.unit}/s`, 'higher', rate!, peer, theirRate),
      );
    }
  }
  const bytes = await memoryPerRecord(bench, requests);
  report(compare(bench.name, 'memory of one', 'B', 'lower', bytes, 'limit', bench.memoryLimit));
}

/** Keeps so many inserts in flight until all requests are in; records per second. */
async function ingestStore(
  signal: Signal,
  requests: readonly Uint8Array[],
  inFlight: number,
): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'tracewell-bench-'));
  const store = await openStore(directory, { search: NO_FULL_TEXT });
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < requests.length) await store.insertOtlp(signal, requests[next++]!);
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, worker));
  const seconds = (performance.now() - start) / 1000;
  await store.close();
  await rm(directory, { recursive: true });
  return (requests.length * RECORDS_PER_REQUEST) / seconds;
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
  return (requests.length * RECORDS_PER_REQUEST) / seconds;
}

/** What the index grows by, all of its tables and series included. */
async function memoryPerRecord(bench: RecordBench, requests: readonly Uint8Array[]): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'tracewell-bench-'));
  const store = await openStore(directory, { durability: 'none', search: NO_FULL_TEXT });
  await store.insertOtlp(bench.signal, requests[0]!);
  const before = await memory();
  for (const request of requests.slice(1)) await store.insertOtlp(bench.signal, request);
  const bytes = ((await memory()) - before) / ((requests.length - 1) * RECORDS_PER_REQUEST);
  await store.close();
  await rm(directory, { recursive: true });
  // A few records, as in a tiny run, take less than what was there before still lets go of.
  return Math.max(0, bytes);
}

async function memory(): Promise<number> {
  // Buffers are freed in the background, after the collection that found them.
  globalThis.gc?.();
  await nextTurn();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
