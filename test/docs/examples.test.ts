// The documentation keeps its word: what it shows has the right types, runs, and prints what it says.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { claimsOf, type Snippet, snippets, snippetsOf } from './snippets.ts';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
// Inside the workspace, so that imports resolve as they do for whoever installed the packages.
const place = join(root, 'node_modules/.cache/snippets');
const all = snippets(root);
const fileOf = ({ file, line }: Snippet): string => `${file.replaceAll(/[^\w]+/g, '-')}-${line}`;

rmSync(place, { recursive: true, force: true });
mkdirSync(place, { recursive: true });
const workingDirectory = mkdtempSync(join(tmpdir(), 'snippets-'));
after(() => rmSync(workingDirectory, { recursive: true, force: true }));

test('the types of the TypeScript in the documentation are right', async () => {
  const checked = all.filter((snippet) => snippet.kind !== 'sketch');
  for (const snippet of checked)
    writeFileSync(join(place, `${fileOf(snippet)}.mts`), `${snippet.code}\nexport {};\n`);
  const options = {
    extends: '../../../tsconfig.base.json',
    compilerOptions: { noEmit: true, composite: false, declaration: false, declarationMap: false },
    files: checked.map((snippet) => `${fileOf(snippet)}.mts`),
  };
  writeFileSync(join(place, 'tsconfig.json'), JSON.stringify(options));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = await run(
    process.execPath,
    [tsc, '-p', place, '--noUnusedLocals', 'false', '--noUnusedParameters', 'false'],
    {
      cwd: place,
    },
  ).catch((error: { stdout: string }) => error);
  // Errors are shown where the reader of the documentation finds them.
  const errors = stdout.split('\n').flatMap((text) => {
    const snippet = checked.find((one) => text.startsWith(`${fileOf(one)}.mts(`));
    const [, line, message] = /\((\d+),\d+\): (.*)$/.exec(text) ?? [];
    return snippet === undefined ? [] : [`${snippet.file}:${snippet.line + Number(line) - 1}: ${message}`];
  });
  assert.deepEqual(errors, []);
});

describe('what the documentation shows runs', { concurrency: 2 }, () => {
  for (const snippet of all.filter(({ kind }) => kind === 'run')) {
    test(`${snippet.file}:${snippet.line}`, async () => {
      const script = join(place, `${fileOf(snippet)}.mjs`);
      writeFileSync(script, stripTypeScriptTypes(snippet.code, { mode: 'strip' }));
      const cwd = mkdtempSync(join(workingDirectory, 'run-'));
      const { NODE_TEST_CONTEXT: _, ...env } = process.env;
      const { stdout } = await run(process.execPath, ['--conditions=@tracewell/source', script], {
        cwd,
        env: { ...env, NO_COLOR: '1' },
        timeout: 60_000,
      });
      const printed = stdout.split('\n');
      for (const claim of claimsOf(snippet.code)) {
        assert.ok(printed.includes(claim), `it says that it prints ${claim}, it printed:\n${stdout}`);
      }
    });
  }
});

test('blocks are found in docstrings and guides, with their lines', () => {
  const text = [
    '```ts',
    'a',
    '```',
    '  ```ts no-run',
    '  b',
    '    c',
    '  ```',
    '```ts sketch',
    '```',
    '```sh',
    '```',
  ];
  assert.deepEqual(snippetsOf('f', text.join('\n')), [
    { file: 'f', line: 2, code: 'a', kind: 'run' },
    { file: 'f', line: 5, code: 'b\n  c', kind: 'no-run' },
    { file: 'f', line: 9, code: '', kind: 'sketch' },
  ]);
  assert.throws(() => snippetsOf('f', '```ts maybe\n```'), /f:1: .*maybe/);
  assert.throws(() => snippetsOf('f', '```ts\n'), /f:1: .*no end/);
  assert.ok(all.some(({ file, kind }) => file === 'packages/plugin/src/attributes.ts' && kind === 'run'));
  assert.ok(all.some(({ file }) => file === 'README.md'));
});

test('claims are the comments behind console.log', () => {
  assert.deepEqual(
    claimsOf("console.log(1); // 1\n  console.log('a', b); // a 2\nlog(); // no\nconsole.log(3);"),
    ['1', 'a 2'],
  );
});
