import { TracewellError } from '@tracewell/plugin';
import { check, type Rule, same, shown } from '@tracewell/plugin/conformance';
import type { Store } from '../../store.ts';
import { sampleLogs, sampleMetrics, sampleSpans } from '../samples.ts';
import type { StoreTrial } from '../store-trial.ts';

/** Calls with an argument that is wrong, and what the message has to name. */
const WRONG_QUERIES: readonly (readonly [call: (store: Store) => Promise<unknown>, named: RegExp])[] = (
  [
    ['queryTraces', { service: 5 }, /service/],
    ['queryTraces', { status: 3 }, /status/],
    ['queryTraces', { kind: 'server' }, /kind/],
    ['queryTraces', { minDurationMs: -1 }, /minDurationMs/],
    ['queryTraces', { attributes: [] }, /attributes/],
    ['queryTraces', { startTime: 5 }, /startTime/],
    ['queryTraces', { endTime: new Date(Number.NaN) }, /endTime/],
    ['queryTraces', { lastSeconds: 0 }, /lastSeconds/],
    ['queryTraces', { lastSeconds: 5, startTime: 0n }, /lastSeconds/],
    ['queryTraces', { limit: 0 }, /limit/],
    ['queryTraces', { limit: 10_001 }, /limit/],
    ['queryTraces', { name: 'x' }, /name/],
    ['queryLogs', { service: null }, /service/],
    ['queryLogs', { minSeverity: 25 }, /minSeverity/],
    ['queryLogs', { contains: /x/ }, /contains/],
    ['queryLogs', { text: 5 }, /text/],
    ['queryLogs', { traceId: 'abc' }, /traceId/],
    ['queryLogs', { spanId: 7 }, /spanId/],
    ['queryLogs', { attributes: 'x' }, /attributes/],
    ['queryLogs', { limit: 1.5 }, /limit/],
    ['queryLogs', { severity: 9 }, /severity/],
    ['queryMetrics', { name: 5 }, /name/],
    ['queryMetrics', { type: 'counter' }, /type/],
    ['queryMetrics', { labels: [] }, /labels/],
    ['queryMetrics', { limit: '5' }, /limit/],
    ['queryMetrics', { metric: 'x' }, /metric/],
    ['listMetrics', { lastSeconds: -1 }, /lastSeconds/],
    ['listServices', { lastSeconds: 'x' }, /lastSeconds/],
    ['getTrace', 'abc', /traceId/],
    ['getTrace', 5, /traceId/],
    ['getComments', 'abc', /traceId/],
    ['querySummary', { lastSeconds: 0 }, /lastSeconds/],
    ['queryAnomalies', { gone: 1 }, /gone/],
    ['queryDependencies', { service: 5 }, /service/],
  ] as const
).map(([method, argument, named]) => [(store) => store[method](argument as never), named]);

const WRONG_INSERTS: readonly (readonly [
  call: (store: StoreTrial['store']) => Promise<unknown>,
  named: RegExp,
])[] = [
  [(store) => store.insertSpans({} as never), /spans/],
  [(store) => store.insertSpans([{ name: 'x' }] as never), /spans\[0\]/],
  [(store) => store.insertLogs('x' as never), /logs/],
  [(store) => store.insertLogs([null] as never), /logs\[0\]/],
  [(store) => store.insertMetrics(5 as never), /metrics/],
  [(store) => store.insertMetrics([{ type: 'counter' }] as never), /metrics\[0\]/],
  [(store) => store.insertOtlp('profiles' as never, new Uint8Array()), /signal/],
  [(store) => store.addComment({ traceId: 'abc', author: 'a', text: 'b' }), /traceId/],
  [(store) => store.addComment({ traceId: `${'0'.repeat(31)}1`, author: '', text: 'b' }), /author/],
];

export const commonRules: readonly Rule<StoreTrial>[] = [
  {
    id: 'empty',
    contract: 'an empty store finds nothing, and an insert of nothing stores nothing',
    remedy: 'return empty lists, no cursor, and undefined for a trace that is not there',
    async run(trial) {
      for (const result of [
        await trial.call('insertSpans()', () => trial.store.insertSpans([])),
        await trial.call('insertLogs()', () => trial.store.insertLogs([])),
        await trial.call('insertMetrics()', () => trial.store.insertMetrics([])),
      ]) {
        same(result, { accepted: 0, rejected: 0, reasons: [] }, 'the result of an insert of nothing');
      }
      const store = await trial.settled();
      const id = trial.random.hex(32);
      same(await store.queryTraces(), { spans: [] }, 'the spans');
      same(await store.queryLogs(), { logs: [] }, 'the log records');
      same(await store.queryMetrics(), { series: [] }, 'the series');
      const lists = [store.listServices(), store.listMetrics(), store.getComments(id)];
      for (const list of await Promise.all(lists)) same(list, [], 'a list');
      same(await store.queryDependencies(), { dependencies: [] }, 'the dependencies');
      same(await store.queryAnomalies(), { anomalies: [] }, 'the anomalies');
      for (const [what, found] of Object.entries({
        getTrace: await store.getTrace(id),
        queryCriticalPath: await store.queryCriticalPath(id),
        queryPatterns: await store.queryPatterns(id),
        compareTraces: await store.compareTraces(id, id),
      })) {
        same(found, undefined, `what ${what} finds`);
      }
    },
  },
  {
    id: 'wrong-arguments',
    contract:
      'a wrong argument rejects with a TypeError or RangeError that names the field, and nothing is stored',
    remedy: 'check every field of every argument, unknown ones too, before anything is done',
    async run(trial) {
      const store = await trial.settled();
      const calls = [
        ...WRONG_QUERIES.map(([call, named]) => [() => call(store), named] as const),
        ...WRONG_INSERTS.map(([call, named]) => [() => call(trial.store), named] as const),
      ];
      for (const [call, named] of calls) {
        const error = await trial.rejection(`a call with a wrong ${named.source}`, call);
        const isMisuse = error instanceof TypeError || error instanceof RangeError;
        check(isMisuse && named.test(error.message), `a wrong ${named.source} rejected with ${shown(error)}`);
      }
      const { signals } = await (await trial.settled()).health();
      const counts = [signals.traces.count, signals.logs.count, signals.metrics.count];
      same(counts, [0, 0, 0], 'what is stored after wrong inserts');
    },
  },
  {
    id: 'at-once',
    contract: 'inserts that are made at the same time are all stored',
    remedy: 'let inserts wait for one another where they have to',
    async run(trial) {
      const { random, start } = trial;
      const spans = sampleSpans(random, 100, start);
      const logs = sampleLogs(random, 100, start);
      const metrics = sampleMetrics(random, 50, start);
      await Promise.all(
        Array.from({ length: 10 }, async (_, part) => {
          await Promise.all([
            trial.call('insertSpans()', () =>
              trial.store.insertSpans(spans.slice(part * 10, part * 10 + 10)),
            ),
            trial.call('insertLogs()', () => trial.store.insertLogs(logs.slice(part * 10, part * 10 + 10))),
            trial.call('insertMetrics()', () =>
              trial.store.insertMetrics(metrics.slice(part * 5, part * 5 + 5)),
            ),
          ]);
        }),
      );
      const store = await trial.settled();
      trial.sameSet((await store.queryTraces({ limit: 1000 })).spans, spans, 'the spans');
      trial.sameSet((await store.queryLogs({ limit: 1000 })).logs, logs, 'the log records');
      const points = metrics.reduce((sum, metric) => sum + metric.points.length, 0);
      const { signals } = await store.health();
      same(
        [signals.traces.count, signals.logs.count, signals.metrics.count],
        [100, 100, points],
        'the counts of health',
      );
    },
  },
  {
    id: 'seen-at-once',
    contract: 'what an insert has stored is found by the query that comes after it',
    remedy: 'resolve an insert only when queries find what it stored',
    async run(trial) {
      const spans = sampleSpans(trial.random, 5, trial.start);
      for (const [index, span] of spans.entries()) {
        await trial.call('insertSpans()', () => trial.store.insertSpans([span]));
        const store = await trial.settled();
        same(
          (await store.queryTraces()).spans.length,
          index + 1,
          'the number of spans after one more insert',
        );
      }
    },
  },
  {
    id: 'own-data',
    contract: 'what is inserted stays the caller’s, and so does what is found',
    remedy: 'copy what you keep, and hand out copies',
    async run(trial) {
      const [span] = sampleSpans(trial.random, 1, trial.start);
      const mine = { ...span!, attributes: { list: ['a'], text: 'x' }, resource: { ...span!.resource } };
      const inserting = trial.call('insertSpans()', () => trial.store.insertSpans([mine]));
      const expected = structuredClone(mine);
      await inserting;
      same(mine, expected, 'the span that was inserted');
      (mine.attributes.list as string[]).push('b');
      const store = await trial.settled();
      const first = await store.getTrace(span!.traceId);
      same(first?.spans, [expected], 'the span that is found');
      const spans = first!.spans as unknown as Record<string, unknown>[];
      spans[0]!.name = 'changed';
      spans.pop();
      same((await store.getTrace(span!.traceId))?.spans, [expected], 'the span that is found again');
    },
  },
  {
    id: 'comments',
    contract:
      'a comment on a trace or span comes back with its trace, the oldest first, and counts once under its id',
    remedy: 'store comments as durably as spans, and join them to the trace when it is asked for',
    async run(trial) {
      const [span] = sampleSpans(trial.random, 1, trial.start);
      const { traceId, spanId } = span!;
      await trial.call('insertSpans()', () => trial.store.insertSpans([span!]));
      const add = (comment: Parameters<Store['addComment']>[0]) =>
        trial.call('addComment()', () => trial.store.addComment(comment));
      const second = await add({ traceId, author: 'ada', text: 'later', time: trial.start + 2n });
      const first = await add({
        traceId,
        spanId,
        author: 'grace',
        text: 'ünïcode\n"x"',
        time: trial.start + 1n,
        id: '00000000000000aa',
      });
      await add({
        traceId,
        spanId,
        author: 'grace',
        text: 'ünïcode\n"x"',
        time: trial.start + 1n,
        id: '00000000000000aa',
      });
      await add({ traceId: trial.random.hex(32), author: 'ada', text: 'elsewhere' });
      same(
        first,
        {
          id: '00000000000000aa',
          traceId,
          spanId,
          author: 'grace',
          text: 'ünïcode\n"x"',
          timeUnixNanos: trial.start + 1n,
        },
        'the comment that addComment returned',
      );
      const store = await trial.settled();
      same(
        await trial.call('getComments()', () => store.getComments(traceId)),
        [first, second],
        'the comments',
      );
      same((await store.getTrace(traceId))?.comments, [first, second], 'the comments of the trace');
    },
  },
  {
    id: 'health',
    contract: 'a store in which nothing is wrong says ok and counts what it holds',
    remedy: 'count each record once, and report degraded only for what an operator should look at',
    async run(trial) {
      await trial.call('insertSpans()', () =>
        trial.store.insertSpans(sampleSpans(trial.random, 10, trial.start)),
      );
      await trial.call('insertLogs()', () =>
        trial.store.insertLogs(sampleLogs(trial.random, 11, trial.start)),
      );
      const store = await trial.settled();
      const { status, signals } = await trial.call('health()', () => store.health());
      same(status, 'ok', 'the status');
      same(
        [signals.traces.count, signals.logs.count, signals.metrics.count],
        [10, 11, 0],
        'the counts of spans, log records and points',
      );
      same([signals.traces.unreadable, signals.logs.unreadable], [0, 0], 'the counts of what cannot be read');
    },
  },
  {
    id: 'close',
    contract:
      'close can be called again, also while it runs; afterwards everything but health rejects with TW_STORE_CLOSED',
    remedy: 'keep the promise of the first close, and check it in every other method',
    async run(trial) {
      await trial.call('insertSpans()', () =>
        trial.store.insertSpans(sampleSpans(trial.random, 3, trial.start)),
      );
      const store = await trial.settled();
      await trial.call('flush()', () => store.flush());
      const query = trial.call('queryTraces()', () => store.queryTraces());
      await Promise.all([
        trial.call('close()', () => store.close()),
        trial.call('close()', () => store.close()),
      ]);
      await trial.call('close()', () => store.close());
      same(
        (await query).spans.length,
        3,
        'the number of spans that a query found while the store was closed',
      );
      const id = trial.random.hex(32);
      const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
        ['insertSpans', () => store.insertSpans([])],
        ['insertLogs', () => store.insertLogs([])],
        ['insertMetrics', () => store.insertMetrics([])],
        ['insertOtlp', () => store.insertOtlp('traces', new Uint8Array())],
        ['addComment', () => store.addComment({ traceId: id, author: 'ada', text: 'x' })],
        ['queryTraces', () => store.queryTraces()],
        ['queryLogs', () => store.queryLogs()],
        ['queryMetrics', () => store.queryMetrics()],
        ['listMetrics', () => store.listMetrics()],
        ['listServices', () => store.listServices()],
        ['getTrace', () => store.getTrace(id)],
        ['getComments', () => store.getComments(id)],
        ['querySummary', () => store.querySummary()],
        ['flush', () => store.flush()],
      ];
      for (const [method, call] of calls) {
        const error = await trial.rejection(`${method}() of a closed store`, call);
        const isClosed = error instanceof TracewellError && error.code === 'TW_STORE_CLOSED';
        check(isClosed, `${method}() of a closed store rejected with ${shown(error)}`);
      }
      same(
        (await trial.call('health()', () => store.health())).status,
        'closed',
        'the status of a closed store',
      );
    },
  },
];
