import { encodeLogs, type LogData, SeverityNumber } from '@tracewell/otlp';
import { TracewellError } from '@tracewell/plugin';
import { check, type Rule, same, shown } from '@tracewell/plugin/conformance';
import type { LogQuery } from '../../query/logs/log-query.ts';
import { isWantedLog, timeOfLog } from '../oracle.ts';
import { allPages, checkCursors, checkOrder } from '../pages.ts';
import type { Random } from '../random.ts';
import { sampleLogs, wholeLog } from '../samples.ts';
import type { StoreTrial } from '../store-trial.ts';

/** One filter of each kind, and then combinations. */
function queries(random: Random, logs: readonly LogData[], start: bigint): LogQuery[] {
  const inTrace = logs.filter((log) => log.traceId !== '');
  const filters = (): Required<Omit<LogQuery, 'lastSeconds' | 'limit' | 'cursor' | 'text' | 'order'>> => ({
    service: random.pick(['shop', 'ünïcode', 'unknown_service', 'nobody']),
    minSeverity: random.pick([SeverityNumber.UNSPECIFIED, SeverityNumber.INFO, SeverityNumber.ERROR]),
    contains: random.pick(['payment', '€', 'failed', 'list', 'nothing']),
    traceId: random.pick(inTrace).traceId,
    spanId: random.pick(inTrace).spanId,
    attributes: random.pick([
      { color: 'red' },
      { size: 1 },
      { number: 7 },
      { 'host.name': 'host-1' },
      { gone: 'x' },
    ]),
    startTime: timeOfLog(random.pick(logs)),
    endTime: random.pick([timeOfLog(random.pick(logs)), new Date(Number(start / 1_000_000n) + 500)]),
  });
  const single = Object.entries(filters()).map(([key, value]): LogQuery => ({ [key]: value }));
  const combined = Array.from({ length: 40 }, (): LogQuery => random.some(filters(), 3));
  return [{}, ...single, ...combined];
}

/** Inserts random log records by several requests. */
async function insertSample(trial: StoreTrial, count = 120): Promise<LogData[]> {
  const logs = sampleLogs(trial.random, count, trial.start);
  for (let from = 0; from < count; from += 25) {
    const part = logs.slice(from, from + 25);
    const { accepted } = await trial.call('insertLogs()', () => trial.store.insertLogs(part));
    same(accepted, part.length, 'the number of accepted log records');
  }
  return logs;
}

export const logRules: readonly Rule<StoreTrial>[] = [
  {
    id: 'log-fidelity',
    contract: 'whatever OTLP can say of a log record comes back as it was',
    remedy: 'keep the OTLP bytes, or a column for every field and type',
    async run(trial) {
      const log = wholeLog(trial.random, trial.start);
      await trial.call('insertLogs()', () => trial.store.insertLogs([log]));
      const store = await trial.settled();
      const { logs } = await trial.call('queryLogs()', () => store.queryLogs());
      same(logs, [log], 'the log record that queryLogs found');
    },
  },
  {
    id: 'log-filters',
    contract: 'queryLogs finds the log records that match every field of the query, and no others',
    remedy:
      'compare with what the docs of LogQuery say of the field; whatever an index says, decide on the record',
    async run(trial) {
      const all = await insertSample(trial);
      const store = await trial.settled();
      for (const query of queries(trial.random, all, trial.start)) {
        const wanted = all.filter((log) => isWantedLog(log, query));
        const { logs } = await trial.call('queryLogs()', () => store.queryLogs({ ...query, limit: 1000 }));
        trial.sameSet(logs, wanted, `the log records found by ${shown(query)}`);
      }
      const recent = await store.queryLogs({ lastSeconds: 7200, limit: 1000 });
      same(recent.logs.length, all.length, 'the number of log records of the last two hours');
      const late = await store.queryLogs({ lastSeconds: 60 });
      same(late.logs.length, 0, 'the number of log records of the last minute');
    },
  },
  {
    id: 'log-order',
    contract:
      'log records come newest first, always in the same order, those of a request and a moment the last one first',
    remedy: 'sort by the time, then by the request that brought the record and its place in it',
    async run(trial) {
      await insertSample(trial);
      const moment = trial.start + 2_000_000_000n;
      const steps = Array.from({ length: 20 }, (_, step) => ({
        ...wholeLog(trial.random, moment),
        body: step,
      }));
      // Of one resource and scope, so that a request holds them in this order.
      const [{ resource, scope }] = steps as [LogData];
      const inOrder = steps.map((log) => ({ ...log, resource, scope }));
      await trial.call('insertLogs()', () => trial.store.insertLogs(inOrder));
      const store = await trial.settled();
      const ask = async () => (await trial.call('queryLogs()', () => store.queryLogs({ limit: 1000 }))).logs;
      const logs = await ask();
      checkOrder(logs, await ask(), timeOfLog, 'log records');
      same(
        logs.slice(0, 20).map((log) => log.body),
        inOrder.map((log) => log.body).reverse(),
        'the bodies of log records of one request and one moment',
      );
    },
  },
  {
    id: 'log-pages',
    contract:
      'the pages of queryLogs together are the records that match, each once, and the last has no cursor',
    remedy: 'let the cursor name a place in the order',
    async run(trial) {
      const all = await insertSample(trial);
      const store = await trial.settled();
      for (const limit of [1, 7, 40, 120, 121]) {
        for (const query of [{}, { service: 'shop' }, { contains: 'payment' }] satisfies LogQuery[]) {
          if (limit === 1 && query.service === undefined) continue;
          const logs = await allPages(trial, limit, async (cursor) => {
            const page = await store.queryLogs({ ...query, limit, cursor });
            return { rows: page.logs, cursor: page.cursor };
          });
          const wanted = all.filter((log) => isWantedLog(log, query));
          trial.sameSet(logs, wanted, `the log records on the pages of ${limit} of ${shown(query)}`);
        }
      }
    },
  },
  {
    id: 'log-pages-stay',
    contract: 'what is inserted between two pages makes no page skip or repeat a log record',
    remedy: 'let the cursor name a place in the order, not a number of records',
    async run(trial) {
      const all = await insertSample(trial);
      const before = await trial.settled();
      const first = await trial.call('queryLogs()', () => before.queryLogs({ limit: 50 }));
      const more = sampleLogs(trial.random, 30, trial.start).map((log) => ({ ...log, eventName: 'late' }));
      await trial.call('insertLogs()', () => trial.store.insertLogs(more));
      const after = await trial.settled();
      const rest = await allPages(trial, 50, async (cursor) => {
        const page = await after.queryLogs({ limit: 50, cursor: cursor ?? first.cursor });
        return { rows: page.logs, cursor: page.cursor };
      });
      const seen = [...first.logs, ...rest].filter((log) => log.eventName !== 'late');
      trial.sameSet(seen, all, 'the log records on all pages that were there before');
    },
  },
  {
    id: 'log-once',
    contract:
      'an insert of log records that is made again, as a retry does, counts once; two records that are alike within it count as two',
    remedy: 'know a record by the bytes of its request and its place in it',
    async run(trial) {
      const logs = sampleLogs(trial.random, 20, trial.start);
      const twice = [...logs, logs[0]!];
      for (let time = 0; time < 3; time++) {
        const { accepted, rejected } = await trial.call('insertLogs()', () => trial.store.insertLogs(twice));
        same(
          [accepted, rejected],
          [21, 0],
          'what is accepted and rejected of records that are there already',
        );
        await trial.settled();
      }
      const store = await trial.settled();
      const found = await trial.call('queryLogs()', () => store.queryLogs());
      trial.sameSet(found.logs, twice, 'the log records found by queryLogs');
      same((await store.health()).signals.logs.count, 21, 'the number of log records by health');
    },
  },
  {
    id: 'log-otlp',
    contract: 'insertOtlp stores an OTLP request of log records, and refuses what is no request',
    remedy: 'check the bytes before anything of them is stored',
    async run(trial) {
      const logs = sampleLogs(trial.random, 5, trial.start);
      const bytes = encodeLogs(logs);
      const result = await trial.call('insertOtlp()', () => trial.store.insertOtlp('logs', bytes));
      same(result, { accepted: 5, rejected: 0, reasons: [] }, 'the result');
      const broken = bytes.subarray(0, bytes.length - 3);
      const error = await trial.rejection('insertOtlp()', () => trial.store.insertOtlp('logs', broken));
      const isRefusal = error instanceof TracewellError && error.code.startsWith('TW_DECODE_');
      check(isRefusal, `insertOtlp of broken bytes rejected with ${shown(error)}`);
      const store = await trial.settled();
      trial.sameSet((await store.queryLogs()).logs, logs, 'the log records of the request');
    },
  },
  {
    id: 'log-cursors',
    contract: 'a cursor of log records is a text that can be kept, and nothing else is a cursor',
    remedy: 'write the place in the order into the cursor, and check what comes back',
    async run(trial) {
      await insertSample(trial);
      await checkCursors(trial, 'queryLogs', (store, cursor) => store.queryLogs({ limit: 10, cursor }));
    },
  },
];
