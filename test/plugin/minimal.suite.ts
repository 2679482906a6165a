// Not a test by itself: conformance.test.ts runs this file and looks at what is skipped in it.
import type { BatchExporter, TracerPlugin } from '@tracewell/plugin';
import { testBatchExporter, testTracerPlugin } from '@tracewell/plugin/conformance';
import { ReferenceExporter } from './reference-exporter.ts';
import { ReferencePlugin } from './reference-plugin.ts';

testTracerPlugin('seven methods', {
  reuses: 2_000,
  create(request) {
    const full = new ReferencePlugin(request);
    const plugin: TracerPlugin = {
      name: full.name,
      startSpan: (start) => full.startSpan(start),
      setAttribute: (span, key, value) => full.setAttribute(span, key, value),
      setStatus: (span, status) => full.setStatus(span, status),
      addEvent: (span, event) => full.addEvent(span, event),
      endSpan: (span, end) => full.endSpan(span, end),
      flush: () => full.flush(),
    };
    return { plugin, spans: () => [...full.delivered] };
  },
});

testBatchExporter('one method', {
  create() {
    const full = new ReferenceExporter();
    const exporter: BatchExporter = { name: 'array', export: (batch) => full.export(batch) };
    return { exporter, spans: () => [...full.delivered] };
  },
});
