import { setTimeout } from 'node:timers/promises';
import type { MetricPointData } from '@tracewell/otlp';
import { type SpanData, SpanKind, TracewellError } from '@tracewell/plugin';
import { check, type Rule, same, shown } from '@tracewell/plugin/conformance';
import type { SearchLag } from '../../search/search-index.ts';
import { serviceOf } from '../oracle.ts';
import { sampleLogs, sampleMetrics, sampleSpans, wholeLog, wholeSpan } from '../samples.ts';
import type { StoreTrial } from '../store-trial.ts';

/** Asks until nothing that was stored is still to be indexed. */
async function whenIndexed<Page extends { readonly searchLag?: SearchLag }>(
  trial: StoreTrial,
  ask: () => Promise<Page>,
): Promise<Page> {
  const deadline = performance.now() + trial.patienceMs;
  for (;;) {
    const page = await trial.call('a query with a text', ask);
    if (page.searchLag === undefined) return page;
    const lag = shown(page.searchLag);
    check(performance.now() < deadline, `after ${trial.patienceMs} ms there is still to be indexed: ${lag}`);
    await setTimeout(50);
  }
}

export const analysisRules: readonly Rule<StoreTrial>[] = [
  {
    id: 'analysis',
    contract: 'the analyses count each span once, whatever else they say',
    remedy: 'let them read what queryTraces reads',
    async run(trial) {
      const spans = sampleSpans(trial.random, 80, trial.start);
      for (const part of [spans.slice(0, 50), spans]) {
        await trial.call('insertSpans()', () => trial.store.insertSpans(part));
        await trial.settled();
      }
      const store = await trial.settled();
      const summary = await trial.call('querySummary()', () => store.querySummary({ lastSeconds: 7200 }));
      const errors = spans.filter((span) => span.status.code === 2).length;
      same([summary.spanCount, summary.errorCount], [80, errors], 'spans and errors of the summary');
      const [{ traceId }] = spans as [(typeof spans)[0]];
      const path = await trial.call('queryCriticalPath()', () => store.queryCriticalPath(traceId));
      check(path !== undefined, 'there is no critical path of a trace that is there');
      check(
        Array.isArray(await store.queryPatterns(traceId)),
        'there are no patterns of a trace that is there',
      );
      check(
        (await store.compareTraces(traceId, traceId)) !== undefined,
        'a trace cannot be compared with itself',
      );
      const { anomalies } = await trial.call('queryAnomalies()', () => store.queryAnomalies());
      check(Array.isArray(anomalies), `the anomalies are ${shown(anomalies)}`);
    },
  },
  {
    id: 'correlate',
    contract:
      'queryCorrelate brings a trace with the log records that name it and the metrics of its services around it',
    remedy: 'ask queryLogs for the trace, and queryMetrics for each of its services',
    async run(trial) {
      // Two spans of each trace: not all services take part.
      const spans = sampleSpans(trial.random, 16, trial.start);
      const [{ traceId }] = spans as [SpanData];
      const logs = sampleLogs(trial.random, 30, trial.start).map((log, at) => ({
        ...log,
        traceId: at % 3 === 0 ? traceId : log.traceId,
      }));
      const metrics = sampleMetrics(trial.random, 30, trial.start);
      await trial.call('insertSpans()', () => trial.store.insertSpans(spans));
      await trial.call('insertLogs()', () => trial.store.insertLogs(logs));
      await trial.call('insertMetrics()', () => trial.store.insertMetrics(metrics));
      const store = await trial.settled();
      const found = await trial.call('queryCorrelate()', () => store.queryCorrelate(traceId));
      const own = spans.filter((span) => span.traceId === traceId);
      trial.sameSet(found?.trace.spans ?? [], own, 'the spans of the trace');
      trial.sameSet(
        found?.logs ?? [],
        logs.filter((log) => log.traceId === traceId),
        'the log records of the trace',
      );
      const services = new Set(own.map(serviceOf));
      const points = (found?.metrics ?? []).flatMap((one) => one.points as readonly MetricPointData[]);
      const wanted = metrics.filter((one) => services.has(serviceOf(one)));
      trial.sameSet(
        points,
        wanted.flatMap((one) => one.points as readonly MetricPointData[]),
        'the points around the trace',
      );
      same(
        await store.queryCorrelate(trial.random.hex(32)),
        undefined,
        'what belongs to a trace that is not there',
      );
    },
  },
  {
    id: 'dependencies',
    contract: 'queryDependencies counts the calls from one service to another, each once',
    remedy: 'join spans with their parents by trace id and span id',
    async run(trial) {
      const [shop, pay] = [{ 'service.name': 'shop' }, { 'service.name': 'pay' }];
      const [sample] = sampleSpans(trial.random, 1, trial.start) as [SpanData];
      const spans = Array.from({ length: 20 }, (_, call): SpanData[] => {
        const client = {
          ...sample,
          traceId: trial.random.hex(32),
          spanId: trial.random.hex(16),
          parentSpanId: '',
        };
        const server = { ...client, spanId: trial.random.hex(16), parentSpanId: client.spanId };
        const status = { code: call % 4 === 0 ? 2 : 0, message: '' } as const;
        return [
          { ...client, kind: SpanKind.CLIENT, resource: { ...sample.resource, attributes: shop } },
          { ...server, kind: SpanKind.SERVER, status, resource: { ...sample.resource, attributes: pay } },
        ];
      }).flat();
      for (const part of [spans, spans.slice(0, 10)]) {
        await trial.call('insertSpans()', () => trial.store.insertSpans(part));
        await trial.settled();
      }
      const store = await trial.settled();
      const { dependencies } = await trial.call('queryDependencies()', () => store.queryDependencies());
      const calls = dependencies.map(({ from, to, kind, spanCount }) => ({ from, to, kind, spanCount }));
      same(calls, [{ from: 'shop', to: 'pay', kind: 'service', spanCount: 20 }], 'the dependencies');
    },
  },
  {
    id: 'text',
    contract:
      'a text finds spans and log records by the words in them, and one that makes no sense is refused',
    remedy: 'index the texts that the docs name, and say by searchLag what is not indexed yet',
    async run(trial) {
      const whole = wholeSpan(trial.random, trial.start);
      const thrown = { 'exception.type': 'Error', 'exception.message': 'connection refused by the upstream' };
      const events = [
        { name: 'exception', timeUnixNanos: trial.start, attributes: thrown, droppedAttributesCount: 0 },
      ];
      const span = { ...whole, attributes: {}, events, links: [] };
      const log = {
        ...wholeLog(trial.random, trial.start),
        body: 'payment declined by the bank',
        attributes: {},
      };
      const others = sampleSpans(trial.random, 10, trial.start);
      await trial.call('insertSpans()', () => trial.store.insertSpans([span, ...others]));
      await trial.call('insertLogs()', () => trial.store.insertLogs([log]));
      const store = await trial.settled();
      for (const [text, count] of [
        ['upstream', 1],
        ['"connection refused"', 1],
        ['"refused connection"', 0],
        ['conn* AND (upstream OR nothing)', 1],
        ['refused NOT upstream', 0],
      ] as const) {
        const { spans } = await whenIndexed(trial, () => store.queryTraces({ text }));
        same(spans, count === 0 ? [] : [span], `the spans with the text ${text}`);
      }
      const { logs } = await whenIndexed(trial, () => store.queryLogs({ text: 'declin*' }));
      same(logs, [log], 'the log records with a text');
      for (const text of ['(', '"', 'NOT', '']) {
        const error = await trial.rejection('queryTraces()', () => store.queryTraces({ text }));
        const isRefusal = error instanceof Error && error.message.includes('text');
        check(isRefusal, `the text ${shown(text)} rejected with ${shown(error)}`);
      }
    },
  },
  {
    id: 'sql',
    contract: 'querySql sees each span, log record and point once, and refuses what is no SELECT',
    remedy: 'let the tables read what the queries read',
    async run(trial) {
      const spans = sampleSpans(trial.random, 30, trial.start);
      const logs = sampleLogs(trial.random, 20, trial.start);
      const metrics = sampleMetrics(trial.random, 10, trial.start);
      for (let time = 0; time < 2; time++) {
        await trial.call('insertSpans()', () => trial.store.insertSpans(spans));
        await trial.call('insertLogs()', () => trial.store.insertLogs(logs));
        await trial.call('insertMetrics()', () => trial.store.insertMetrics(metrics));
        await trial.settled();
      }
      const store = await trial.settled();
      const count = async (table: string): Promise<unknown> => {
        const sql = `SELECT count(*)::INTEGER AS n FROM ${table}`;
        return (await trial.call('querySql()', () => store.querySql(sql))).rows[0]?.n;
      };
      try {
        await count('spans');
      } catch (error) {
        if (error instanceof TracewellError && error.code === 'TW_SQL_UNAVAILABLE') return error.message;
        throw error;
      }
      const points = metrics.reduce((sum, { points }) => sum + points.length, 0);
      same(
        [await count('spans'), await count('logs'), await count('metrics')],
        [30, 20, points],
        'the rows of the tables',
      );
      const error = await trial.rejection('querySql()', () => store.querySql("COPY spans TO 'file'"));
      check(error instanceof TracewellError, `a COPY rejected with ${shown(error)}`);
      return undefined;
    },
  },
];
