import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { openStore, type StoreOptions, type TraceStore } from '@tracewell/store';
import { type Bench, compare, median } from './harness.ts';
import { idsOf, NO_FULL_TEXT, RequestMaker, SERVICES, SPANS_PER_REQUEST } from './store-spans.ts';

/** Requests a second at the fixed rate: 20,480 spans a second. */
const REQUESTS_PER_SECOND = 40;
const LATENCY_LIMIT = 3;
const GROWTH_LIMIT_MIB = 64;

const QUIET: StoreOptions = { search: NO_FULL_TEXT, maintenance: { scheduled: false } };
/** Segments that fill in a few seconds, and go cold as soon as there are two. */
const BUSY: StoreOptions = {
  segmentBytes: 16 << 20,
  maintenance: { intervalMs: 250, hotMaxBytes: 32 << 20, hotMaxAgeMs: 0 },
};

const bench: Bench = {
  name: 'mixed',
  what: 'Inserts requests of 512 spans at a fixed rate, each acknowledged when it is on the disk: alone, and while segments go cold, the full-text index is built and a loop asks for failing spans and traces.',

  async run({ tiny, report }) {
    const maker = new RequestMaker();
    const seconds = tiny ? 0.5 : 15;
    const rounds = tiny ? 1 : 3;
    const idle: number[] = [];
    const busy: number[] = [];
    const queries: number[] = [];
    const growth: number[] = [];
    const idleRates: number[] = [];
    const busyRates: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const alone = await run(maker, QUIET, false, seconds);
      const mixed = await run(maker, BUSY, true, seconds);
      idle.push(alone.p99Ms);
      busy.push(mixed.p99Ms);
      queries.push(mixed.queryP99Ms);
      growth.push(mixed.growthMib);
      idleRates.push(alone.rate);
      busyRates.push(mixed.rate);
    }
    const limit = LATENCY_LIMIT * median(idle);
    report(
      compare('mixed', 'p99 of an insert', 'ms', 'lower', median(busy), 'limit: 3x the idle one', limit),
    );
    report(compare('mixed', 'p99 of a query', 'ms', 'lower', median(queries), 'limit', 100));
    report(
      compare(
        'mixed',
        'as fast as it can',
        'spans/s',
        'higher',
        median(busyRates),
        'nothing else',
        median(idleRates),
      ),
    );
    report(
      compare(
        'mixed',
        'memory gained in the second half',
        'MiB',
        'lower',
        Math.max(1, median(growth)),
        'limit',
        GROWTH_LIMIT_MIB,
      ),
    );
  },
};

export default bench;

interface Figures {
  readonly p99Ms: number;
  readonly queryP99Ms: number;
  readonly growthMib: number;
  /** Spans a second with eight inserts in flight. */
  readonly rate: number;
}

async function run(
  maker: RequestMaker,
  options: StoreOptions,
  asks: boolean,
  seconds: number,
): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'tracewell-bench-'));
  const store = await openStore(directory, options);
  const inserted = { requests: 0 };
  const queries = asks ? new QueryLoop(store, inserted) : undefined;
  const { latencies, growthMib } = await insertAtRate(store, maker, inserted, seconds);
  const queryTimes = (await queries?.stop()) ?? [0];
  const again = asks ? new QueryLoop(store, inserted) : undefined;
  const rate = await insertFast(store, maker, inserted, Math.ceil(seconds * REQUESTS_PER_SECOND));
  await again?.stop();
  await store.close();
  await rm(directory, { recursive: true });
  return { p99Ms: percentile(latencies, 0.99), queryP99Ms: percentile(queryTimes, 0.99), growthMib, rate };
}

/** Begins an insert every so often, whether or not the one before has been acknowledged. */
async function insertAtRate(
  store: TraceStore,
  maker: RequestMaker,
  inserted: { requests: number },
  seconds: number,
): Promise<{ latencies: number[]; growthMib: number }> {
  const latencies: number[] = [];
  const pending: Promise<void>[] = [];
  const count = Math.ceil(seconds * REQUESTS_PER_SECOND);
  const begin = performance.now();
  let half = 0;
  for (let number = 0; number < count; number++) {
    const due = begin + (number * 1000) / REQUESTS_PER_SECOND;
    const early = due - performance.now();
    if (early > 0) await wait(early);
    if (number === count >> 1) half = process.memoryUsage.rss();
    const bytes = maker.make(number);
    pending.push(
      store.insertBatch({ bytes, spanCount: SPANS_PER_REQUEST }).then(() => {
        // From when it was due: a thread that stands still makes the later ones wait too.
        latencies.push(performance.now() - due);
        inserted.requests++;
      }),
    );
  }
  await Promise.all(pending);
  return { latencies, growthMib: (process.memoryUsage.rss() - half) / (1 << 20) };
}

async function insertFast(
  store: TraceStore,
  maker: RequestMaker,
  inserted: { requests: number },
  count: number,
): Promise<number> {
  const first = inserted.requests;
  const requests = Array.from({ length: count }, (_, number) => maker.make(first + number));
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let bytes = requests[next++]; bytes !== undefined; bytes = requests[next++]) {
      await store.insertBatch({ bytes, spanCount: SPANS_PER_REQUEST });
      inserted.requests++;
    }
  };
  const begin = performance.now();
  await Promise.all(Array.from({ length: 8 }, worker));
  return (count * SPANS_PER_REQUEST) / ((performance.now() - begin) / 1000);
}

/** Asks one question after the other, ten a second, as somebody with a dashboard does. */
class QueryLoop {
  readonly #times: number[] = [];
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(store: TraceStore, inserted: { readonly requests: number }) {
    this.#running = this.#run(store, inserted);
  }

  async stop(): Promise<number[]> {
    this.#stopped = true;
    await this.#running;
    return this.#times;
  }

  async #run(store: TraceStore, inserted: { readonly requests: number }): Promise<void> {
    for (let number = 0; !this.#stopped; number++) {
      const begin = performance.now();
      if (number % 2 === 0) {
        await store.queryTraces({ service: SERVICES[number % SERVICES.length]!, status: 2, limit: 20 });
      } else {
        const span = Math.floor(Math.random() * inserted.requests * SPANS_PER_REQUEST);
        await store.getTrace(idsOf(span).traceId);
      }
      this.#times.push(performance.now() - begin);
      await wait(100);
    }
  }
}

function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}
