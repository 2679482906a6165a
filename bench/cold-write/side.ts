// One side of the benchmark, in a process of its own so that its memory can be told from that of the others:
// makes the input, then writes the same file each time it is told to.
import { unlinkSync } from 'node:fs';
import { RequestMaker } from '../store-spans.ts';
import { SIDES, type SideName } from './sides.ts';

const [name, requestCount, path] = process.argv.slice(2) as [SideName, string, string];
const maker = new RequestMaker();
const requests = Array.from({ length: Number(requestCount) }, (_, number) => maker.make(number));
const write = SIDES[name];

globalThis.gc?.();
const before = process.memoryUsage.rss();

process.on('message', async () => {
  const start = performance.now();
  const written = await write(requests, path);
  const ms = performance.now() - start;
  const addedBytes = process.resourceUsage().maxRSS * 1024 - before;
  process.send!({ ms, addedBytes, ...written });
});
process.on('disconnect', () => {
  unlinkSync(path);
  process.exit();
});
process.send!('ready');
