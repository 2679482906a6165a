import {
  type AttributeValue,
  INVALID_SPAN,
  type PluginStats,
  type SpanContext,
  type SpanEvent,
  type SpanHandle,
  type SpanLink,
  type SpanStart,
  type SpanStatus,
  type TracerPlugin,
  TracewellError,
} from '@tracewell/plugin';
import { nodeTimers, type Timers } from '../buffered/timers.ts';
import { FanOutPlugin } from '../fan-out/fan-out.ts';
import { forwardStart } from '../fan-out/forward.ts';
import { HandleTable, MAX_LIVE_SPANS } from '../fan-out/handle-table.ts';
import { identify, isValidContext } from '../fan-out/identity.ts';
import { pluginList } from '../fan-out/plugin-list.ts';
import { type ErrorCallback, ErrorReporter } from '../host/error-reporter.ts';
import { messageOf } from '../message-of.ts';
import {
  CLOCK_METHODS,
  checkFunction,
  checkMethods,
  checkObject,
  milliseconds,
  TIMERS_METHODS,
  wholeNumber,
} from '../options.ts';
import { type Clock, systemClock, WallClock } from '../recorder/clock.ts';
import { Decisions } from './decisions.ts';
import { HeldSpan } from './held-span.ts';
import { type HeldTrace, HeldTraces } from './held-traces.ts';
import { type KeepOptions, KeepPolicy } from './policy.ts';

/*
 * Spans of undecided traces are held as what was said of them. A trace is decided as soon as one of its spans is
 * reason enough to keep it; otherwise some time after the span that began it here has ended, or earlier if there
 * is no room. To keep a trace is to say everything again to the plugin behind, with the identities and times of
 * then: parents first, as they were started, and then the ends. Spans that are still open go on from there, each
 * call straight to that plugin. So any plugin can stand behind, and it sees what it would have seen without the
 * tail sampling, only later.
 */

/** What {@link tailSampling} takes beside the plugins. */
export interface TailSamplingOptions extends KeepOptions {
  /**
   * How long a trace waits for more spans after the one that began it in this process has ended, in milliseconds.
   * Default 1,000. Longer catches work that goes on in the background, and holds more memory.
   */
  readonly decisionWaitMs?: number;
  /** Memory for the spans of undecided traces, by estimate, in bytes. Default 67,108,864 (64 MiB). */
  readonly heldMaxBytes?: number;
  /** Undecided traces. Default 10,000. Beyond either bound the oldest is decided early, and counted. */
  readonly heldMaxTraces?: number;
  /** Decisions remembered for spans that arrive later, at least half as many. Default 32,768, about 4 MB. */
  readonly decisionsMax?: number;
  /** Told when `keepIf` throws, or one of several plugins; at most once a second for one cause. Default: nobody. */
  readonly onError?: ErrorCallback;
  /** The clocks that spans are timed with. Default: those of the machine. */
  readonly clock?: Clock;
  /** Timers for the decisions. Default: those of Node.js, which do not keep the process alive. */
  readonly timers?: Timers;
}

/**
 * What a {@link tailSampling} did so far. `started` and `ended` count spans of undecided traces too, `unsampled` those
 * that were left out from the start because their trace was.
 */
export interface TailSamplingStats extends PluginStats {
  /** Traces that were kept. */
  readonly keptTraces: number;
  /** Traces that were left out when they were decided. */
  readonly droppedTraces: number;
  /** Their spans: of those in `started`, the ones that did not go on to the plugins behind. */
  readonly droppedSpans: number;
  /** Those of both that were decided before their time, for want of room. */
  readonly decidedEarly: number;
  /** Traces that are undecided. */
  readonly heldTraces: number;
  /** The memory that their spans take, by estimate, in bytes. */
  readonly heldBytes: number;
  readonly children: readonly PluginStats[];
}

/** The plugin that {@link tailSampling} makes; it has every optional operation. */
export interface TailSampling extends Required<TracerPlugin> {
  stats(): TailSamplingStats;
}

/**
 * Decides about a trace when it is known how it went: keeps all that failed, all that were slow, those with a certain
 * attribute, and a share of the rest.
 *
 * A trace is what this process records of it. Spans that arrive after the decision follow it. `flush` delivers
 * what is decided; `flushSync` and `shutdown` decide about everything first.
 *
 * @param plugins - where the kept traces go
 * @param options - see {@link TailSamplingOptions}; without any, traces with errors are kept
 * @throws TypeError or RangeError if there is no plugin, one lacks what the contract requires, or an option is invalid
 *
 * @example
 * ```ts
 * import { bufferedPlugin, fileExporter, tailSampling } from '@tracewell/sdk';
 *
 * const plugin = tailSampling(bufferedPlugin(fileExporter('interesting.jsonl')), {
 *   keepErrors: true,
 *   keepSlowerThanMs: 500,
 *   keepAttributes: { 'user.tier': ['gold', 'platinum'] },
 *   keepRatio: 0.01,
 * });
 * plugin.endSpan(plugin.startSpan({ name: 'checkout', attributes: { 'user.tier': 'gold' } }));
 * await plugin.shutdown();
 * ```
 */
export function tailSampling(
  plugins: TracerPlugin | readonly TracerPlugin[],
  options: TailSamplingOptions = {},
): TailSampling {
  const list = pluginList(WHERE, plugins);
  checkObject(WHERE, 'options', options);
  checkFunction(WHERE, 'onError', options.onError);
  checkMethods(WHERE, 'clock', options.clock, CLOCK_METHODS);
  checkMethods(WHERE, 'timers', options.timers, TIMERS_METHODS);
  const reporter = new ErrorReporter(options.onError);
  // Also around a single plugin: replaying a trace must not end in the middle of it because that plugin throws.
  const inner = new FanOutPlugin(list, { name: list.map((plugin) => plugin.name).join('+') }, reporter);
  return new TailSamplingPlugin(inner, options, reporter);
}

const WHERE = 'tailSampling';

class TailSamplingPlugin implements TailSampling {
  readonly name: string;
  readonly #inner: FanOutPlugin;
  readonly #policy: KeepPolicy;
  readonly #reporter: ErrorReporter;
  readonly #timers: Timers;
  readonly #clock: WallClock;
  readonly #decisionWaitMs: number;
  readonly #heldMaxBytes: number;
  readonly #heldMaxTraces: number;
  readonly #decisions: Decisions;
  readonly #table: HandleTable;
  /** The span in each slot while its trace is undecided. */
  readonly #held: (HeldSpan | undefined)[] = [];
  /** The handle behind of the span in each slot once its trace is decided; 0 if that was left out. */
  #handles = new Float64Array(0);
  /** 1 where that span was started by our clock, which differs from the plugin's by less than a millisecond. */
  #replayed = new Uint8Array(0);
  readonly #contexts: (SpanContext | undefined)[] = [];
  readonly #traces = new HeldTraces();
  /** Those of them that are due at some time, the next first. */
  readonly #due = new Set<HeldTrace>();
  #heldBytes = 0;
  #heldEnded = 0;
  #cancelTimer: (() => void) | undefined;
  #started = 0;
  #ended = 0;
  #unsampled = 0;
  #refused = 0;
  #keptTraces = 0;
  #droppedTraces = 0;
  #droppedSpans = 0;
  #decidedEarly = 0;
  #shutdown: Promise<void> | undefined;
  /** Whether `keepIf` is running. */
  #judging = false;

  constructor(inner: FanOutPlugin, options: TailSamplingOptions, reporter: ErrorReporter) {
    this.name = `tail-sampling(${inner.name})`;
    this.#inner = inner;
    this.#reporter = reporter;
    this.#policy = new KeepPolicy(options);
    this.#timers = options.timers ?? nodeTimers;
    this.#clock = new WallClock(options.clock ?? systemClock);
    this.#decisionWaitMs = milliseconds(WHERE, 'decisionWaitMs', options.decisionWaitMs, 1000);
    this.#heldMaxBytes = wholeNumber(WHERE, 'heldMaxBytes', options.heldMaxBytes, 67_108_864);
    this.#heldMaxTraces = wholeNumber(WHERE, 'heldMaxTraces', options.heldMaxTraces, 10_000);
    this.#decisions = new Decisions(wholeNumber(WHERE, 'decisionsMax', options.decisionsMax, 32_768));
    this.#table = new HandleTable(MAX_LIVE_SPANS, (capacity) => {
      const handles = new Float64Array(capacity);
      handles.set(this.#handles);
      this.#handles = handles;
      const replayed = new Uint8Array(capacity);
      replayed.set(this.#replayed);
      this.#replayed = replayed;
    });
  }

  startSpan(start: SpanStart): SpanHandle {
    if (this.#shutdown !== undefined) return INVALID_SPAN;
    // What `keepIf` itself records would have to be judged in turn, and so on.
    if (this.#judging) return this.#leaveOut();
    try {
      return this.#startSpan(start);
    } catch {
      // A getter of the caller's threw, or there was no object at all.
      this.#refused += 1;
      return INVALID_SPAN;
    }
  }

  #startSpan(start: SpanStart): SpanHandle {
    const { parent } = start;
    if (parent === INVALID_SPAN) return this.#leaveOut();
    const parentSlot = parent === undefined ? -1 : this.#table.slotOf(parent);
    const context = identify(start, this.#contextAt(parentSlot));
    const heldParent = parentSlot < 0 ? undefined : this.#held[parentSlot];
    const held = this.#traces.get(context.traceId);
    // An open parent has decided for its child, whatever the child's trace.
    if (parentSlot >= 0 && heldParent === undefined && this.#handles[parentSlot] === INVALID_SPAN) {
      return this.#leaveOut();
    }
    if (held === undefined) {
      const keep =
        (parentSlot >= 0 && heldParent === undefined) ||
        this.#policy.keepsTraceId(context.traceId) ||
        this.#decisions.get(context.traceId);
      if (keep === false) return this.#leaveOut();
      if (keep === true) return this.#forward(start, parent, parentSlot, context);
    }
    return this.#hold(start, parent, parentSlot, context, held);
  }

  /** Starts a span of a trace that is kept. */
  #forward(
    start: SpanStart,
    parent: SpanHandle | undefined,
    parentSlot: number,
    context: SpanContext,
  ): SpanHandle {
    const handle = this.#inner.startSpan(
      parentSlot >= 0 && this.#held[parentSlot] === undefined
        ? forwardStart(start, { context, parent: this.#handles[parentSlot]! })
        : forwardStart(start, {
            context,
            remoteParent: this.#originOf(start.remoteParent, parent, parentSlot),
          }),
    );
    if (handle === INVALID_SPAN) return this.#leaveOut();
    const span = this.#take(context);
    if (span === INVALID_SPAN) {
      this.#inner.endSpan(handle);
      return INVALID_SPAN;
    }
    this.#handles[this.#table.slotOf(span)] = handle;
    return span;
  }

  /** Starts a span of a trace that is not decided. */
  #hold(
    start: SpanStart,
    parent: SpanHandle | undefined,
    parentSlot: number,
    context: SpanContext,
    known: HeldTrace | undefined,
  ): SpanHandle {
    const parentSpan = parentSlot < 0 ? undefined : this.#held[parentSlot];
    const origin = this.#originOf(start.remoteParent, parent, parentSlot);
    const held = new HeldSpan(start, context, parentSpan, origin, this.#now);
    const span = this.#take(context);
    if (span === INVALID_SPAN) return INVALID_SPAN;
    held.handle = span;
    this.#held[this.#table.slotOf(span)] = held;
    const trace = known ?? this.#traces.add(context.traceId);
    trace.spans.push(held);
    if (parentSpan?.context.traceId !== context.traceId) {
      trace.openRoots += 1;
      this.#due.delete(trace);
    }
    this.#account(trace, held.bytes);
    return span;
  }

  /** The context of a parent that has no handle behind. */
  #originOf(
    remoteParent: SpanContext | undefined,
    parent: SpanHandle | undefined,
    parentSlot: number,
  ): SpanContext | undefined {
    const local = this.#contextAt(parentSlot);
    if (local !== undefined) return { ...local, isRemote: false };
    return parent === undefined && isValidContext(remoteParent) ? remoteParent : undefined;
  }

  #contextAt(slot: number): SpanContext | undefined {
    // Not `#contexts[-1]`: that is a property by name, and slow.
    return slot < 0 ? undefined : this.#contexts[slot];
  }

  #take(context: SpanContext): SpanHandle {
    const span = this.#table.acquire();
    if (span === INVALID_SPAN) {
      this.#refused += 1;
      return INVALID_SPAN;
    }
    this.#contexts[this.#table.slotOf(span)] = context;
    this.#started += 1;
    return span;
  }

  #leaveOut(): SpanHandle {
    this.#unsampled += 1;
    return INVALID_SPAN;
  }

  setAttribute(span: SpanHandle, key: string, value: AttributeValue): void {
    const slot = this.#table.slotOf(span);
    if (slot < 0) return;
    const held = this.#held[slot];
    if (held === undefined) this.#inner.setAttribute(this.#handles[slot]!, key, value);
    else this.#describe(held, () => held.setAttribute(key, value));
  }

  setStatus(span: SpanHandle, status: SpanStatus): void {
    const slot = this.#table.slotOf(span);
    if (slot < 0) return;
    const held = this.#held[slot];
    if (held === undefined) this.#inner.setStatus(this.#handles[slot]!, status);
    else this.#describe(held, () => held.setStatus(status));
  }

  addEvent(span: SpanHandle, event: SpanEvent): void {
    const slot = this.#table.slotOf(span);
    if (slot < 0) return;
    const held = this.#held[slot];
    if (held === undefined) this.#inner.addEvent(this.#handles[slot]!, event);
    else this.#describe(held, () => held.addEvent(event, this.#now));
  }

  updateName(span: SpanHandle, name: string): void {
    const slot = this.#table.slotOf(span);
    if (slot < 0) return;
    const held = this.#held[slot];
    if (held === undefined) this.#inner.updateName(this.#handles[slot]!, name);
    else if (typeof name === 'string') held.name = name;
  }

  addLink(span: SpanHandle, link: SpanLink): void {
    const slot = this.#table.slotOf(span);
    if (slot < 0) return;
    const held = this.#held[slot];
    if (held === undefined) this.#inner.addLink(this.#handles[slot]!, link);
    else this.#describe(held, () => held.addLink(link));
  }

  /** Does something to a held span, and counts what that took. */
  #describe(held: HeldSpan, act: () => void): void {
    const before = held.bytes;
    try {
      act();
    } catch {
      // A getter of the caller's threw: the rest of what it said is not known.
    }
    const trace = this.#traces.get(held.context.traceId);
    if (trace !== undefined) this.#account(trace, held.bytes - before);
  }

  endSpan(span: SpanHandle, endTimeUnixNanos?: bigint): void {
    const slot = this.#table.slotOf(span);
    if (slot < 0) return;
    const held = this.#held[slot];
    const handle = this.#handles[slot]!;
    const replayed = this.#replayed[slot] === 1;
    this.#held[slot] = undefined;
    this.#replayed[slot] = 0;
    this.#handles[slot] = INVALID_SPAN;
    this.#contexts[slot] = undefined;
    this.#table.release(span);
    this.#ended += 1;
    if (held !== undefined) this.#endHeld(held, endTimeUnixNanos);
    else this.#inner.endSpan(handle, endTimeUnixNanos ?? (replayed ? this.#now() : undefined));
  }

  #endHeld(held: HeldSpan, endTimeUnixNanos: bigint | undefined): void {
    const now = this.#now();
    held.endTimeUnixNanos = typeof endTimeUnixNanos === 'bigint' ? endTimeUnixNanos : now;
    const trace = this.#traces.get(held.context.traceId);
    // Ended by `keepIf` while its trace is being decided: it follows the decision, ended.
    if (trace === undefined) return;
    this.#heldEnded += 1;
    if (this.#policy.keepsSpan(held, now)) {
      this.#takeOut(trace);
      this.#decide(trace, true);
      return;
    }
    if (held.parent?.context.traceId === trace.traceId) return;
    trace.openRoots -= 1;
    if (trace.openRoots > 0) return;
    if (this.#decisionWaitMs === 0) {
      this.#judge(trace);
      return;
    }
    trace.dueAt = this.#timers.now() + this.#decisionWaitMs;
    this.#due.add(trace);
    if (this.#cancelTimer === undefined) this.#setTimer(this.#decisionWaitMs);
  }

  spanContext(span: SpanHandle): SpanContext | undefined {
    return this.#contextAt(this.#table.slotOf(span));
  }

  flush(): Promise<void> {
    return this.#shutdown ?? this.#inner.flush();
  }

  flushSync(): void {
    this.#judgeAll();
    this.#inner.flushSync();
  }

  shutdown(): Promise<void> {
    if (this.#shutdown === undefined) {
      this.#judgeAll();
      this.#cancelTimer?.();
      this.#shutdown = this.#inner.shutdown();
    }
    return this.#shutdown;
  }

  stats(): TailSamplingStats {
    return {
      name: this.name,
      started: this.#started,
      ended: this.#ended,
      live: this.#table.size,
      buffered: this.#heldEnded,
      unsampled: this.#unsampled,
      refused: this.#refused,
      exporters: [],
      keptTraces: this.#keptTraces,
      droppedTraces: this.#droppedTraces,
      droppedSpans: this.#droppedSpans,
      decidedEarly: this.#decidedEarly,
      heldTraces: this.#traces.size,
      heldBytes: this.#heldBytes,
      children: this.#inner.stats().children,
    };
  }

  readonly #now = (): bigint => {
    this.#clock.split(this.#clock.now());
    return (BigInt(this.#clock.high) << 32n) | BigInt(this.#clock.low);
  };

  #account(trace: HeldTrace, bytes: number): void {
    trace.bytes += bytes;
    this.#heldBytes += bytes;
    while (this.#heldBytes > this.#heldMaxBytes || this.#traces.size > this.#heldMaxTraces) {
      const { oldest } = this.#traces;
      if (oldest === undefined) return;
      this.#decidedEarly += 1;
      this.#judge(oldest);
    }
  }

  #setTimer(delayMs: number): void {
    this.#cancelTimer = this.#timers.after(delayMs, () => {
      const now = this.#timers.now();
      let next: HeldTrace | undefined;
      for (const trace of this.#due) {
        if (trace.dueAt > now) {
          next = trace;
          break;
        }
        this.#judge(trace);
      }
      // Not earlier: a trace that `keepIf` completes is due after those here, and must not set a timer for itself.
      this.#cancelTimer = undefined;
      if (next !== undefined) this.#setTimer(next.dueAt - now);
    });
  }

  #judgeAll(): void {
    for (let trace = this.#traces.oldest; trace !== undefined; trace = this.#traces.oldest)
      this.#judge(trace);
  }

  #judge(trace: HeldTrace): void {
    // Before `keepIf` is asked: whatever it does, this trace is decided once.
    this.#takeOut(trace);
    let keep = true;
    // It may end a span of another trace and so have that judged too.
    const outer = this.#judging;
    this.#judging = true;
    try {
      keep = this.#policy.keepsTrace(trace.traceId, trace.spans, this.#now());
    } catch (cause) {
      this.#reporter.report(
        'keepIf',
        () =>
          new TracewellError(
            'TW_PLUGIN_FAILED',
            `tailSampling: keepIf threw: ${messageOf(cause)}; the trace is kept`,
            { cause },
          ),
      );
    } finally {
      this.#judging = outer;
    }
    this.#decide(trace, keep);
  }

  /** Removes a trace from the books of what is undecided. */
  #takeOut(trace: HeldTrace): void {
    this.#traces.remove(trace);
    this.#due.delete(trace);
    this.#heldBytes -= trace.bytes;
    for (const held of trace.spans) if (held.endTimeUnixNanos !== undefined) this.#heldEnded -= 1;
  }

  /** Does what was decided about a trace that is taken out. */
  #decide(trace: HeldTrace, keep: boolean): void {
    this.#decisions.set(trace.traceId, keep);
    if (keep) this.#replay(trace);
    else this.#forget(trace);
  }

  #replay(trace: HeldTrace): void {
    this.#keptTraces += 1;
    for (const held of trace.spans) {
      const handle = held.replay(this.#inner);
      const slot = this.#table.slotOf(held.handle);
      if (slot < 0) continue;
      this.#held[slot] = undefined;
      this.#handles[slot] = handle;
      this.#replayed[slot] = 1;
    }
    const ended = trace.spans.filter((held) => held.endTimeUnixNanos !== undefined);
    // In the order in which they ended, as every plugin gets them.
    ended.sort((a, b) => Number(a.endTimeUnixNanos! - b.endTimeUnixNanos!));
    for (const held of ended) this.#inner.endSpan(held.replayed!, held.endTimeUnixNanos);
  }

  #forget(trace: HeldTrace): void {
    this.#droppedTraces += 1;
    this.#droppedSpans += trace.spans.length;
    for (const held of trace.spans) {
      // Open ones stay known, so that their children are left out instead of beginning traces of their own.
      const slot = this.#table.slotOf(held.handle);
      if (slot < 0) continue;
      this.#held[slot] = undefined;
      this.#handles[slot] = INVALID_SPAN;
    }
  }
}
