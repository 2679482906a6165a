/**
 * Appends, and while the appends are on their way to the disk exits by itself, as `process.exit()` and an
 * uncaught exception do; what is left is appended while the process exits.
 *
 *   node exit-process.ts DIRECTORY TURNS exit|throw
 */
import { FrameKind } from '../../../packages/store/src/log/types.ts';
import { openAt } from '../frame-list.ts';

const [, , directory, turns, how] = process.argv;
const { log, put } = await openAt(directory!);
await put('before');
process.on('exit', () => log.appendSync(FrameKind.TRACES, Buffer.from('at exit')));
for (let i = 0; i < 20; i++) void put(`in flight ${i} `.padEnd(50_000, '.'));
for (let i = 0; i < Number(turns); i++) await new Promise((resolve) => setImmediate(resolve));
if (how === 'throw') {
  setImmediate(() => {
    throw new Error('uncaught on purpose');
  });
} else {
  process.exit(0);
}
