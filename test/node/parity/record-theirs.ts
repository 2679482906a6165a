import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { comparable, type Recording, type Settings } from './recorded-span.ts';

/** The published instrumentations on the OpenTelemetry SDK. */
export async function recordTheirs(settings: Settings): Promise<Recording> {
  const exporter = new InMemorySpanExporter();
  let live = 0;
  const provider = new BasicTracerProvider({
    spanProcessors: [
      new SimpleSpanProcessor(exporter),
      {
        onStart: () => void live++,
        onEnd: () => void live--,
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(
    new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
  );
  trace.setGlobalTracerProvider(provider);
  registerInstrumentations({
    instrumentations: [new HttpInstrumentation(settings.http), new UndiciInstrumentation(settings.fetch)],
  });
  return {
    async take() {
      await provider.forceFlush();
      const spans = exporter.getFinishedSpans().map((span) => ({
        ...span.spanContext(),
        parentSpanId: span.parentSpanContext?.spanId ?? '',
        name: span.name,
        kind: span.kind + 1, // OTLP counts from 1
        attributes: span.attributes,
        status: { code: span.status.code, message: span.status.message ?? '' },
        events: span.events.map(({ name, attributes = {} }) => ({ name, attributes })),
      }));
      exporter.reset();
      return comparable(spans);
    },
    live: () => live,
  };
}
