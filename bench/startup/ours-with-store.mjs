// The same with a store in a new directory, opened before anything is printed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const directory = mkdtempSync(join(tmpdir(), 'tracewell-bench-'));
const before = performance.now();
const { tracewell } = await import('@tracewell/node');
const tracing = await tracewell({
  directory,
  instrumentations: false,
  env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_SERVICE_NAME: 'bench' },
});
const took = performance.now() - before;
await tracing.shutdown();
rmSync(directory, { recursive: true });
process.stdout.write(String(took), () => process.exit(0));
