// Runs the tests on the TypeScript sources: all of them, or the files and folders named as arguments.
import { spawn } from 'node:child_process';
import { globSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

const args = process.argv.slice(2);
const flags = args.filter((arg) => arg.startsWith('-'));
const places = args.filter((arg) => !arg.startsWith('-'));
// The packages run on Node 22; some of their tests are written with `await using`, which came with Node 24.
const needsNode24 = (file: string): boolean => /^\s*await using /m.test(readFileSync(file, 'utf8'));
const files = (places.length > 0 ? places : ['test'])
  .flatMap((place) => (statSync(place).isDirectory() ? globSync(`${place}/**/*.test.ts`) : [place]))
  .filter((file) => Number.parseInt(process.versions.node, 10) >= 24 || !needsNode24(file));
if (files.length === 0) {
  console.error(`No *.test.ts file in ${places.join(', ')}.`);
  process.exit(1);
}

const child = spawn(
  process.execPath,
  [
    '--conditions=@tracewell/source',
    '--expose-gc',
    '--test',
    '--test-concurrency=2',
    '--test-timeout=600000',
    ...flags,
    ...files.sort(),
  ],
  {
    stdio: 'inherit',
    // Tests start many processes, and each would strip the types of some 300 files, for which it takes half a second.
    env: { NODE_COMPILE_CACHE: resolve('node_modules/.cache/compiled'), ...process.env },
  },
);
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
