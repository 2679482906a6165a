// What the services log, kept in the same store as their spans, each record with the trace that it belongs to.
import { context, trace } from '@opentelemetry/api';
import { SeverityNumber } from '@tracewell/otlp';
import { openStore } from '@tracewell/store';

const store = await openStore(process.env.TRACEWELL_DIRECTORY);
const resource = {
  attributes: { 'service.name': process.env.OTEL_SERVICE_NAME!, 'process.pid': process.pid },
  droppedAttributesCount: 0,
  schemaUrl: '',
};
const scope = { name: 'shop', version: '', attributes: {}, droppedAttributesCount: 0, schemaUrl: '' };

/** Resolves when the record is on the disk. */
export async function log(
  severity: 'INFO' | 'WARN' | 'ERROR',
  body: string,
  attributes: Record<string, string | number> = {},
): Promise<void> {
  const span = trace.getSpanContext(context.active());
  const now = BigInt(Date.now()) * 1_000_000n;
  await store.insertLogs([
    {
      timeUnixNanos: now,
      observedTimeUnixNanos: now,
      severityNumber: SeverityNumber[severity],
      severityText: severity,
      body,
      attributes,
      droppedAttributesCount: 0,
      flags: span?.traceFlags ?? 0,
      traceId: span?.traceId ?? '',
      spanId: span?.spanId ?? '',
      eventName: '',
      resource,
      scope,
    },
  ]);
}
