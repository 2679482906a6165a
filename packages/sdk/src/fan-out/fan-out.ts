import {
  type AttributeValue,
  type FlushError,
  INVALID_SPAN,
  type PluginStats,
  type SpanContext,
  type SpanEvent,
  type SpanHandle,
  type SpanLink,
  type SpanStart,
  type SpanStatus,
  type TracerPlugin,
} from '@tracewell/plugin';
import { isRecordingMember } from '../buffered/buffered-plugin.ts';
import { type SharedRecording, shareRecorders } from '../buffered/shared-recording.ts';
import { type ErrorCallback, ErrorReporter } from '../host/error-reporter.ts';
import { checkFunction, checkObject, milliseconds, text, wholeNumber } from '../options.ts';
import { Branch, combineFlushErrors } from './branch.ts';
import { forwardStart } from './forward.ts';
import { HandleTable, MAX_LIVE_SPANS } from './handle-table.ts';
import { identify } from './identity.ts';
import { pluginList } from './plugin-list.ts';

/** What {@link fanOut} takes beside the plugins. */
export interface FanOutOptions {
  /** Names the fan-out in errors and statistics. Default `fan-out`. */
  readonly name?: string;
  /**
   * Told when a plugin throws, at most once a second for one operation of one plugin. Default: nobody; all are
   * counted in `stats()`. What a flush fails with comes as its rejection, not here.
   */
  readonly onError?: ErrorCallback;
  /**
   * Spans live at once; further ones are refused and counted. Default and most 1,048,576; a live span costs 24
   * bytes, 8 more for each plugin, and its identity.
   */
  readonly liveMaxSpans?: number;
  /**
   * How long `flush` and `shutdown` wait for one plugin, in milliseconds. Default 30,000. Then they go on
   * without it, and reject.
   */
  readonly flushTimeoutMs?: number;
}

/** What a {@link fanOut} did so far; the plugins behind it stand in `children`, with their exporters. */
export interface FanOutStats extends PluginStats {
  /** Operations of a plugin that threw, or returned what is no handle. */
  readonly failures: number;
  readonly children: readonly PluginStats[];
}

/** The plugin that {@link fanOut} makes; it has every optional operation. */
export interface FanOut extends Required<TracerPlugin> {
  stats(): FanOutStats;
}

/**
 * Forwards every span to several plugins, none of which can hurt another: what one throws is kept from the
 * others and from the application, and one that hangs in a flush is given up at a deadline.
 *
 * All of them record a span under the same identity. Each may sample for itself: a span's handle is
 * `INVALID_SPAN` only when no plugin took it.
 *
 * `flush` and `shutdown` wait for all, and reject with a `FlushError` that sums up what failed; its `cause` is an
 * `AggregateError` with an error for each plugin that did.
 *
 * Buffered plugins with equal settings share one recorder here, so that a span is encoded once for all of them. For
 * exporters alone `bufferedPlugin([a, b])` is simpler still.
 *
 * @param plugins - where the spans go, at least one
 * @param options - see {@link FanOutOptions}
 * @throws TypeError or RangeError if there is no plugin, one lacks what the contract requires, or an option is invalid
 *
 * @example
 * ```ts
 * import { bufferedPlugin, consoleExporter, fanOut, fileExporter, traceIdRatio } from '@tracewell/sdk';
 *
 * const plugin = fanOut([
 *   bufferedPlugin(fileExporter('all.jsonl')),
 *   bufferedPlugin(consoleExporter(), { sampler: traceIdRatio(0.01) }),
 * ]);
 * plugin.endSpan(plugin.startSpan({ name: 'checkout' }));
 * await plugin.shutdown();
 * ```
 */
export function fanOut(plugins: TracerPlugin | readonly TracerPlugin[], options: FanOutOptions = {}): FanOut {
  const list = pluginList(WHERE, plugins);
  checkObject(WHERE, 'options', options);
  checkFunction(WHERE, 'onError', options.onError);
  return new FanOutPlugin(list, options, new ErrorReporter(options.onError));
}

const WHERE = 'fanOut';

/** What {@link fanOut} makes, with a reporter that it may share with others. */
export class FanOutPlugin implements FanOut {
  readonly name: string;
  /** The plugins, for everything but the spans. */
  readonly #branches: readonly Branch[];
  /** What spans are recorded on: the plugins, or recorders that some of them share. */
  readonly #recorders: readonly Branch[];
  readonly #shared: readonly SharedRecording[];
  readonly #reporter: ErrorReporter;
  readonly #flushTimeoutMs: number;
  readonly #table: HandleTable;
  /** The recorders' handles, those of slot `s` from `s * recorders.length` on; 0 where one does not sample. */
  #handles = new Float64Array(0);
  /** The identity of the span in each slot. */
  readonly #contexts: (SpanContext | undefined)[] = [];
  #started = 0;
  #ended = 0;
  #unsampled = 0;
  #refused = 0;
  #shutdown: Promise<void> | undefined;

  constructor(plugins: readonly TracerPlugin[], options: FanOutOptions, reporter: ErrorReporter) {
    this.name = text(WHERE, 'name', options.name, 'fan-out');
    this.#reporter = reporter;
    this.#branches = plugins.map((plugin) => new Branch(plugin, this.#reporter));
    const { targets, shared } = shareRecorders(plugins, isRecordingMember);
    this.#recorders = targets.map((plugin) => new Branch(plugin, this.#reporter));
    this.#shared = shared;
    this.#flushTimeoutMs = milliseconds(WHERE, 'flushTimeoutMs', options.flushTimeoutMs, 30_000);
    const limit = wholeNumber(WHERE, 'liveMaxSpans', options.liveMaxSpans, MAX_LIVE_SPANS, MAX_LIVE_SPANS);
    this.#table = new HandleTable(limit, (capacity) => {
      const handles = new Float64Array(capacity * targets.length);
      handles.set(this.#handles);
      this.#handles = handles;
    });
  }

  startSpan(start: SpanStart): SpanHandle {
    if (this.#shutdown !== undefined) return INVALID_SPAN;
    try {
      return this.#startSpan(start);
    } catch {
      // A getter of the caller's threw, or there was no object at all; the branches' own errors end in them.
      this.#refused += 1;
      return INVALID_SPAN;
    }
  }

  #startSpan(start: SpanStart): SpanHandle {
    if (start.parent === INVALID_SPAN) {
      this.#unsampled += 1;
      return INVALID_SPAN;
    }
    const { parent } = start;
    const remoteParent = parent === undefined ? start.remoteParent : undefined;
    const parentSlot = parent === undefined ? -1 : this.#table.slotOf(parent);
    const context = identify(start, this.#contextAt(parentSlot));
    // Read once, here: a getter that threw later would leave the slot taken and the span open in some branches.
    const plain = forwardStart(start, {});
    const span = this.#table.acquire();
    if (span === INVALID_SPAN) {
      this.#refused += 1;
      return INVALID_SPAN;
    }
    const width = this.#recorders.length;
    const slot = this.#table.slotOf(span);
    let sampled = false;
    for (let i = 0; i < width; i++) {
      // An object for each branch, so that one that scribbles on it harms no other.
      const identity = { ...context };
      const handle = this.#recorders[i]!.startSpan(
        parentSlot >= 0
          ? forwardStart(plain, { parent: this.#handles[parentSlot * width + i]!, context: identity })
          : forwardStart(plain, { remoteParent, context: identity }),
      );
      // Read anew each time: a branch that starts spans of its own may have made the table grow.
      this.#handles[slot * width + i] = handle;
      sampled ||= handle !== INVALID_SPAN;
    }
    if (!sampled) {
      this.#table.release(span);
      this.#unsampled += 1;
      return INVALID_SPAN;
    }
    this.#contexts[slot] = context;
    this.#started += 1;
    return span;
  }

  setAttribute(span: SpanHandle, key: string, value: AttributeValue): void {
    this.#each(span, 'setAttribute', (plugin, handle) => plugin.setAttribute(handle, key, value));
  }

  setStatus(span: SpanHandle, status: SpanStatus): void {
    this.#each(span, 'setStatus', (plugin, handle) => plugin.setStatus(handle, status));
  }

  addEvent(span: SpanHandle, event: SpanEvent): void {
    this.#each(span, 'addEvent', (plugin, handle) => plugin.addEvent(handle, event));
  }

  updateName(span: SpanHandle, name: string): void {
    this.#each(span, 'updateName', (plugin, handle) => plugin.updateName?.(handle, name));
  }

  addLink(span: SpanHandle, link: SpanLink): void {
    this.#each(span, 'addLink', (plugin, handle) => plugin.addLink?.(handle, link));
  }

  endSpan(span: SpanHandle, endTimeUnixNanos?: bigint): void {
    const slot = this.#table.slotOf(span);
    if (slot < 0) return;
    this.#each(span, 'endSpan', (plugin, handle) => plugin.endSpan(handle, endTimeUnixNanos));
    this.#contexts[slot] = undefined;
    this.#table.release(span);
    this.#ended += 1;
  }

  spanContext(span: SpanHandle): SpanContext | undefined {
    return this.#contextAt(this.#table.slotOf(span));
  }

  #contextAt(slot: number): SpanContext | undefined {
    // Not `#contexts[-1]`: that is a property by name, and slow.
    return slot < 0 ? undefined : this.#contexts[slot];
  }

  async flush(): Promise<void> {
    if (this.#shutdown !== undefined) return this.#shutdown;
    await this.#all((branch) => branch.flush(this.#flushTimeoutMs));
  }

  flushSync(): void {
    const errors: FlushError[] = [];
    for (const branch of this.#branches) {
      try {
        branch.flushSync();
      } catch (error) {
        errors.push(error as FlushError);
      }
    }
    if (errors.length > 0) throw this.#combined(errors, true);
  }

  shutdown(): Promise<void> {
    if (this.#shutdown === undefined) {
      // Before the plugins: each of them leaves, and takes along what it was given.
      for (const recording of this.#shared) recording.close();
      this.#shutdown = this.#all((branch) => branch.shutdown(this.#flushTimeoutMs));
    }
    return this.#shutdown;
  }

  stats(): FanOutStats {
    return {
      name: this.name,
      started: this.#started,
      ended: this.#ended,
      live: this.#table.size,
      buffered: 0,
      unsampled: this.#unsampled,
      refused: this.#refused,
      exporters: [],
      failures: this.#reporter.count,
      children: this.#branches.map((branch) => branch.stats()).filter((stats) => stats !== undefined),
    };
  }

  #each(
    span: SpanHandle,
    operation: keyof TracerPlugin,
    act: (plugin: TracerPlugin, handle: SpanHandle) => void,
  ): void {
    const slot = this.#table.slotOf(span);
    if (slot < 0) return;
    const width = this.#recorders.length;
    for (let i = 0; i < width; i++) {
      const handle = this.#handles[slot * width + i]!;
      if (handle === INVALID_SPAN) continue;
      const branch = this.#recorders[i]!;
      try {
        act(branch.plugin, handle);
      } catch (error) {
        branch.failed(operation, error);
      }
    }
  }

  async #all(settle: (branch: Branch) => Promise<void>): Promise<void> {
    const results = await Promise.allSettled(this.#branches.map(settle));
    const errors = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason);
    if (errors.length > 0) throw this.#combined(errors);
  }

  #combined(errors: readonly FlushError[], atExit = false): FlushError {
    return combineFlushErrors(this.name, this.#branches.length, errors, atExit);
  }
}
