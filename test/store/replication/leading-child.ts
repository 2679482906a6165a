// Stores spans, several at a time, ships them to a standby, and prints the id of each that is acknowledged.
import { openStore, tcpWalSink } from '@tracewell/store';
import { id, span } from '../query/spans.ts';

const [directory, port, number] = process.argv.slice(2) as [string, string, string];
const store = await openStore(directory, {
  segmentBytes: 64 * 1024,
  replication: { sinks: [tcpWalSink({ port: Number(port) })] },
});

async function insertFrom(first: number): Promise<never> {
  for (let n = first; ; n++) {
    const spanId = id(n);
    await store.insertSpans([span({ spanId, attributes: { text: 'x'.repeat(300) } })]);
    process.stdout.write(`${spanId}\n`);
  }
}

await Promise.all([1, 2, 3].map((lane) => insertFrom(Number(number) * 10_000_000 + lane * 1_000_000)));
