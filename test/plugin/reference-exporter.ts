// A batch exporter that delivers to an array, the plain way. The conformance suite has to pass for it, and has to
// fail for each of the exporters in broken-exporters.ts, which change one thing about it.
import { decodeTraces } from '@tracewell/otlp';
import {
  type BatchExporter,
  ExportError,
  type ExportOptions,
  type SpanBatch,
  type SpanData,
} from '@tracewell/plugin';

export class ReferenceExporter implements BatchExporter {
  name = 'reference';
  delivered: SpanData[] = [];
  failing = false;
  hanging = false;
  isShutDown = false;

  async export(batch: SpanBatch, options?: ExportOptions): Promise<void> {
    await this.answer(options?.signal);
    this.deliver(batch);
  }

  exportSync(batch: SpanBatch): void {
    this.deliver(batch);
  }

  async flush(): Promise<void> {}

  async shutdown(): Promise<void> {
    this.isShutDown = true;
  }

  /** Waits for the back end as long as the caller does. */
  async answer(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (!this.hanging) return;
    await new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }

  deliver(batch: SpanBatch): void {
    if (this.isShutDown) throw new ExportError('the exporter is shut down', { retryable: false });
    if (this.failing) throw new ExportError('the array is closed; open it', { retryable: true });
    this.delivered.push(...decodeTraces(batch.bytes));
  }
}
