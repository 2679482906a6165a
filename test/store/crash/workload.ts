/**
 * What the processes of the kill loop store, and how to tell afterwards that all of it is there. Contents
 * follow from an id, so that the one who checks needs to be told only the ids that were acknowledged.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { encodeLogs, encodeMetrics, encodeTraces } from '@tracewell/otlp';
import { type SpanData, SpanKind, StatusCode } from '@tracewell/plugin';
import { openStore, type Signal, type StoreOptions } from '@tracewell/store';
import { FrameKind, type LogOptions } from '../../../packages/store/src/log/types.ts';
import { openAt } from '../frame-list.ts';

/** Whether the log is driven by itself, or through the whole store, or through one that compacts all the time. */
export type Through = 'log' | 'store' | 'cold';

/** A directory that is open for the kill loop. */
export interface Target {
  insert(id: string): Promise<void>;
  /** As `insert`, before it returns. */
  insertSync(id: string): void;
  /** Throws unless everything of these ids is there, once, and nothing of any id by half. */
  check(ids: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens a directory. */
export async function openTarget(through: Through, directory: string, options: LogOptions): Promise<Target> {
  switch (through) {
    case 'log':
      return openLogTarget(directory, options);
    case 'store':
      return openStoreTarget(directory, options);
    case 'cold':
      return openStoreTarget(directory, { ...options, maintenance: { intervalMs: 100, hotMaxBytes: 0 } });
  }
}

async function openLogTarget(directory: string, options: LogOptions): Promise<Target> {
  const { log, list } = await openAt(directory, options);
  return {
    insert: (id) => log.append(FrameKind.TRACES, Buffer.from(textOf(id))),
    insertSync: (id) => log.appendSync(FrameKind.TRACES, Buffer.from(textOf(id))),
    async check(ids) {
      await log.refresh();
      const times = new Map<string, number>();
      for (const text of list.texts()) {
        const id = text.slice(0, text.indexOf(' '));
        if (text !== textOf(id)) throw new Error(`${id} is not what was written: ${text.slice(0, 100)}`);
        times.set(id, (times.get(id) ?? 0) + 1);
      }
      for (const id of ids)
        if (times.get(id) !== 1) throw new Error(`${id} is there ${times.get(id) ?? 0} times`);
    },
    close: () => log.close(),
  };
}

async function openStoreTarget(directory: string, options: StoreOptions): Promise<Target> {
  const store = await openStore(directory, options);
  return {
    async insert(id) {
      const signal = SIGNALS[hash(id)[22]! % SIGNALS.length]!;
      await store.insertOtlp(signal, requestOf(signal, id));
    },
    insertSync(id) {
      const spans = spansOf(id);
      store.insertBatchSync({ bytes: encodeTraces(spans), spanCount: spans.length });
    },
    async check(ids) {
      for (const id of ids) {
        const expected = spansOf(id).map((span) => span.name);
        const { traceId } = spansOf(id)[0]!;
        const { logs } = await store.queryLogs({ traceId });
        const { series } = await store.queryMetrics({ name: id });
        const found: Record<Signal, unknown[]> = {
          traces: (await store.getTrace(traceId))?.spans.map((span) => span.name) ?? [],
          logs: logs.map((log) => log.body).reverse(),
          metrics: series.map(({ labels, points }) => (points.length === 1 ? labels.name : undefined)),
        };
        // By which signal it was stored, whoever checks cannot know: it may have been at the end of a process.
        const whole = SIGNALS.filter((signal) =>
          isDeepStrictEqual(found[signal].toSorted(), expected.toSorted()),
        );
        const empty = SIGNALS.filter((signal) => found[signal].length === 0);
        if (whole.length !== 1 || empty.length !== 2)
          throw new Error(`${id}: found ${JSON.stringify(found)}`);
      }
      const { signals, unreadableFrames } = await store.health();
      const { traces, logs, metrics } = signals;
      const count = traces.count + logs.count + metrics.count;
      if (count < ids.reduce((sum, id) => sum + spansOf(id).length, 0))
        throw new Error(`only ${count} records`);
      if (unreadableFrames + traces.unreadable + logs.unreadable + metrics.unreadable > 0)
        throw new Error('something cannot be read');
    },
    close: () => store.close(),
  };
}

const SIGNALS = ['traces', 'logs', 'metrics'] as const satisfies readonly Signal[];

/** The spans of an id, or log records or points that say the same. */
function requestOf(signal: Signal, id: string): Uint8Array {
  const spans = spansOf(id);
  if (signal === 'traces') return encodeTraces(spans);
  const rest = { attributes: {}, droppedAttributesCount: 0, flags: 0 };
  if (signal === 'logs') {
    return encodeLogs(
      spans.map(({ traceId, spanId, name, startTimeUnixNanos, resource, scope }) => ({
        ...rest,
        timeUnixNanos: startTimeUnixNanos,
        observedTimeUnixNanos: 0n,
        severityNumber: 9,
        severityText: '',
        body: name,
        traceId,
        spanId,
        eventName: '',
        resource,
        scope,
      })),
    );
  }
  const [{ resource, scope }] = spans as [SpanData];
  const points = spans.map(({ name, startTimeUnixNanos }) => ({
    attributes: { name },
    startTimeUnixNanos: 0n,
    timeUnixNanos: startTimeUnixNanos,
    flags: 0,
    value: 1,
    exemplars: [],
  }));
  return encodeMetrics([
    { type: 'gauge', name: id, description: '', unit: '', metadata: {}, resource, scope, points },
  ]);
}

/** 100 to 3,000 bytes. */
function textOf(id: string): string {
  return `${id} `.padEnd(100 + (hash(id).readUInt16LE(0) % 2900), id);
}

/** A trace of 1 to 20 spans. */
function spansOf(id: string): SpanData[] {
  const digest = hash(id);
  const traceId = digest.toString('hex', 0, 16);
  const start = 1_700_000_000_000_000_000n + BigInt(digest.readUInt32LE(16)) * 1000n;
  const resource = {
    attributes: { 'service.name': id.split('-')[0]! },
    droppedAttributesCount: 0,
    schemaUrl: '',
  };
  const scope = { name: 'kill-loop', version: '1', attributes: {}, droppedAttributesCount: 0, schemaUrl: '' };
  return Array.from({ length: 1 + (digest.readUInt16LE(20) % 20) }, (_, i) => ({
    traceId,
    spanId: (i + 1).toString(16).padStart(16, '0'),
    parentSpanId: i === 0 ? '' : '1'.padStart(16, '0'),
    traceState: '',
    flags: 1,
    name: `${id} ${i}`,
    kind: SpanKind.INTERNAL,
    startTimeUnixNanos: start + BigInt(i),
    endTimeUnixNanos: start + 1_000_000n,
    attributes: { id, index: i },
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    status: { code: StatusCode.UNSET, message: '' },
    resource,
    scope,
  }));
}

function hash(id: string): Buffer {
  return createHash('sha256').update(id).digest();
}
