import { decodeTraces } from '@tracewell/otlp';
import type { SpanBatch, SpanData } from '@tracewell/plugin';
import { type BufferedPlugin, type BufferedPluginOptions, bufferedPlugin, type Clock } from '@tracewell/sdk';

/** A buffered plugin with what it delivered. */
export interface Recording {
  readonly plugin: BufferedPlugin;
  readonly batches: SpanBatch[];
  /** Flushes and decodes everything delivered so far, in the order of the batches. */
  spans(): Promise<SpanData[]>;
  /** The one span delivered so far. */
  only(): Promise<SpanData>;
}

/** A buffered plugin whose exporter keeps every batch. */
export function recording(options: BufferedPluginOptions = {}): Recording {
  const batches: SpanBatch[] = [];
  const take = (batch: SpanBatch): void => void batches.push(batch);
  const plugin = bufferedPlugin(
    { name: 'memory', export: async (batch) => take(batch), exportSync: take },
    { resource: { attributes: { 'service.name': 'test' } }, ...options },
  );
  const spans = async (): Promise<SpanData[]> => {
    await plugin.flush();
    return batches.flatMap(({ bytes }) => decodeTraces(bytes));
  };
  return {
    plugin,
    batches,
    spans,
    async only() {
      const [span, ...others] = await spans();
      if (span === undefined || others.length > 0)
        throw new Error(`${others.length} spans beside ${span?.name}`);
      return span;
    },
  };
}

/** A machine whose clocks the test sets. */
export class ManualClock implements Clock {
  monotonic = 1000.25;
  wall = 1_795_000_000_000;

  monotonicMs = (): number => this.monotonic;
  wallMs = (): number => this.wall;

  /** Both clocks go on, as they do. */
  pass(ms: number): void {
    this.monotonic += ms;
    this.wall += ms;
  }
}
