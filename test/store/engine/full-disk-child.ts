// What the test of a full disk starts in a file system of its own: fills it, then opens a store there.
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '@tracewell/store';
import { span } from '../query/spans.ts';

const [disk, what, when, free] = process.argv.slice(2) as [string, 'bytes' | 'files', 'new' | 'used', string];
const directory = join(disk, 'store');
if (when === 'used') await openStore(directory).then((store) => store.close());
else mkdirSync(directory);

const ballast = join(disk, 'ballast');
mkdirSync(ballast);
try {
  for (let file = 0; ; file++) {
    const fd = openSync(join(ballast, String(file)), 'w');
    try {
      while (what === 'bytes') writeSync(fd, new Uint8Array(4096));
    } finally {
      closeSync(fd);
    }
  }
} catch {
  for (const file of readdirSync(ballast).slice(0, Number(free))) rmSync(join(ballast, file));
}

for (let time = 0; time < 2; time++) {
  const { code, message } = await openStore(directory).then(
    () => ({ code: 'opened', message: '' }),
    (error) => error,
  );
  console.log(`${code} ${message}`);
}
rmSync(ballast, { recursive: true });
await using store = await openStore(directory);
console.log((await store.insertSpans([span()])).accepted);
