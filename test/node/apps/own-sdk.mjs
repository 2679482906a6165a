// Starts an OpenTelemetry SDK of its own, as an application does that had one before.
import { trace } from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';

trace.setGlobalTracerProvider(new BasicTracerProvider());
trace.getTracer('own').startSpan('work').end();
