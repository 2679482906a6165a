import { decodeTraces } from '@tracewell/otlp';
import { type BatchExporter, ExportError, type SpanBatch } from '@tracewell/plugin';
import { testTracerPlugin } from '@tracewell/plugin/conformance';
import { alwaysOff, bufferedPlugin } from '@tracewell/sdk';

testTracerPlugin('bufferedPlugin', {
  limits: true,
  sampling: true,
  create({ limits, sampled, keep }) {
    const batches: Uint8Array[] = [];
    let failing = false;
    const take = ({ bytes }: SpanBatch): void => {
      if (failing) throw new ExportError('the back end is down', { retryable: true });
      if (keep !== false) batches.push(bytes);
    };
    const exporter: BatchExporter = { name: 'array', export: async (batch) => take(batch), exportSync: take };
    const plugin = bufferedPlugin(exporter, {
      ...(limits === undefined ? {} : { limits }),
      ...(sampled === false ? { sampler: alwaysOff() } : {}),
      breaker: { openMs: 100 },
      retry: { initialDelayMs: 10, maxDelayMs: 50 },
    });
    return {
      plugin,
      spans: () => batches.flatMap((bytes) => decodeTraces(bytes)),
      failDelivery: (fail) => {
        failing = fail;
      },
      // What could not be delivered is reported once more here.
      dispose: () => plugin.shutdown().catch(() => {}),
    };
  },
});
