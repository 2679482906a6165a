// A tracer plugin in plain objects: the contract written down the naive way. The conformance suite has to pass
// for it, and has to fail for each of the plugins in broken-plugins.ts, which change one thing about it.
import {
  type Attributes,
  type AttributeValue,
  Double,
  FlushError,
  INVALID_SPAN,
  type PluginStats,
  type SpanContext,
  type SpanData,
  type SpanEvent,
  type SpanHandle,
  SpanKind,
  type SpanLink,
  type SpanStart,
  type SpanStatus,
  StatusCode,
  type TracerPlugin,
} from '@tracewell/plugin';
import type { ConformanceLimits, PluginRequest } from '@tracewell/plugin/conformance';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A span under way; `data` is what will be delivered. */
export interface OpenSpan {
  readonly data: Mutable<SpanData> & {
    events: SpanData['events'][number][];
    links: SpanData['links'][number][];
  };
  readonly attributes: Record<string, AttributeValue>;
}

const unlimited: ConformanceLimits = {
  attributeCountLimit: Number.POSITIVE_INFINITY,
  attributeValueLengthLimit: Number.POSITIVE_INFINITY,
  eventCountLimit: Number.POSITIVE_INFINITY,
  linkCountLimit: Number.POSITIVE_INFINITY,
  attributePerEventCountLimit: Number.POSITIVE_INFINITY,
  attributePerLinkCountLimit: Number.POSITIVE_INFINITY,
};
const noResource = { attributes: {}, droppedAttributesCount: 0, schemaUrl: '' };
const maxDepth = 32;
const knownBit = 0x100;
const remoteBit = 0x200;

export class ReferencePlugin implements TracerPlugin {
  readonly name = 'reference';
  readonly open = new Map<SpanHandle, OpenSpan>();
  readonly limits: ConformanceLimits;
  readonly sampled: boolean;
  readonly keep: boolean;
  ended: SpanData[] = [];
  delivered: SpanData[] = [];
  failing = false;
  isShutDown = false;
  lastHandle = 0;
  counts = { started: 0, ended: 0, exported: 0 };

  constructor({ limits = unlimited, sampled = true, keep = true }: PluginRequest) {
    this.limits = limits;
    this.sampled = sampled;
    this.keep = keep;
  }

  startSpan(start: SpanStart): SpanHandle {
    const parent = read(() => start.parent);
    if (parent === INVALID_SPAN || !this.sampled || this.isShutDown) return INVALID_SPAN;
    const handle = this.nextHandle();
    this.open.set(handle, this.newSpan(start, this.parentOf(start)));
    this.counts.started++;
    return handle;
  }

  nextHandle(): SpanHandle {
    return ++this.lastHandle;
  }

  /** The identity that a new span continues, and whether it comes from another process. */
  parentOf(start: SpanStart): { readonly context: SpanContext; readonly remote: boolean } | undefined {
    const parent = read(() => start.parent);
    const local = parent === undefined ? undefined : this.open.get(parent)?.data;
    if (local !== undefined) return { context: local, remote: false };
    const remote = parent === undefined ? contextFrom(read(() => start.remoteParent)) : undefined;
    return remote && { context: remote, remote: true };
  }

  newSpan(start: SpanStart, parent: ReturnType<ReferencePlugin['parentOf']>): OpenSpan {
    const own = contextFrom(read(() => start.context));
    const attributes: Record<string, AttributeValue> = Object.create(null);
    const kind = read(() => start.kind);
    const data: OpenSpan['data'] = {
      traceId: own?.traceId ?? parent?.context.traceId ?? newId(16),
      spanId: own?.spanId ?? newId(8),
      parentSpanId: parent?.context.spanId ?? '',
      traceState: own?.traceState || parent?.context.traceState || '',
      flags: 1 | knownBit | (parent?.remote ? remoteBit : 0),
      name: text(read(() => start.name)),
      kind: Object.values(SpanKind).includes(kind as SpanKind) ? (kind as SpanKind) : SpanKind.INTERNAL,
      startTimeUnixNanos: this.time(read(() => start.startTimeUnixNanos)),
      endTimeUnixNanos: 0n,
      attributes,
      droppedAttributesCount: 0,
      events: [],
      droppedEventsCount: 0,
      links: [],
      droppedLinksCount: 0,
      status: { code: StatusCode.UNSET, message: '' },
      resource: noResource,
      scope: this.scopeOf(start),
    };
    const span: OpenSpan = { data, attributes };
    for (const [key, value] of entriesOf(read(() => start.attributes))) this.putAttribute(span, key, value);
    for (const link of elementsOf(read(() => start.links))) this.putLink(span, link);
    return span;
  }

  scopeOf(start: SpanStart): SpanData['scope'] {
    const scope = read(() => start.scope);
    return {
      name: text(read(() => scope?.name)),
      version: text(read(() => scope?.version)),
      attributes: this.copyOf(
        read(() => scope?.attributes),
        Number.POSITIVE_INFINITY,
      ).attributes,
      droppedAttributesCount: 0,
      schemaUrl: text(read(() => scope?.schemaUrl)),
    };
  }

  setAttribute(span: SpanHandle, key: string, value: AttributeValue): void {
    const found = this.open.get(span);
    if (found !== undefined && typeof key === 'string') this.putAttribute(found, key, value);
  }

  putAttribute(span: OpenSpan, key: string, value: AttributeValue | undefined): void {
    const copied = this.copyValue(value);
    if (copied === undefined) return;
    if (!(key in span.attributes) && this.isFull(span)) {
      span.data.droppedAttributesCount++;
    } else span.attributes[key] = copied;
  }

  isFull(span: OpenSpan): boolean {
    const { attributeCountLimit: limit } = this.limits;
    return limit !== Number.POSITIVE_INFINITY && Object.keys(span.attributes).length >= limit;
  }

  setStatus(span: SpanHandle, status: SpanStatus): void {
    const code = read(() => status.code);
    const found = this.open.get(span);
    if (found === undefined || !Object.values(StatusCode).includes(code as StatusCode)) return;
    const message = code === StatusCode.ERROR ? text(read(() => status.message)) : '';
    found.data.status = { code: code as StatusCode, message };
  }

  addEvent(span: SpanHandle, event: SpanEvent): void {
    const found = this.open.get(span);
    if (found === undefined) return;
    if (found.data.events.length >= this.limits.eventCountLimit) {
      found.data.droppedEventsCount++;
      return;
    }
    // Reading may run code of the caller, so the event is whole before it is added.
    const made = {
      name: text(read(() => event.name)),
      timeUnixNanos: this.time(read(() => event.timeUnixNanos)),
      ...this.copyOf(
        read(() => event.attributes),
        this.limits.attributePerEventCountLimit,
      ),
    };
    found.data.events.push(made);
  }

  endSpan(span: SpanHandle, endTimeUnixNanos?: bigint): void {
    const found = this.open.get(span);
    if (found === undefined) return;
    this.open.delete(span);
    found.data.endTimeUnixNanos = this.time(endTimeUnixNanos);
    this.counts.ended++;
    this.ended.push(found.data);
  }

  updateName(span: SpanHandle, name: string): void {
    const found = this.open.get(span);
    if (found !== undefined && typeof name === 'string') found.data.name = name;
  }

  addLink(span: SpanHandle, link: SpanLink): void {
    const found = this.open.get(span);
    if (found !== undefined) this.putLink(found, link);
  }

  putLink(span: OpenSpan, link: SpanLink): void {
    const context = contextFrom(read(() => link.context));
    if (context === undefined) return;
    if (span.data.links.length >= this.limits.linkCountLimit) {
      span.data.droppedLinksCount++;
      return;
    }
    span.data.links.push({
      traceId: context.traceId,
      spanId: context.spanId,
      traceState: context.traceState ?? '',
      flags: context.traceFlags ?? 1,
      ...this.copyOf(
        read(() => link.attributes),
        this.limits.attributePerLinkCountLimit,
      ),
    });
  }

  spanContext(span: SpanHandle): SpanContext | undefined {
    const data = this.open.get(span)?.data;
    return data && { traceId: data.traceId, spanId: data.spanId, traceFlags: 1, traceState: data.traceState };
  }

  async flush(): Promise<void> {
    // As if the delivery took a while: what is ended meanwhile belongs to the next flush.
    const batch = this.take();
    await Promise.resolve();
    this.deliver(batch);
  }

  flushSync(): void {
    this.endOpen();
    this.deliver(this.take());
  }

  async shutdown(): Promise<void> {
    if (this.isShutDown) return;
    this.isShutDown = true;
    this.endOpen();
    this.deliver(this.take());
  }

  stats(): PluginStats {
    const { started, ended, exported } = this.counts;
    const retained = this.ended.length;
    return {
      name: this.name,
      started,
      ended,
      live: this.open.size,
      buffered: retained,
      unsampled: 0,
      refused: 0,
      exporters: [{ name: 'array', exported, retained, dropped: 0, retainedBytes: 0 }],
    };
  }

  take(): SpanData[] {
    const batch = this.ended;
    this.ended = [];
    return batch;
  }

  deliver(batch: readonly SpanData[]): void {
    if (this.failing) {
      this.ended.unshift(...batch);
      const cause = new Error('the array is closed');
      throw new FlushError(this.name, { retained: this.ended.length, dropped: 0, cause });
    }
    this.counts.exported += batch.length;
    if (this.keep) this.delivered.push(...batch);
  }

  /** Ends what is open, marked. */
  endOpen(): void {
    for (const [handle, span] of this.open) {
      span.attributes['tracewell.unfinished'] = true;
      this.endSpan(handle);
    }
  }

  time(given: unknown): bigint {
    if (typeof given === 'bigint' && given >= 0n && given < 2n ** 64n) return given;
    return BigInt(Date.now()) * 1_000_000n;
  }

  /** Copies attributes of an event, a link or a scope; what cannot be read is left out. */
  copyOf(
    attributes: unknown,
    limit: number,
  ): { readonly attributes: Attributes; readonly droppedAttributesCount: number } {
    const copied = Object.create(null) as Record<string, AttributeValue>;
    let count = 0;
    for (const [key, value] of entriesOf(attributes)) {
      const copy = this.copyValue(value);
      if (copy !== undefined && ++count <= limit) copied[key] = copy;
    }
    return { attributes: copied, droppedAttributesCount: Math.max(0, count - limit) };
  }

  /** Cuts a string off at the limit, never through a character. */
  cut(text: string): string {
    const { attributeValueLengthLimit: limit } = this.limits;
    if (text.length <= limit) return text;
    const last = text.charCodeAt(limit - 1);
    return text.slice(0, last >= 0xd800 && last < 0xdc00 ? limit - 1 : limit);
  }

  /** Copies a value; `undefined` for what OTLP cannot say. */
  copyValue(value: unknown, depth = 0): AttributeValue | undefined {
    if (typeof value === 'string') return this.cut(value);
    if (value === null || typeof value === 'boolean' || typeof value === 'number') return value;
    if (typeof value === 'bigint') return value === BigInt.asIntN(64, value) ? value : undefined;
    if (typeof value !== 'object' || depth > maxDepth) return undefined;
    return read(() => {
      if (value instanceof Double) return value;
      if (value instanceof Uint8Array) return value.slice(0, this.limits.attributeValueLengthLimit);
      if (Array.isArray(value))
        return elementsOf(value).map((element) => this.copyValue(element, depth + 1) ?? null);
      const copied = Object.create(null) as Record<string, AttributeValue>;
      for (const [key, element] of entriesOf(value)) {
        const copy = this.copyValue(element, depth + 1);
        if (copy !== undefined) copied[key] = copy;
      }
      return copied;
    });
  }
}

/** Reads something of the caller's, which may be anything; what throws reads as `undefined`. */
function read<T>(get: () => T): T | undefined {
  try {
    return get();
  } catch {
    return undefined;
  }
}

function* entriesOf(value: unknown): Generator<[string, AttributeValue]> {
  if (typeof value !== 'object' || value === null) return;
  for (const key of read(() => Object.keys(value)) ?? []) {
    const element = read(() => (value as Record<string, AttributeValue>)[key]);
    if (element !== undefined) yield [key, element];
  }
}

function elementsOf<T>(value: readonly T[] | undefined): T[] {
  const elements: T[] = [];
  const length = read(() => (Array.isArray(value) ? value.length : 0)) ?? 0;
  for (let index = 0; index < length; index++) {
    try {
      elements.push(value![index]!);
    } catch {
      elements.push(undefined as T);
    }
  }
  return elements;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function contextFrom(value: SpanContext | undefined): SpanContext | undefined {
  const traceId = text(read(() => value?.traceId));
  const spanId = text(read(() => value?.spanId));
  if (!/^(?!0+$)[0-9a-f]{32}$/.test(traceId) || !/^(?!0+$)[0-9a-f]{16}$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: 1, traceState: text(read(() => value?.traceState)) };
}

/** Random enough for tests, and a tenth of the cost of `node:crypto` for the many plugins that are tried. */
function newId(bytes: number): string {
  const words = Array.from({ length: bytes / 4 }, () => Math.trunc(Math.random() * 2 ** 32));
  return words.map((word) => word.toString(16).padStart(8, '0')).join('');
}
