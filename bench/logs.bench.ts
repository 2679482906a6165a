import { decodeLogs } from '@tracewell/otlp';
import type { Bench } from './harness.ts';
import { measureIngest } from './record-ingest/measure.ts';
import { jsonLines, lmdb, logKeys } from './record-ingest/peers.ts';
import { logRequest } from './store-records.ts';

const bench: Bench = {
  name: 'logs',
  what: 'Makes OTLP requests of 512 log records durable and indexed, with 1, 8 and 64 of them in flight; each is acknowledged when it is on the disk.',

  run(context) {
    return measureIngest(
      {
        name: 'logs',
        signal: 'logs',
        unit: 'records',
        memoryLimit: 60,
        make: logRequest,
        peers: {
          lmdb: (directory) => lmdb(directory, logKeys()),
          'JSON lines': (directory) => jsonLines(directory, decodeLogs),
        },
      },
      context,
    );
  },
};

export default bench;
