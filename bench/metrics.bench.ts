import { decodeMetrics } from '@tracewell/otlp';
import type { Bench } from './harness.ts';
import { measureIngest } from './record-ingest/measure.ts';
import { jsonLines, lmdb, pointKeys } from './record-ingest/peers.ts';
import { metricRequest } from './store-records.ts';

const bench: Bench = {
  name: 'metrics',
  what: 'Makes OTLP requests of 512 data points of 4,096 series durable and indexed, with 1, 8 and 64 of them in flight; each is acknowledged when it is on the disk.',

  run(context) {
    return measureIngest(
      {
        name: 'metrics',
        signal: 'metrics',
        unit: 'points',
        memoryLimit: 40,
        make: metricRequest,
        peers: {
          lmdb: (directory) => lmdb(directory, pointKeys()),
          'JSON lines': (directory) => jsonLines(directory, decodeMetrics),
        },
      },
      context,
    );
  },
};

export default bench;
