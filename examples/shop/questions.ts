// What one may ask a store besides for a trace. Each answer comes twice: as plain data, so that two answers can be
// compared, and as lines to print.
import { styleText } from 'node:util';
import type { Trace, TraceStore } from '@tracewell/store';

/** An answer. */
export interface Answer {
  readonly title: string;
  readonly lines: readonly string[];
  /** What makes two answers the same. */
  readonly data: unknown;
}

/** When the trouble of this run began, and from when to when to look. */
export interface Period {
  readonly start: Date;
  readonly trouble: Date;
  readonly end: Date;
}

/** Asks everything about a run and about one of its traces. */
export async function askAll(store: TraceStore, period: Period, trace: Trace): Promise<Answer[]> {
  return [
    await logsOf(store, trace),
    await summary(store, period),
    await anomalies(store, period),
    await dependencies(store, period),
    await critical(store, trace),
    await sql(store, period),
    await search(store, period),
  ];
}

async function logsOf(store: TraceStore, { traceId }: Trace): Promise<Answer> {
  const { logs } = await store.queryLogs({ traceId });
  const lines = logs.map((log) => {
    const service = log.resource.attributes['service.name'];
    return `${log.severityText.padEnd(5)} ${String(service).padEnd(9)} ${log.body}`;
  });
  return { title: 'What was logged in that trace', lines: lines.reverse(), data: logs };
}

async function summary(store: TraceStore, { start, end }: Period): Promise<Answer> {
  const data = await store.querySummary({ startTime: start, endTime: end });
  const rows = data.services.map((service) => [
    service.service,
    String(service.spanCount),
    percent(service.errorRate),
    milliseconds(service.p50Ms),
    milliseconds(service.p95Ms),
    milliseconds(service.p99Ms),
  ]);
  return {
    title: 'The run in numbers',
    lines: table(['service', 'spans', 'errors', 'p50', 'p95', 'p99'], rows),
    data,
  };
}

async function anomalies(store: TraceStore, { start, trouble, end }: Period): Promise<Answer> {
  const { anomalies: found } = await store.queryAnomalies({
    endTime: end,
    windowSeconds: (end.getTime() - trouble.getTime()) / 1e3,
    baselineSeconds: (trouble.getTime() - start.getTime()) / 1e3,
  });
  const data = found.filter(({ service, kind }) => service === 'payments' && kind === 'error-rate');
  const lines = data.map(({ severity, summary }) => `${severity}: ${summary}`);
  return { title: 'What got worse', lines, data };
}

async function dependencies(store: TraceStore, { start, end }: Period): Promise<Answer> {
  const { dependencies: data } = await store.queryDependencies({ startTime: start, endTime: end });
  const rows = data.map((one) => [
    `${one.from} → ${one.to}`,
    one.system || one.kind,
    String(one.spanCount),
    percent(one.errorRate),
    milliseconds(one.p95Ms),
  ]);
  return { title: 'Who calls whom', lines: table(['call', 'kind', 'calls', 'errors', 'p95'], rows), data };
}

async function critical(store: TraceStore, { traceId }: Trace): Promise<Answer> {
  const data = await store.queryCriticalPath(traceId);
  const rows = (data?.spans ?? [])
    .slice(0, 4)
    .map(({ service, operation, durationMs, share }) => [
      operation,
      service,
      milliseconds(durationMs),
      percent(share),
    ]);
  return {
    title: 'What made that trace slow',
    lines: table(['span', 'service', 'own time', 'of it'], rows),
    data,
  };
}

async function sql(store: TraceStore, { start, end }: Period): Promise<Answer> {
  const statement = `SELECT attributes['db.query.text'] AS statement, count(*) AS calls, median(duration_ms) AS median
    FROM spans
    WHERE attributes['db.query.text'] IS NOT NULL
      AND start_time BETWEEN '${timestamp(start)}' AND '${timestamp(end)}'
    GROUP BY ALL ORDER BY calls DESC LIMIT 3`;
  const { rows: data } = await store.querySql(statement);
  const rows = data.map(({ statement, calls, median }) => [
    String(statement).slice(0, 60),
    String(calls),
    milliseconds(Number(median)),
  ]);
  return {
    title: 'The most frequent statements, by SQL',
    lines: table(['statement', 'calls', 'median'], rows),
    data,
  };
}

async function search(store: TraceStore, { start, end }: Period): Promise<Answer> {
  const text = '"UPDATE products" stock';
  const { spans, matches = [] } = await store.queryTraces({ text, startTime: start, endTime: end, limit: 3 });
  const lines = matches.map(({ snippet }, at) => `${spans[at]!.spanId}  ${snippet}`);
  return { title: `Spans that say ${text}`, lines, data: spans };
}

/** Whether two answers say the same. */
export function isSame(a: Answer, b: Answer): boolean {
  return JSON.stringify(a.data, plain) === JSON.stringify(b.data, plain);
}

function plain(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}

/** Rows as lines: the first column to the left, the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((cell, column) => Math.max(cell.length, ...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('   ');
  return [styleText('dim', line(head)), ...rows.map(line)];
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}

function milliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

function timestamp(date: Date): string {
  return date.toISOString().replace('T', ' ').replace('Z', '');
}
