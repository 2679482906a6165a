import {
  type AttributeValue,
  INVALID_SPAN,
  type InstrumentationScope,
  type SpanContext,
  type SpanEvent,
  type SpanHandle,
  SpanKind,
  type SpanLink,
  type SpanStart,
  type SpanStatus,
  StatusCode,
} from '@tracewell/plugin';
import type { CompletePlugin } from '../fan-out/complete.ts';
import { copyContext } from '../fan-out/identity.ts';
import { type Copied, copyAttributes, copyValue, textBytes, toAttributes } from './copy.ts';

/** What a span without anything costs, roughly. */
const SPAN_BYTES = 800;
/** The same for an event or a link. */
const PART_BYTES = 200;

/** Reads the time, in nanoseconds since the Unix epoch. */
export type Now = () => bigint;

/** A span whose trace is not decided: everything that was said of it, to be said again. */
export class HeldSpan {
  readonly context: SpanContext;
  /** The local parent, as long as that is held too. */
  readonly parent: HeldSpan | undefined;
  readonly #remoteParent: SpanContext | undefined;
  readonly kind: SpanKind;
  readonly startTimeUnixNanos: bigint;
  readonly #scope: InstrumentationScope | undefined;
  readonly attributes: Map<string, AttributeValue>;
  name: string;
  status: SpanStatus | undefined;
  endTimeUnixNanos: bigint | undefined;
  readonly #links: SpanLink[] = [];
  readonly #events: SpanEvent[] = [];
  /** The memory that this takes, by estimate. */
  bytes: number;
  /** The handle that its caller holds. */
  handle: SpanHandle = INVALID_SPAN;
  /** The handle at the plugin behind, once the span is replayed there. */
  replayed: SpanHandle | undefined;

  /**
   * @param start - what the span was started with
   * @param context - its identity
   * @param parent - its local parent, if that is held too
   * @param remoteParent - else the context of its parent, if it has one
   * @param now - the time
   */
  constructor(
    start: SpanStart,
    context: SpanContext,
    parent: HeldSpan | undefined,
    remoteParent: SpanContext | undefined,
    now: Now,
  ) {
    const attributes = copyAttributes(start.attributes);
    this.context = context;
    this.parent = parent;
    this.#remoteParent = remoteParent === undefined ? undefined : copyContext(remoteParent);
    this.kind = start.kind ?? SpanKind.INTERNAL;
    this.startTimeUnixNanos = start.startTimeUnixNanos ?? now();
    this.#scope = start.scope;
    this.attributes = attributes.value;
    this.name = String(start.name);
    this.bytes = SPAN_BYTES + textBytes(this.name) + attributes.bytes;
    for (const link of start.links ?? []) this.addLink(link);
  }

  setAttribute(key: string, value: AttributeValue): void {
    const copied = copyValue(value);
    if (copied === undefined || typeof key !== 'string') return;
    const before = this.attributes.get(key);
    if (before === undefined) this.bytes += textBytes(key);
    else this.bytes -= copyValue(before)?.bytes ?? 0;
    this.attributes.set(key, copied.value);
    this.bytes += copied.bytes;
  }

  setStatus(status: SpanStatus): void {
    const { code, message } = status;
    this.status = message === undefined ? { code } : { code, message: String(message) };
  }

  addEvent(event: SpanEvent, now: Now): void {
    const attributes = this.#copied(event.attributes);
    const name = String(event.name);
    this.bytes += PART_BYTES + textBytes(name);
    this.#events.push({
      name,
      attributes: toAttributes(attributes.value),
      timeUnixNanos: event.timeUnixNanos ?? now(),
    });
  }

  addLink(link: SpanLink): void {
    const attributes = this.#copied(link.attributes);
    this.bytes += PART_BYTES;
    this.#links.push({ context: copyContext(link.context), attributes: toAttributes(attributes.value) });
  }

  #copied(attributes: SpanEvent['attributes']): Copied<Map<string, AttributeValue>> {
    const copied = copyAttributes(attributes);
    this.bytes += copied.bytes;
    return copied;
  }

  /** Whether it ended, or stands now, as failed. */
  get failed(): boolean {
    return this.status?.code === StatusCode.ERROR;
  }

  /** Starts the span at a plugin and says everything but its end. Its parent has to be replayed before. */
  replay(plugin: CompletePlugin): SpanHandle {
    const span = plugin.startSpan({
      name: this.name,
      kind: this.kind,
      context: this.context,
      attributes: toAttributes(this.attributes),
      links: this.#links,
      startTimeUnixNanos: this.startTimeUnixNanos,
      ...(this.#scope === undefined ? {} : { scope: this.#scope }),
      ...(this.parent?.replayed !== undefined
        ? { parent: this.parent.replayed }
        : this.parent !== undefined
          ? { remoteParent: { ...this.parent.context, isRemote: false } }
          : this.#remoteParent !== undefined
            ? { remoteParent: this.#remoteParent }
            : {}),
    });
    for (const event of this.#events) plugin.addEvent(span, event);
    if (this.status !== undefined) plugin.setStatus(span, this.status);
    this.replayed = span;
    return span;
  }
}
