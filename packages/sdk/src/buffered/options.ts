import type { Resource } from '@tracewell/plugin';
import type { Clock } from '../recorder/clock.ts';
import type { RandomSource } from '../recorder/ids.ts';
import type { SpanLimits } from '../recorder/limits.ts';
import type { Sampler } from '../sampling/sampler.ts';
import type { Timers } from './timers.ts';

/** How a failed export is tried again; see {@link BufferedPluginOptions.retry}. */
export interface RetryOptions {
  /**
   * The longest wait before the second attempt, in milliseconds; it doubles with every further one. Each
   * wait is drawn at random below that, so that many processes do not come back together. Default 1,000.
   */
  readonly initialDelayMs?: number;
  /** The longest wait between two attempts, in milliseconds. Higher spares the back end, lower resumes sooner. Default 30,000. */
  readonly maxDelayMs?: number;
  /**
   * How long one batch is tried before it is dropped and counted, in milliseconds. It bounds for how long a
   * batch that a back end cannot digest holds up the ones behind it. Default 3,600,000 (an hour).
   */
  readonly maxElapsedMs?: number;
}

/** When an exporter that keeps failing is left alone; see {@link BufferedPluginOptions.breaker}. */
export interface BreakerOptions {
  /** Failures in a row after which the exporter is left alone. Default 5. */
  readonly failures?: number;
  /** For how long, in milliseconds; then one batch is tried. Flushes in between fail at once. Default 30,000. */
  readonly openMs?: number;
}

/** Settings of `bufferedPlugin`. Everything has a default. */
export interface BufferedPluginOptions {
  /** Names the plugin in errors and statistics. Default: the exporters' names, joined by `+`. */
  readonly name?: string;
  /** What produces the spans. Default `resourceFromEnvironment(process.env)`. */
  readonly resource?: Resource;
  /** Which spans are recorded. Default `parentBased(alwaysOn())`. */
  readonly sampler?: Sampler;
  /** How much one span may hold. Default: the OpenTelemetry specification's, see {@link SpanLimits}. */
  readonly limits?: SpanLimits;
  /**
   * Spans that may be live at the same time; further ones are refused and counted. From 1 to 262,143, which is
   * also the most for all plugins of a thread together. Each takes 1,088 bytes while it lives, more if it is
   * large. Default 65,536.
   */
  readonly liveMaxSpans?: number;
  /**
   * Bytes that live spans may take together; what does not fit any more is dropped and counted.
   * Default 67,108,864 (64 MiB).
   */
  readonly liveMaxBytes?: number;
  /**
   * A live span older than this, in milliseconds, is written as unfinished once the bound on live spans is
   * reached, so that spans that somebody forgot to end don't stop the recording for ever.
   * Default 3,600,000 (an hour).
   */
  readonly liveMaxAgeMs?: number;
  /** Encoded bytes of one span; attributes, events and links beyond are dropped and counted. From 1,024. Default 1,048,576 (1 MiB). */
  readonly spanMaxBytes?: number;
  /**
   * Spans after which a batch closes and goes to the exporters, without waiting for a flush. Larger batches
   * cost a back end less per span; smaller ones less when one has to be sent again. Default 512.
   */
  readonly batchMaxSpans?: number;
  /**
   * Encoded bytes after which a batch closes. A span that is larger becomes a batch of its own.
   * Default 524,288 (512 KiB).
   */
  readonly batchMaxBytes?: number;
  /** Encoded bytes that may wait for one exporter, the batch in flight included. Default 16,777,216 (16 MiB). */
  readonly queueMaxBytes?: number;
  /**
   * What gives way when the queue is full: the `oldest` batch that is not in flight, so that the present
   * stays visible, or the `newest`, so that the beginning of an outage does. Default `oldest`.
   */
  readonly queueDropPolicy?: 'oldest' | 'newest';
  /** How long one export may take, in milliseconds; then its signal is aborted and it counts as failed. Default 30,000. */
  readonly exportTimeoutMs?: number;
  /** How a failed export is tried again. */
  readonly retry?: RetryOptions;
  /** When an exporter that keeps failing is left alone. */
  readonly breaker?: BreakerOptions;
  /**
   * Told of every failed export, of every drop and of whatever else went wrong, as it happens. Expect many
   * calls while a back end is down; the host of `startTracing` thins them out. Whatever it throws is ignored.
   */
  readonly onError?: (
    error: unknown,
    origin: { readonly plugin: string; readonly exporter?: string },
  ) => void;
  /** The clocks that spans are timed with. Default: `performance.now` and `Date.now`. */
  readonly clock?: Clock;
  /** Fills bytes with random ones, for ids. Default: `randomFillSync` of `node:crypto`. */
  readonly random?: RandomSource;
  /** Timers and the time for timeouts, retries and the circuit breaker. Default: those of Node.js, which do not keep the process alive. */
  readonly timers?: Timers;
}
