import { encodeTraces } from '@tracewell/otlp';
import { type SpanData, SpanKind, StatusCode, TracewellError } from '@tracewell/plugin';
import { check, type Rule, same, shown } from '@tracewell/plugin/conformance';
import type { TraceQuery } from '../../store.ts';
import { isWantedSpan, serviceOf } from '../oracle.ts';
import { allPages, checkCursors, checkOrder } from '../pages.ts';
import type { Random } from '../random.ts';
import { sampleSpans, wholeSpan } from '../samples.ts';
import type { StoreTrial } from '../store-trial.ts';

/** One filter of each kind, and then combinations. */
function queries(random: Random, spans: readonly SpanData[], start: bigint): TraceQuery[] {
  const filters = (): Required<Omit<TraceQuery, 'lastSeconds' | 'limit' | 'cursor' | 'text' | 'order'>> => ({
    service: random.pick(['shop', 'ünïcode', 'unknown_service', 'nobody']),
    operation: random.pick(['GET /', 'query', 'nothing']),
    status: random.pick(Object.values(StatusCode)),
    kind: random.pick(Object.values(SpanKind)),
    minDurationMs: random.pick([0, 0.000001, 1, 1.000001, 6000]),
    maxDurationMs: random.pick([0, 1, 1.000001, 6000]),
    attributes: random.pick([
      { color: 'red' },
      { size: 1 },
      { color: 'green', 'host.name': 'host-1' },
      { gone: 'x' },
    ]),
    startTime: random.pick(spans).startTimeUnixNanos,
    endTime: random.pick([random.pick(spans).startTimeUnixNanos, new Date(Number(start / 1_000_000n) + 500)]),
  });
  const single = Object.entries(filters()).map(([key, value]): TraceQuery => ({ [key]: value }));
  const combined = Array.from({ length: 40 }, (): TraceQuery => random.some(filters(), 3));
  return [{}, ...single, ...combined];
}

/** Inserts random spans by several requests. */
async function insertSample(trial: StoreTrial, count = 120): Promise<SpanData[]> {
  const spans = sampleSpans(trial.random, count, trial.start);
  for (let from = 0; from < count; from += 25) {
    const part = spans.slice(from, from + 25);
    const { accepted } = await trial.call('insertSpans()', () => trial.store.insertSpans(part));
    same(accepted, part.length, 'the number of accepted spans');
  }
  return spans;
}

export const spanRules: readonly Rule<StoreTrial>[] = [
  {
    id: 'span-fidelity',
    contract: 'whatever OTLP can say of a span comes back as it was',
    remedy: 'keep the OTLP bytes, or a column for every field and type',
    async run(trial) {
      const span = wholeSpan(trial.random, trial.start);
      await trial.call('insertSpans()', () => trial.store.insertSpans([span]));
      const store = await trial.settled();
      const { spans } = await trial.call('queryTraces()', () => store.queryTraces());
      same(spans, [span], 'the span that queryTraces found');
      const trace = await trial.call('getTrace()', () => store.getTrace(span.traceId));
      same(trace?.spans, [span], 'the span that getTrace found');
    },
  },
  {
    id: 'span-filters',
    contract: 'queryTraces finds the spans that match every field of the query, and no others',
    remedy:
      'compare with what the docs of TraceQuery say of the field; whatever an index says, decide on the span',
    async run(trial) {
      const all = await insertSample(trial);
      const store = await trial.settled();
      for (const query of queries(trial.random, all, trial.start)) {
        const wanted = all.filter((span) => isWantedSpan(span, query));
        const { spans } = await trial.call('queryTraces()', () =>
          store.queryTraces({ ...query, limit: 1000 }),
        );
        trial.sameSet(spans, wanted, `the spans found by ${shown(query)}`);
      }
      const recent = await store.queryTraces({ lastSeconds: 7200, limit: 1000 });
      same(recent.spans.length, all.length, 'the number of spans of the last two hours');
      const late = await store.queryTraces({ lastSeconds: 60 });
      same(late.spans.length, 0, 'the number of spans of the last minute');
    },
  },
  {
    id: 'span-order',
    contract: 'spans come newest first, and always in the same order',
    remedy: 'sort by the start, and within a nanosecond by the ids',
    async run(trial) {
      await insertSample(trial);
      const store = await trial.settled();
      const ask = async () =>
        (await trial.call('queryTraces()', () => store.queryTraces({ limit: 1000 }))).spans;
      checkOrder(await ask(), await ask(), (span) => span.startTimeUnixNanos, 'spans');
    },
  },
  {
    id: 'span-pages',
    contract:
      'the pages of queryTraces together are the spans that match, each once, and the last has no cursor',
    remedy: 'let the cursor name a place in the order',
    async run(trial) {
      const all = await insertSample(trial);
      const store = await trial.settled();
      for (const limit of [1, 7, 40, 120, 121]) {
        for (const query of [
          {},
          { service: 'shop' },
          { attributes: { color: 'red' } },
        ] satisfies TraceQuery[]) {
          if (limit === 1 && query.service === undefined) continue;
          const spans = await allPages(trial, limit, async (cursor) => {
            const page = await store.queryTraces({ ...query, limit, cursor });
            return { rows: page.spans, cursor: page.cursor };
          });
          const wanted = all.filter((span) => isWantedSpan(span, query));
          trial.sameSet(spans, wanted, `the spans on the pages of ${limit} of ${shown(query)}`);
        }
      }
    },
  },
  {
    id: 'span-pages-stay',
    contract: 'what is inserted between two pages makes no page skip or repeat a span',
    remedy: 'let the cursor name a place in the order, not a number of spans',
    async run(trial) {
      const all = await insertSample(trial);
      const before = await trial.settled();
      const first = await trial.call('queryTraces()', () => before.queryTraces({ limit: 50 }));
      const more = sampleSpans(trial.random, 30, trial.start);
      await trial.call('insertSpans()', () => trial.store.insertSpans(more));
      const after = await trial.settled();
      const rest = await allPages(trial, 50, async (cursor) => {
        const page = await after.queryTraces({ limit: 50, cursor: cursor ?? first.cursor });
        return { rows: page.spans, cursor: page.cursor };
      });
      const ids = new Set(all.map((span) => span.spanId));
      const seen = [...first.spans, ...rest].filter((span) => ids.has(span.spanId));
      trial.sameSet(seen, all, 'the spans on all pages that were there before');
    },
  },
  {
    id: 'span-once',
    contract:
      'a span that is inserted again, as a retry does, counts once, and a finished copy stands for an unfinished one',
    remedy: 'know a span by its trace id, span id and start',
    async run(trial) {
      const spans = sampleSpans(trial.random, 30, trial.start);
      const [first] = spans;
      const open = {
        ...first!,
        attributes: { 'tracewell.unfinished': true },
        endTimeUnixNanos: first!.startTimeUnixNanos,
      };
      await trial.call('insertSpans()', () => trial.store.insertSpans([open]));
      for (const part of [spans, spans.slice(0, 10), spans]) {
        const { accepted, rejected } = await trial.call('insertSpans()', () => trial.store.insertSpans(part));
        same(
          [accepted, rejected],
          [part.length, 0],
          'what is accepted and rejected of spans that are there already',
        );
        await trial.settled();
      }
      const store = await trial.settled();
      const found = await trial.call('queryTraces()', () => store.queryTraces({ limit: 1000 }));
      trial.sameSet(found.spans, spans, 'the spans found by queryTraces');
      const trace = await trial.call('getTrace()', () => store.getTrace(first!.traceId));
      trial.sameSet(
        trace?.spans ?? [],
        spans.filter((span) => span.traceId === first!.traceId),
        'the spans of the trace',
      );
      const services = await store.listServices();
      same(
        services.reduce((sum, service) => sum + service.spanCount, 0),
        30,
        'the number of spans of all services',
      );
      same((await store.health()).signals.traces.count, 30, 'the number of spans by health');
    },
  },
  {
    id: 'trace',
    contract:
      'getTrace finds all spans of a trace, in the order in which they started, with what they say together',
    remedy: 'look the trace up in everything that is stored',
    async run(trial) {
      const all = await insertSample(trial);
      const store = await trial.settled();
      for (const traceId of new Set(all.map((span) => span.traceId))) {
        const wanted = all.filter((span) => span.traceId === traceId);
        const trace = await trial.call('getTrace()', () => store.getTrace(traceId.toUpperCase()));
        check(trace !== undefined, `getTrace(${traceId}) found nothing`);
        trial.sameSet(trace.spans, wanted, `the spans of trace ${traceId}`);
        const starts = trace.spans.map((span) => span.startTimeUnixNanos);
        same(
          starts,
          starts.toSorted((a, b) => (a < b ? -1 : 1)),
          'the starts of the spans',
        );
        const ends = wanted.map((span) => span.endTimeUnixNanos).sort((a, b) => (a < b ? -1 : 1));
        same(
          [trace.traceId, trace.startTimeUnixNanos, trace.endTimeUnixNanos],
          [traceId, starts[0], ends.at(-1)],
          'id, start and end of the trace',
        );
        same(
          trace.hasError,
          wanted.some((span) => span.status.code === StatusCode.ERROR),
          'whether the trace failed',
        );
        same(
          trace.services.toSorted(),
          [...new Set(wanted.map(serviceOf))].sort(),
          'the services of the trace',
        );
      }
      same(await store.getTrace(trial.random.hex(32)), undefined, 'a trace that nobody recorded');
    },
  },
  {
    id: 'services',
    contract: 'listServices counts each span once, by the service that recorded it',
    remedy: 'count over everything that is stored',
    async run(trial) {
      const all = await insertSample(trial);
      const store = await trial.settled();
      const wanted = [...Map.groupBy(all, serviceOf)].map(([name, spans]) => {
        const starts = spans.map((span) => span.startTimeUnixNanos).sort((a, b) => (a < b ? -1 : 1));
        return {
          name,
          spanCount: spans.length,
          errorCount: spans.filter((span) => span.status.code === StatusCode.ERROR).length,
          firstSeenUnixNanos: starts[0],
          lastSeenUnixNanos: starts.at(-1),
          operations: [...new Set(spans.map((span) => span.name))].sort(),
        };
      });
      const byName = wanted.sort((a, b) => (a.name < b.name ? -1 : 1));
      for (const options of [undefined, { lastSeconds: 7200 }]) {
        same(await trial.call('listServices()', () => store.listServices(options)), byName, 'the services');
      }
      same(await store.listServices({ lastSeconds: 60 }), [], 'the services of the last minute');
    },
  },
  {
    id: 'span-otlp',
    contract:
      'insertOtlp stores an OTLP request, leaves out invalid spans and says so, and refuses what is no request',
    remedy: 'check the bytes before anything of them is stored',
    async run(trial) {
      const spans = sampleSpans(trial.random, 5, trial.start);
      const bytes = Buffer.from(encodeTraces(spans));
      // The third span's id becomes all zeros, which OTLP calls invalid.
      const at = bytes.indexOf(Buffer.from(spans[2]!.spanId, 'hex'));
      bytes.fill(0, at, at + 8);
      const result = await trial.call('insertOtlp()', () => trial.store.insertOtlp('traces', bytes));
      same([result.accepted, result.rejected], [4, 1], 'what is accepted and rejected');
      check(result.reasons.length === 1, `the reasons are ${shown(result.reasons)}`);
      for (const broken of [Uint8Array.of(0x0a, 0x7f, 1, 2, 3), bytes.subarray(0, bytes.length - 3)]) {
        const error = await trial.rejection('insertOtlp()', () => trial.store.insertOtlp('traces', broken));
        const isRefusal = error instanceof TracewellError && error.code.startsWith('TW_DECODE_');
        check(isRefusal, `insertOtlp of broken bytes rejected with ${shown(error)}`);
      }
      const store = await trial.settled();
      const found = await store.queryTraces();
      trial.sameSet(found.spans, spans.toSpliced(2, 1), 'the spans of the request');
    },
  },
  {
    id: 'cursors',
    contract:
      'a cursor is a text that another store of the same data understands, and nothing else is a cursor',
    remedy: 'write the place in the order into the cursor, and check what comes back',
    async run(trial) {
      await insertSample(trial);
      await checkCursors(trial, 'queryTraces', (store, cursor) => store.queryTraces({ limit: 10, cursor }));
    },
  },
];
