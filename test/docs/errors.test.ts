import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { ERROR_CODES } from '@tracewell/plugin';

const root = resolve(import.meta.dirname, '../..');
const rows = readFileSync(`${root}/docs/errors.md`, 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, code, meaning, remedy] = /^\| `(TW_\w+)` \| (.+?) \| (.+) \|$/.exec(line) ?? [];
    return code === undefined ? [] : [{ code, meaning, remedy }];
  });

test('docs/errors.md has a row for every error code, in the same order and with the same meaning', () => {
  const documented = Object.fromEntries(rows.map(({ code, meaning }) => [code, meaning]));
  assert.deepEqual(documented, ERROR_CODES);
  assert.deepEqual(Object.keys(documented), Object.keys(ERROR_CODES));
});

test('docs/errors.md says what to do about every error', () => {
  for (const { code, remedy } of rows) assert.match(remedy ?? '', /^[A-Z].{10,}\.$/, code);
});

test('every error code is raised somewhere', () => {
  const sources = globSync('packages/*/src/**/*.ts', { cwd: root }).filter(
    (file) => !file.endsWith('/errors.ts'),
  );
  const text = sources.map((file) => readFileSync(`${root}/${file}`, 'utf8')).join('\n');
  // Those of FlushError and ExportError are raised by their classes.
  const ownClass = ['TW_FLUSH_FAILED', 'TW_EXPORT_FAILED'];
  const unused = Object.keys(ERROR_CODES).filter(
    (code) => !ownClass.includes(code) && !text.includes(`'${code}'`),
  );
  assert.deepEqual(unused, []);
});
