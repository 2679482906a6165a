import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openStore, type StoreOptions, tcpWalSink } from '@tracewell/store';
import { alternate, type Bench, compare } from './harness.ts';
import { NO_FULL_TEXT, RequestMaker, SPANS_PER_REQUEST } from './store-spans.ts';

const bench: Bench = {
  name: 'replication',
  what: 'Makes OTLP requests of 512 spans durable and indexed, acknowledged when they are on the disk of a standby too: a process of its own on this machine, reached by TCP, on the same disk; beside the same without a standby.',

  async run({ tiny, report }) {
    const maker = new RequestMaker();
    const requests = Array.from({ length: tiny ? 16 : 800 }, (_, number) => maker.make(number));
    for (const inFlight of [1, 8, 64]) {
      const some = requests.slice(0, inFlight === 1 ? 200 : requests.length);
      const rates = await alternate(tiny ? 1 : 5, {
        replicated: () => ingestReplicated(some, inFlight),
        alone: () => ingest(some, inFlight, {}),
      });
      report(
        compare(
          'replication',
          `${inFlight} in flight`,
          'spans/s',
          'higher',
          rates.replicated,
          'no standby',
          rates.alone,
        ),
      );
    }
  },
};

export default bench;

async function ingestReplicated(requests: readonly Uint8Array[], inFlight: number): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'tracewell-bench-'));
  const child = spawn(
    process.execPath,
    ['--conditions=@tracewell/source', `${import.meta.dirname}/replication/standby-process.ts`, directory],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [port] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const rate = await ingest(requests, inFlight, {
    replication: { sinks: [tcpWalSink({ port: Number(port) })] },
  });
  child.kill();
  await once(child, 'exit');
  await rm(directory, { recursive: true });
  return rate;
}

/** Keeps so many inserts in flight until all requests are in; spans per second. */
async function ingest(
  requests: readonly Uint8Array[],
  inFlight: number,
  options: StoreOptions,
): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'tracewell-bench-'));
  const store = await openStore(directory, { ...options, search: NO_FULL_TEXT });
  // The standby is connected when the clock starts.
  await store.insertBatch({ bytes: requests[0]!, spanCount: SPANS_PER_REQUEST });
  let next = 1;
  const worker = async (): Promise<void> => {
    while (next < requests.length) {
      await store.insertBatch({ bytes: requests[next++]!, spanCount: SPANS_PER_REQUEST });
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, worker));
  const seconds = (performance.now() - start) / 1000;
  await store.close();
  await rm(directory, { recursive: true });
  return ((requests.length - 1) * SPANS_PER_REQUEST) / seconds;
}
