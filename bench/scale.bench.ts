import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StatusCode } from '@tracewell/plugin';
import { openStore, type TraceStore } from '@tracewell/store';
import { type Bench, compare, median } from './harness.ts';
import { idsOf, RequestMaker, SERVICES, SPANS_PER_REQUEST, SPANS_PER_TRACE } from './store-spans.ts';

/** What is measured at one size. */
interface Figures {
  /** Spans a second. */
  readonly insert: number;
  /** Milliseconds, of the hot tier and then, the same questions, of the cold one. */
  readonly filter: readonly [hot: number, cold: number];
  readonly trace: readonly [hot: number, cold: number];
}

const bench: Bench = {
  name: 'scale',
  what: 'Durable inserts, the newest 100 failing spans of a service and a trace by id at 10M spans (TRACEWELL_BENCH_SPANS for another number), hot and cold, beside 1M. A ratio of 0.5 is twice as slow.',

  async run({ tiny, report }) {
    const small = tiny ? 10_240 : 1_000_448;
    const large = Number(process.env.TRACEWELL_BENCH_SPANS ?? (tiny ? 20_480 : 10_000_384));
    const before = await measure(small, tiny);
    const after = await measure(large, tiny);
    const size = `${(large / 1e6).toPrecision(2)}M spans`;
    const peer = `${(small / 1e6).toPrecision(2)}M`;
    report(compare('scale', `insert, ${size}`, 'spans/s', 'higher', after.insert, peer, before.insert));
    for (const [at, tier] of ['hot', 'cold'].entries()) {
      const filter = [after.filter[at]!, before.filter[at]!] as const;
      const trace = [after.trace[at]!, before.trace[at]!] as const;
      report(
        compare('scale', `newest 100 failing, ${size}, ${tier}`, 'ms', 'lower', filter[0], peer, filter[1]),
      );
      report(compare('scale', `trace by id, ${size}, ${tier}`, 'ms', 'lower', trace[0], peer, trace[1]));
    }
  },
};

async function measure(spans: number, tiny: boolean): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'tracewell-bench-'));
  const store = await openStore(directory, {
    search: { index: false },
    // It is asked for below, so that what is measured is all hot first and then all cold.
    maintenance: { scheduled: false },
  });
  const insert = await insertAll(store, spans);
  const hot = await ask(store, spans, tiny);
  await store.compact();
  const cold = await ask(store, spans, tiny);
  await store.close();
  await rm(directory, { recursive: true });
  return { insert, filter: [hot.filter, cold.filter], trace: [hot.trace, cold.trace] };
}

/** Inserts with 8 requests in flight; returns the spans a second of the last million. */
async function insertAll(store: TraceStore, spans: number): Promise<number> {
  const maker = new RequestMaker();
  const requests = spans / SPANS_PER_REQUEST;
  const measuredFrom = Math.max(0, requests - 2000);
  let next = 0;
  let start = 0;
  const inserter = async (): Promise<void> => {
    for (let number = next++; number < requests; number = next++) {
      if (number >= measuredFrom && start === 0) start = performance.now();
      await store.insertBatch({ bytes: maker.make(number), spanCount: SPANS_PER_REQUEST });
    }
  };
  await Promise.all(Array.from({ length: 8 }, inserter));
  return ((requests - measuredFrom) * SPANS_PER_REQUEST) / ((performance.now() - start) / 1e3);
}

async function ask(
  store: TraceStore,
  spans: number,
  tiny: boolean,
): Promise<{ filter: number; trace: number }> {
  const rounds = tiny ? 5 : 200;
  const filters: number[] = [];
  const traces: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const service = SERVICES[round % SERVICES.length]!;
    let start = performance.now();
    const page = await store.queryTraces({ service, status: StatusCode.ERROR, limit: 100 });
    filters.push(performance.now() - start);
    if (page.spans.length === 0) throw new Error(`no failing spans of ${service}`);

    // All over the store, in no order.
    const { traceId } = idsOf(Math.floor(((round * 0.618) % 1) * spans));
    start = performance.now();
    const trace = await store.getTrace(traceId);
    traces.push(performance.now() - start);
    if (trace?.spans.length !== SPANS_PER_TRACE) throw new Error('the trace is not whole');
  }
  return { filter: median(filters), trace: median(traces) };
}

export default bench;
