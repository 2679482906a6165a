// Not a test by itself: conformance-fails.test.ts runs this file and counts what fails in it.
import { testBatchExporter } from '@tracewell/plugin/conformance';
import { brokenExporters } from './broken-exporters.ts';
import { ReferenceExporter } from './reference-exporter.ts';

for (const [title, { change }] of Object.entries(brokenExporters)) {
  testBatchExporter(title, {
    patienceMs: 300,
    create() {
      const exporter = new ReferenceExporter();
      change(exporter);
      return {
        exporter,
        spans: () => [...exporter.delivered],
        failDelivery: (failing) => {
          exporter.failing = failing;
        },
        hangDelivery: (hanging) => {
          exporter.hanging = hanging;
        },
      };
    },
  });
}
