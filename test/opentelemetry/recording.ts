// A plugin that really records, and what came out of it.
import type { Tracer } from '@opentelemetry/api';
import { createTracerProvider, type PluginTracerProvider } from '@tracewell/opentelemetry';
import { decodeTraces } from '@tracewell/otlp';
import type { SpanBatch, SpanData, SpanStart, TracerPlugin } from '@tracewell/plugin';
import { type BufferedPlugin, type BufferedPluginOptions, bufferedPlugin } from '@tracewell/sdk';

export interface Recording {
  readonly plugin: BufferedPlugin;
  readonly provider: PluginTracerProvider;
  readonly tracer: Tracer;
  /** All ended spans so far; those of one scope in the order of their end. */
  spans(): Promise<SpanData[]>;
  /** The one span that was recorded. */
  only(): Promise<SpanData>;
}

export function recording(options: BufferedPluginOptions = {}): Recording {
  const batches: SpanBatch[] = [];
  const plugin = bufferedPlugin(
    { name: 'test', export: async (batch) => void batches.push(batch) },
    { resource: { attributes: { 'service.name': 'test' } }, ...options },
  );
  const provider = createTracerProvider(plugin);
  const spans = async (): Promise<SpanData[]> => {
    await plugin.flush();
    return batches.flatMap((batch) => decodeTraces(batch.bytes));
  };
  return {
    plugin,
    provider,
    tracer: provider.getTracer('test', '1.2.3', { schemaUrl: 'https://example.test/schema' }),
    spans,
    async only() {
      const all = await spans();
      if (all.length !== 1)
        throw new Error(`expected one span, got ${all.length}: ${all.map((span) => span.name)}`);
      return all[0]!;
    },
  };
}

/** A plugin with nothing but the seven operations, and the calls that it got. */
export interface Spy extends TracerPlugin {
  /** What each span was started with; its handle is its place in here, from 1. */
  readonly started: SpanStart[];
  readonly calls: [operation: string, ...args: unknown[]][];
}

export function spy(): Spy {
  const started: SpanStart[] = [];
  const calls: Spy['calls'] = [];
  const note =
    (operation: string) =>
    (...args: unknown[]): void =>
      void calls.push([operation, ...args]);
  return {
    name: 'spy',
    started,
    calls,
    startSpan: (start) => started.push({ ...start }),
    setAttribute: note('setAttribute'),
    setStatus: note('setStatus'),
    addEvent: note('addEvent'),
    endSpan: note('endSpan'),
    async flush() {},
  };
}
