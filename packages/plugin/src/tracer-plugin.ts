import type { Attributes, AttributeValue } from './attributes.ts';
import type { InstrumentationScope, SpanContext, SpanEvent, SpanKind, SpanLink, SpanStatus } from './span.ts';
import type { PluginStats } from './stats.ts';

/**
 * The opaque integer that a plugin returns for a live span; 0 or more, a safe integer.
 *
 * It means something only to the plugin that returned it. After `endSpan` it is dead; its number may be
 * reused, but never so that a stale handle touches the new span.
 */
export type SpanHandle = number;

/** The handle of a span that is not sampled: every operation on it does nothing, its children are it too. */
export const INVALID_SPAN: SpanHandle = 0;

/** What {@link TracerPlugin.startSpan} takes. */
export interface SpanStart {
  readonly name: string;
  /** Default `SpanKind.INTERNAL`. */
  readonly kind?: SpanKind;
  /**
   * The handle of the parent in this process. An unknown or dead one makes the span a root;
   * `INVALID_SPAN` makes the child `INVALID_SPAN` too. Comes before `remoteParent`.
   */
  readonly parent?: SpanHandle;
  /**
   * The W3C context of a caller in another process. Its trace state becomes the span's and passes on to the
   * span's children, as W3C Trace Context asks, unless `context` brings another.
   */
  readonly remoteParent?: SpanContext;
  /**
   * The span's own identity. Default: the trace of the parent, or a new one, and a new span id. Given, it
   * makes every branch of a fan-out record the same identity; its trace id then comes before the parent's.
   * Read its fields one by one: they may be accessors, which spreading and cloning leave behind.
   */
  readonly context?: SpanContext;
  readonly attributes?: Attributes;
  readonly links?: readonly SpanLink[];
  /** Nanoseconds since the Unix epoch. Default: now. */
  readonly startTimeUnixNanos?: bigint;
  /** The instrumentation scope. Compared by identity first, so keep one object and pass it every time. */
  readonly scope?: InstrumentationScope;
}

/**
 * The contract between what records spans and what keeps them: seven operations, and some that are optional.
 *
 * **Who calls it.** A host (`startTracing` of `@tracewell/sdk`), a bridge, an instrumentation, or a fan-out.
 * The first five operations run inline with the application's own work, at every span, so they never throw,
 * never block, do no I/O, and keep no reference to anything that the caller may change afterwards. On an
 * unknown, dead or invalid handle each of them does nothing. `flush` is called on a timer and at shutdown.
 * A call that comes from inside another one, from a getter of what is being read, may be refused: `startSpan`
 * then returns {@link INVALID_SPAN}, the others do nothing.
 *
 * Most people never implement this: they write a {@link BatchExporter} and wrap it with `bufferedPlugin` of
 * `@tracewell/sdk`. Whoever does can run `@tracewell/plugin/conformance` against it.
 *
 * @example
 * A plugin that counts spans by name.
 * ```ts
 * import { type SpanHandle, type SpanStart, type TracerPlugin } from '@tracewell/plugin';
 *
 * class SpanCounter implements TracerPlugin {
 *   readonly name = 'span-counter';
 *   readonly counts = new Map<string, number>();
 *   #last: SpanHandle = 0;
 *   startSpan(start: SpanStart): SpanHandle {
 *     if (start.parent === 0) return 0;
 *     this.counts.set(start.name, (this.counts.get(start.name) ?? 0) + 1);
 *     return ++this.#last;
 *   }
 *   setAttribute(): void {}
 *   setStatus(): void {}
 *   addEvent(): void {}
 *   endSpan(): void {}
 *   async flush(): Promise<void> {}
 * }
 *
 * const counter = new SpanCounter();
 * counter.endSpan();
 * counter.startSpan({ name: 'checkout' });
 * console.log(counter.counts.get('checkout')); // 1
 * ```
 */
export interface TracerPlugin {
  /** Names the plugin in errors and statistics. */
  readonly name: string;

  /** Starts a span and returns its handle, or {@link INVALID_SPAN} if it is not sampled or was refused. */
  startSpan(start: SpanStart): SpanHandle;

  /** Attaches an attribute, or overwrites the one of that key. */
  setAttribute(span: SpanHandle, key: string, value: AttributeValue): void;

  /** Sets how the span ended; the last call before the end wins. */
  setStatus(span: SpanHandle, status: SpanStatus): void;

  /** Adds something that happened while the span was live. */
  addEvent(span: SpanHandle, event: SpanEvent): void;

  /** Ends the span, by default now; afterwards its handle is dead. */
  endSpan(span: SpanHandle, endTimeUnixNanos?: bigint): void;

  /**
   * Delivers what is buffered. Concurrent calls may share one delivery, but everything that was ended
   * before a call is covered by the promise that this call returned.
   *
   * @throws `FlushError` (`TW_FLUSH_FAILED`), as a rejection, when something could not be delivered:
   * which plugin, why, how many spans are kept for a retry, how many were dropped.
   */
  flush(): Promise<void>;

  /** Renames a live span. */
  updateName?(span: SpanHandle, name: string): void;

  /** Adds a link to a live span. */
  addLink?(span: SpanHandle, link: SpanLink): void;

  /** The identity of a live span, or `undefined` for any other handle. */
  spanContext?(span: SpanHandle): SpanContext | undefined;

  /**
   * Delivers what is buffered before it returns, spans that are still open included, marked with the
   * attribute `tracewell.unfinished`. Called while the process exits: there is no event loop any more.
   *
   * @throws `FlushError` (`TW_FLUSH_FAILED`) as {@link TracerPlugin.flush}.
   */
  flushSync?(): void;

  /**
   * Flushes, open spans included and marked as in `flushSync`, and releases what the plugin holds.
   * Recording afterwards does nothing. Idempotent.
   *
   * @throws `FlushError` (`TW_FLUSH_FAILED`), as a rejection, as {@link TracerPlugin.flush}; what the
   * plugin held is released all the same.
   */
  shutdown?(): Promise<void>;

  /** What the plugin did so far. */
  stats?(): PluginStats;
}
