// npm run demo: a shop of four services, traced into one directory with no server between them.
// npm run demo -- --fresh forgets what earlier runs left in that directory.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdirSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, styleText } from 'node:util';
import { SpanKind, StatusCode } from '@tracewell/plugin';
import { formatTrace } from '@tracewell/sdk';
import { openStore, type Trace, type TraceStore } from '@tracewell/store';
import { startCollector } from './collector.ts';
import { type Answer, askAll, isSame } from './questions.ts';

const { values: options } = parseArgs({ options: { fresh: { type: 'boolean', default: false } } });

const here = import.meta.dirname;
const directory = `${here}/.tracewell`;
const runStart = new Date();
const deadline = setTimeout(() => fail('The demo did not end within 60 seconds.'), 60_000).unref();

// Otherwise each of the services would find out for itself, and say so again and again.
try {
  mkdirSync(directory, { recursive: true });
  accessSync(directory, constants.W_OK);
  if (options.fresh) rmSync(directory, { recursive: true, force: true });
} catch (error) {
  const place = relative(process.cwd(), directory);
  fail(
    `The demo cannot write to ${place}: ${(error as Error).message}. Run it in a clone that you may write to.`,
  );
}

/** A running process of the shop. */
interface Service {
  readonly name: string;
  readonly process: ChildProcess;
  readonly url: string;
  /** How many requests it has answered so far. */
  answered(): number;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const collector = await startCollector();
say('Starting a PostgreSQL, an OTLP collector and four services …');
const database = await start('database', 'database.ts', {});
const inventory = await startService('inventory', { DATABASE_URL: database.url });
const payments = await startService('payments', {});
const orders = await startService('orders', {
  DATABASE_URL: database.url,
  INVENTORY_URL: inventory.url,
  PAYMENTS_URL: payments.url,
});
const gateway = await startService('gateway', { INVENTORY_URL: inventory.url, ORDERS_URL: orders.url });

const reader = await openStore(directory, { readOnly: true });
const earlier = (await reader.health()).signals.traces.count;

heading('Traffic');
const answers = await shop(gateway, 240);
say(
  [...answers]
    .sort(([a], [b]) => a - b)
    .map(([status, count]) => `${count} x ${status}`)
    .join(', '),
);

heading('Trouble');
const troubleStart = new Date();
const troubled = await shop(gateway, 120, 'broken');
say(`The bank's line breaks: ${troubled.get(502) ?? 0} of 120 requests fail.`);
const runEnd = new Date();

heading('A crash');
// Somebody orders the globe; while inventory looks for it on its slow shelf, inventory is killed.
const lost = checkout(gateway, { product: 'globe', quantity: 1, card: 'good' });
await sleep(800);
const answered = inventory.answered();
inventory.process.kill('SIGKILL');
await once(inventory.process, 'exit');
say(`inventory (process ${inventory.process.pid}) got SIGKILL in the middle of a request.`);
say(`It had answered ${answered} requests. The customer got HTTP status ${await lost}.`);
const survived = await serverSpans(reader, inventory);
say(`Its spans that are in the store: ${survived} of ${answered} answered requests.`);

for (const service of [gateway, orders, payments, database]) await stop(service.process);

heading('The slowest failing trace of this run');
const { spans: failures } = await reader.queryTraces({
  service: 'gateway',
  status: StatusCode.ERROR,
  kind: SpanKind.SERVER,
  startTime: runStart,
  limit: 1_000,
});
const slowest = failures.reduce((a, b) => (duration(a) >= duration(b) ? a : b), failures[0]!);
if (slowest === undefined) fail('No request failed, though some should have.');
const trace = (await reader.getTrace(slowest.traceId)) as Trace;
console.log(formatTrace(trace.spans));
const processes = new Set(trace.spans.map((span) => span.resource.attributes['process.pid']));
say(`${trace.spans.length} spans from ${processes.size} processes, put together from their logs.`);

const period = { start: runStart, trouble: troubleStart, end: runEnd };
const store = await openStore(directory);
const before = await askAll(store, period, trace);
for (const { title, lines } of before) {
  heading(title);
  for (const line of lines) say(line);
}

heading('The same after compaction');
const compaction = await store.compact();
const after = await askAll(store, period, (await store.getTrace(trace.traceId)) as Trace);
const changed = before.filter((answer, at) => !isSame(answer, after[at] as Answer));
say(
  `${compaction.segments} segments of the log became ${compaction.files} Parquet files, ${kibibytes(compaction.segmentBytes)} → ${kibibytes(compaction.fileBytes)}.`,
);
say(`Asked again: ${after.length - changed.length} of ${after.length} answers are the same.`);

heading('Where the data lies');
const health = await reader.health();
say(
  `${relative(process.cwd(), directory)}: ${health.signals.traces.count} spans, ${(health.log.bytes / 1024).toFixed(0)} KiB of log.`,
);
if (earlier === 0) {
  say('This was the first run here; the next one will find its traces.');
} else {
  const { spans } = await reader.queryTraces({
    service: 'gateway',
    status: StatusCode.ERROR,
    endTime: runStart,
    limit: 1,
  });
  const old = spans[0] && (await reader.getTrace(spans[0].traceId));
  say(`${earlier} of these spans are from earlier runs.`);
  if (old !== undefined) {
    say('The newest trace that failed then is still whole:');
    say(`${old.traceId}, ${old.spans.length} spans of ${old.services.join(', ')}.`);
  }
}
say(
  `The same spans went to the OTLP collector: ${collector.spanCount} spans in ${collector.requestCount} requests.`,
);

await reader.close();
await store.close();
await collector.close();
clearTimeout(deadline);
if (survived < answered) fail(`${answered - survived} answered requests of inventory are not in the store.`);
if (changed.length > 0) fail(`Changed by compaction: ${changed.map(({ title }) => title).join(', ')}.`);
for (const { title, lines } of before) if (lines.length === 0) fail(`No answer: ${title}.`);
if (processes.size < 3) fail('The trace should have crossed three processes.');

/**
 * Orders and looks, by 8 customers at a time; returns how often each HTTP status came back.
 *
 * @param card - what every second customer pays with. Default: now and then a card that is declined, or a bank that
 * does not answer
 */
async function shop(gateway: Service, count: number, card?: string): Promise<Map<number, number>> {
  const products = ['lamp', 'chair', 'clock'];
  const statuses = new Map<number, number>();
  let next = 0;
  const customer = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) {
      const product = products[i % products.length]!;
      const usual = i % 60 === 59 ? 'offline' : i % 12 === 7 ? 'declined' : 'good';
      const status =
        i % 3 === 0
          ? (await fetch(`${gateway.url}/products/${i % 45 === 42 ? 'unicorn' : product}`)).status
          : await checkout(gateway, {
              product,
              quantity: 1 + (i % 4),
              card: card !== undefined && i % 2 === 0 ? card : usual,
            });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 8 }, customer));
  return statuses;
}

async function checkout(gateway: Service, order: Record<string, unknown>): Promise<number> {
  const response = await fetch(`${gateway.url}/checkout`, { method: 'POST', body: JSON.stringify(order) });
  await response.arrayBuffer();
  return response.status;
}

function startService(name: string, urls: Record<string, string>): Promise<Service> {
  return start(name, `services/${name}.ts`, {
    ...urls,
    OTEL_SERVICE_NAME: name,
    OTEL_BSP_SCHEDULE_DELAY: '500',
    TRACEWELL_DIRECTORY: directory,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  });
}

async function start(name: string, file: string, env: Record<string, string>): Promise<Service> {
  const child = fork(`${here}/${file}`, {
    cwd: here,
    env: { ...process.env, ...env },
    // All that tracing takes. The services themselves know nothing of it.
    execArgv: [...process.execArgv, ...(name === 'database' ? [] : ['--import', '@tracewell/node/register'])],
  });
  running.add(child);
  child.on('exit', () => running.delete(child));
  let answered = 0;
  const url = await new Promise<string>((resolve) => {
    child.on('message', (message: { url?: string; answered?: number }) => {
      if (message.url !== undefined) resolve(message.url);
      if (message.answered !== undefined) answered = message.answered;
    });
    child.on('exit', (code, signal) => {
      if (child.exitCode !== 0 && signal !== 'SIGKILL' && signal !== 'SIGTERM')
        fail(`${name} ended with ${signal ?? code}.`);
    });
  });
  return { name, process: child, url, answered: () => answered };
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  await once(child, 'exit');
}

function duration(span: { startTimeUnixNanos: bigint; endTimeUnixNanos: bigint }): bigint {
  return span.endTimeUnixNanos - span.startTimeUnixNanos;
}

async function serverSpans(store: TraceStore, service: Service): Promise<number> {
  const { spans } = await store.queryTraces({
    service: service.name,
    kind: SpanKind.SERVER,
    attributes: { 'process.pid': service.process.pid! },
    startTime: runStart,
    limit: 1_000,
  });
  return spans.length;
}

function kibibytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(0)} KiB`;
}

function heading(text: string): void {
  console.log(`\n${styleText('bold', text)}`);
}

function say(text: string): void {
  console.log(`  ${text}`);
}

function fail(text: string): never {
  console.error(text);
  process.exit(1);
}
