import type { Tracer, TracerProvider } from '@opentelemetry/api';
import { createTracerProvider } from '@tracewell/opentelemetry';
import type { TracerPlugin } from '@tracewell/plugin';
import { VERSION } from './version.ts';

/** The tracer of this package. */
export function tracerOf(recorder: TracerPlugin | TracerProvider, caller: string): Tracer {
  if (recorder !== null && typeof recorder === 'object') {
    if ('getTracer' in recorder) return recorder.getTracer('@tracewell/node', VERSION);
    if ('startSpan' in recorder) return createTracerProvider(recorder).getTracer('@tracewell/node', VERSION);
  }
  throw new TypeError(
    `${caller}: recorder must be a TracerPlugin or a TracerProvider, got ${typeof recorder}`,
  );
}
