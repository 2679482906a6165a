import { encodeTraces } from '@tracewell/otlp';
import type { BatchExporter } from '@tracewell/plugin';
import type { ExportResult, SpanExporter } from '../exporter-bridge/exporter-bridge.ts';
import type { ReadableSpan } from '../exporter-bridge/readable-span.ts';
import { toSpanDatas } from './span-data.ts';

const SUCCESS = 0;
const FAILED = 1;

/**
 * Makes an OpenTelemetry span exporter of a batch exporter, for whoever keeps the OpenTelemetry SDK and wants
 * the store beside it. `tracewellSpanProcessor` is the same with the batching that goes with it.
 *
 * @param batchExporter - where the spans go: `storeExporter(store)`, or any other
 *
 * @example
 * ```ts
 * import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
 * import { tracewellSpanExporter } from '@tracewell/opentelemetry';
 *
 * const exporter = { name: 'count', export: async (batch: { spanCount: number }) => console.log(batch.spanCount) };
 * const processor = new BatchSpanProcessor(tracewellSpanExporter(exporter));
 * await processor.shutdown();
 * ```
 */
export function tracewellSpanExporter(batchExporter: BatchExporter): SpanExporter {
  if (typeof batchExporter?.export !== 'function') {
    throw new TypeError(
      `tracewellSpanExporter: batchExporter must be a BatchExporter, got ${typeof batchExporter}`,
    );
  }
  return new BatchingSpanExporter(batchExporter);
}

class BatchingSpanExporter implements SpanExporter {
  readonly #exporter: BatchExporter;
  readonly #inFlight = new Set<Promise<void>>();
  #shutdown: Promise<void> | undefined;

  constructor(exporter: BatchExporter) {
    this.#exporter = exporter;
  }

  export(spans: ReadableSpan[], resultCallback: (result: ExportResult) => void): void {
    if (this.#shutdown !== undefined) {
      resultCallback({ code: FAILED, error: new Error(`${this.#exporter.name}: the exporter is shut down`) });
      return;
    }
    if (spans.length === 0) {
      resultCallback({ code: SUCCESS });
      return;
    }
    const delivery = this.#deliver(spans).then(resultCallback);
    this.#inFlight.add(delivery);
    delivery
      .finally(() => this.#inFlight.delete(delivery))
      .catch(() => {
        // The callback threw, which is its owner's business; `forceFlush` must not fail for it.
      });
  }

  /** Resolves when what was exported before has been delivered, or has failed. */
  async forceFlush(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
    await this.#exporter.flush?.();
  }

  shutdown(): Promise<void> {
    this.#shutdown ??= (async () => {
      await Promise.allSettled(this.#inFlight);
      await (this.#exporter.shutdown ?? this.#exporter.flush)?.call(this.#exporter);
    })();
    return this.#shutdown;
  }

  async #deliver(spans: readonly ReadableSpan[]): Promise<ExportResult> {
    try {
      await this.#exporter.export({ bytes: encodeTraces(toSpanDatas(spans)), spanCount: spans.length });
      return { code: SUCCESS };
    } catch (error) {
      return {
        code: FAILED,
        error: error instanceof Error ? error : new Error(String(error), { cause: error }),
      };
    }
  }
}
