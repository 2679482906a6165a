import {
  FlushError,
  INVALID_SPAN,
  type PluginStats,
  type SpanHandle,
  type SpanStart,
  type TracerPlugin,
  TracewellError,
} from '@tracewell/plugin';
import type { ErrorReporter } from '../host/error-reporter.ts';
import { messageOf } from '../message-of.ts';

/** Flushes of one plugin that may be pending at once; a plugin with that many hangs and is not asked again. */
const MAX_PENDING = 64;

/** The operations of a plugin that can fail. */
export type PluginOperation = keyof TracerPlugin;

/**
 * One plugin behind another, such that nothing it does can hurt anyone: what it throws is reported, a promise
 * of its that never settles is given up at a deadline.
 */
export class Branch {
  readonly plugin: TracerPlugin;
  readonly name: string;
  readonly #reporter: ErrorReporter;
  #pending = 0;
  /** What it had dropped ever when a flush failed the last time: what came since belongs to the next failure. */
  #reportedDrops = 0;

  constructor(plugin: TracerPlugin, reporter: ErrorReporter) {
    this.plugin = plugin;
    this.name = String(plugin.name);
    this.#reporter = reporter;
  }

  /** Starts a span, or returns `INVALID_SPAN` if the plugin threw or returned what is no handle. */
  startSpan(start: SpanStart): SpanHandle {
    try {
      const handle = this.plugin.startSpan(start);
      if (Number.isSafeInteger(handle) && handle >= 0) return handle;
      throw new TypeError(`startSpan returned ${String(handle)}, which is no safe integer of 0 or more`);
    } catch (error) {
      this.failed('startSpan', error);
      return INVALID_SPAN;
    }
  }

  /** Reports that one of the inline operations threw. */
  failed(operation: PluginOperation, cause: unknown): void {
    this.#reporter.report(
      `${this.name} ${operation}`,
      () =>
        new TracewellError(
          'TW_PLUGIN_FAILED',
          `${this.name}: ${operation} threw: ${messageOf(cause)}; the contract says that it never does, so mend the plugin`,
          { cause },
        ),
    );
  }

  /**
   * Flushes, and gives up waiting at a deadline.
   *
   * @throws FlushError, as a rejection, whatever the plugin rejects with
   */
  flush(timeoutMs: number): Promise<void> {
    return this.#settle('flush', timeoutMs, () => this.plugin.flush());
  }

  /** Shuts down, or flushes where the plugin has no shutdown, and gives up as {@link Branch.flush} does. */
  shutdown(timeoutMs: number): Promise<void> {
    return this.#settle('shutdown', timeoutMs, () =>
      this.plugin.shutdown === undefined ? this.plugin.flush() : this.plugin.shutdown(),
    );
  }

  /**
   * Flushes before it returns, if the plugin can.
   *
   * @throws FlushError whatever the plugin throws
   */
  flushSync(): void {
    try {
      this.plugin.flushSync?.();
    } catch (error) {
      throw this.#flushError(error, true);
    }
  }

  /** What the plugin did so far, if it says so. */
  stats(): PluginStats | undefined {
    try {
      return this.plugin.stats?.();
    } catch (error) {
      this.failed('stats', error);
      return undefined;
    }
  }

  /** Spans that ended on the plugin, or on those behind it, and are not delivered yet; as far as it says so. */
  undelivered(): number {
    return tally(this.stats()).retained;
  }

  async #settle(operation: 'flush' | 'shutdown', timeoutMs: number, act: () => Promise<void>): Promise<void> {
    if (this.#pending >= MAX_PENDING) {
      throw this.#flushError(new Error(`${MAX_PENDING} flushes are still pending`));
    }
    this.#pending += 1;
    // An async function, so that a plugin that throws instead of rejecting looks the same.
    const settled = (async () => act())().finally(() => {
      this.#pending -= 1;
    });
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      // Unreferenced: a plugin that hangs must not keep the process from ending.
      timer = setTimeout(
        () => reject(new Error(`${operation} did not settle within ${timeoutMs} ms`)),
        timeoutMs,
      ).unref();
    });
    try {
      await Promise.race([settled, deadline]);
    } catch (error) {
      throw this.#flushError(error);
    } finally {
      clearTimeout(timer);
    }
  }

  #flushError(cause: unknown, atExit = false): FlushError {
    const { retained, dropped } = tally(this.stats());
    const before = this.#reportedDrops;
    this.#reportedDrops = dropped;
    if (cause instanceof FlushError) return cause;
    // A plugin that hangs or breaks says nothing of its spans, but its books do.
    return new FlushError(this.name, {
      retained,
      dropped: Math.max(0, dropped - before),
      message: messageOf(cause),
      cause,
      atExit,
    });
  }
}

/**
 * What the exporters of a plugin and of those behind it keep and have dropped; spans that no exporter has got yet are
 * kept too.
 */
function tally(stats: PluginStats | undefined): { readonly retained: number; readonly dropped: number } {
  let retained = 0;
  let dropped = 0;
  const queue = stats === undefined ? [] : [stats];
  try {
    for (const { buffered, exporters, children } of queue) {
      for (const exporter of exporters) {
        retained += exporter.retained;
        dropped += exporter.dropped;
      }
      // Who stands in front of others counts theirs, or what it would not deliver at a flush anyway.
      if (children === undefined) retained += buffered * Math.max(1, exporters.length);
      else queue.push(...children);
    }
  } catch {
    // Anybody can write a plugin whose statistics are none.
  }
  return { retained, dropped };
}

/**
 * Sums up what several plugins failed with; its cause is an `AggregateError` of their errors. The error of an only
 * one stands for itself.
 */
export function combineFlushErrors(
  plugin: string,
  total: number,
  errors: readonly FlushError[],
  atExit = false,
): FlushError {
  if (total === 1 && errors.length === 1) return errors[0]!;
  return new FlushError(plugin, {
    retained: errors.reduce((sum, error) => sum + error.retained, 0),
    dropped: errors.reduce((sum, error) => sum + error.dropped, 0),
    message: `${errors.length} of ${total} plugins failed (${errors.map((error) => error.message).join('; ')})`,
    cause: new AggregateError(errors),
    atExit,
  });
}
