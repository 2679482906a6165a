import {
  type BatchExporter,
  FlushError,
  type PluginStats,
  type SpanBatch,
  type TracerPlugin,
} from '@tracewell/plugin';
import { messageOf } from '../message-of.ts';
import { Recorder, type RecorderCounts, type RecorderSettings } from '../recorder/recorder.ts';
import { Delivery, type Failure } from './delivery.ts';
import type { BufferedPluginOptions } from './options.ts';
import { type BufferedSettings, resolveOptions } from './settings.ts';
import type { RecordingMember, SharedRecording } from './shared-recording.ts';

/** What {@link bufferedPlugin} returns: a plugin with all the optional operations. */
export interface BufferedPlugin extends Required<TracerPlugin> {}

/**
 * Makes a plugin of batch exporters: records spans as OTLP bytes, once for all exporters, and delivers them.
 *
 * A span costs well under a microsecond and leaves nothing to the garbage collector. Full batches are handed
 * to the exporters as soon as the event loop is free; `flush` delivers the rest. Each exporter has its own
 * bounded queue, retries, circuit breaker and counters, so that one that throws, hangs or is down neither
 * delays nor harms another. `stats()` tells what became of every span.
 *
 * What a getter, a proxy or a sampler asks of the plugin while the plugin is looking at it is refused: a span
 * that it starts is `INVALID_SPAN` and counted as refused; anything else does nothing and is not counted, so
 * a span that it ends stays live, until `liveMaxAgeMs` or the end of the process.
 *
 * Where several exporters fail, the `retained` and `dropped` of the `FlushError` are sums over them.
 *
 * @param exporters - one exporter or several; they share the same bytes
 * @param options - see {@link BufferedPluginOptions}; every one has a default
 * @throws TypeError or RangeError if an exporter or an option is wrong, naming it and what is allowed
 *
 * @example
 * ```ts
 * import { decodeTraces } from '@tracewell/otlp';
 * import { bufferedPlugin } from '@tracewell/sdk';
 *
 * const plugin = bufferedPlugin({
 *   name: 'names',
 *   async export({ bytes }) {
 *     console.log(decodeTraces(bytes).map((span) => span.name));
 *   },
 * });
 * const span = plugin.startSpan({ name: 'checkout' });
 * plugin.setAttribute(span, 'cart.items', 3);
 * plugin.endSpan(span);
 * await plugin.flush(); // [ 'checkout' ]
 * ```
 */
export function bufferedPlugin(
  exporters: BatchExporter | readonly BatchExporter[],
  options: BufferedPluginOptions = {},
): BufferedPlugin {
  const list: readonly BatchExporter[] = Array.isArray(exporters) ? exporters : [exporters];
  const settings = resolveOptions(list, options);
  return new RecordingPlugin(
    settings,
    list.map((exporter) => new Delivery(exporter, settings.delivery)),
  );
}

/** Whether a plugin is one that {@link bufferedPlugin} made, so that it may share a recorder with others. */
export function isRecordingMember(plugin: TracerPlugin): plugin is RecordingMember {
  return plugin instanceof RecordingPlugin;
}

class RecordingPlugin extends Recorder implements BufferedPlugin, RecordingMember {
  readonly name: string;
  readonly recorderSettings: RecorderSettings;
  /** Recordings of fan-outs that this plugin takes part in. */
  readonly #shared = new Set<SharedRecording>();
  readonly #deliveries: readonly Delivery[];
  #reportedDrops = 0;
  #shutdown: Promise<void> | undefined;

  constructor(settings: BufferedSettings, deliveries: readonly Delivery[]) {
    super(settings.recorder, (batch) => this.give(batch));
    this.name = settings.name;
    this.recorderSettings = settings.recorder;
    this.#deliveries = deliveries;
  }

  give(batch: SpanBatch): void {
    for (const delivery of this.#deliveries) delivery.give(batch);
  }

  join(recording: SharedRecording): void {
    this.#shared.add(recording);
  }

  async flush(): Promise<void> {
    if (this.#shutdown !== undefined) return this.#shutdown;
    this.closeBatch();
    for (const recording of this.#shared) recording.closeBatch();
    this.#settle(
      await Promise.all(
        this.#deliveries.map(async (delivery) => (await delivery.drain()) ?? delivery.flushExporter()),
      ),
    );
  }

  flushSync(): void {
    for (const recorder of [this, ...this.#shared]) {
      recorder.endLiveSpans();
      recorder.closeBatch();
    }
    this.#settle(
      this.#deliveries.map((delivery) => delivery.drainSync()),
      true,
    );
  }

  shutdown(): Promise<void> {
    this.#shutdown ??= this.#shutDown();
    return this.#shutdown;
  }

  stats(): PluginStats {
    return {
      name: this.name,
      ...this.#counts(),
      exporters: this.#deliveries.map((delivery) => delivery.stats),
    };
  }

  #counts(): RecorderCounts {
    const counts = this.counts();
    if (this.#shared.size === 0) return counts;
    const all = [counts, ...Array.from(this.#shared, (recording) => recording.counts())];
    const sum = (count: keyof RecorderCounts): number => all.reduce((total, each) => total + each[count], 0);
    return {
      started: sum('started'),
      ended: sum('ended'),
      live: sum('live'),
      buffered: sum('buffered'),
      unsampled: sum('unsampled'),
      refused: sum('refused'),
    };
  }

  async #shutDown(): Promise<void> {
    this.close();
    for (const recording of this.#shared) recording.leave(this);
    this.#settle(await Promise.all(this.#deliveries.map((delivery) => delivery.shutdown())));
  }

  /** Throws a FlushError if something was not delivered, or was dropped since the last time. */
  #settle(results: readonly (Failure | undefined)[], atExit = false): void {
    const failures = results.filter((result) => result !== undefined);
    const stats = this.#deliveries.map((delivery) => delivery.stats);
    const droppedEver = stats.reduce((sum, { dropped }) => sum + dropped, 0);
    const dropped = droppedEver - this.#reportedDrops;
    this.#reportedDrops = droppedEver;
    if (failures.length === 0 && dropped === 0) return;
    const retained = failures.length === 0 ? 0 : stats.reduce((sum, each) => sum + each.retained, 0);
    const cause =
      failures.length <= 1
        ? (failures[0]?.error ?? stats.find(({ lastError }) => lastError !== undefined)?.lastError)
        : new AggregateError(
            failures.map(({ error }) => error),
            failures.map(({ error }) => messageOf(error)).join('; '),
          );
    throw new FlushError(this.name, {
      retained,
      dropped,
      atExit,
      ...(cause === undefined ? { message: 'spans were dropped' } : { cause }),
    });
  }
}
