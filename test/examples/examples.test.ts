// Every examples/<name>/main.ts runs, ends by itself and prints what it says: the line `// prints: /…/` at its
// head is the pattern that the output has to match. The shop is the demo, which is run on its own.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
// On the sources, or with TRACEWELL_BUILT set on what `npm run build` made, as whoever installs it would.
const conditions = process.env.TRACEWELL_BUILT ? [] : ['--conditions=@tracewell/source'];
const workingDirectory = mkdtempSync(join(tmpdir(), 'examples-'));
after(() => rmSync(workingDirectory, { recursive: true, force: true }));

const examples = globSync('examples/*/main.ts', { cwd: root }).sort();

test('there are examples', () => {
  assert.ok(examples.length >= 7, `found ${examples.join(', ')}`);
});

for (const example of examples) {
  test(`${example} runs and prints what it says`, async () => {
    const source = readFileSync(join(root, example), 'utf8');
    const [, pattern, flags] = /^\/\/ prints: \/(.+)\/([a-z]*)$/m.exec(source) ?? [];
    assert.ok(pattern, `${example} has no line "// prints: /…/"`);
    const cwd = mkdtempSync(join(workingDirectory, 'run-'));
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { stdout } = await run(process.execPath, [...conditions, join(root, example)], {
      cwd,
      // What they leave in a temporary directory goes with ours.
      env: { ...env, NO_COLOR: '1', TMPDIR: cwd },
      timeout: 60_000,
    });
    assert.match(stdout, new RegExp(pattern, flags));
  });
}
