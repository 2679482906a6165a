import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';

const root = resolve(import.meta.dirname, '../..');
const script = readFileSync(`${root}/scripts/node-version.cjs`, 'utf8');

/** What the script prints on a Node.js of that version, and with what it exits. */
function on(node: string): { readonly printed: readonly string[]; readonly code: number | undefined } {
  const printed: string[] = [];
  let code: number | undefined;
  const exit = (value: number): void => {
    code = value;
  };
  runInNewContext(script, {
    process: { versions: { node }, exit },
    console: { error: (text: string) => printed.push(text) },
  });
  return { printed, code };
}

test('a script started on a Node.js below the supported range says so in one line', () => {
  for (const node of ['22.17.1', '20.20.2', '9.0.0']) {
    const { printed, code } = on(node);
    assert.equal(code, 1, node);
    assert.equal(printed.length, 1, node);
    assert.match(printed[0]!, new RegExp(`22\\.18 or later, this is ${node}: run "npm ci"[^\\n]*$`));
  }
});

test('a script started on a supported Node.js starts', () => {
  for (const node of ['22.18.0', '23.0.0', '24.21.0', '100.0.0']) {
    assert.deepEqual(on(node), { printed: [], code: undefined });
  }
});

test('every npm script that runs Node.js checks its version first', () => {
  const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const [name, command] of Object.entries(scripts)) {
    if (/\bnode\b/.test(command)) assert.match(command, /^node scripts\/node-version\.cjs && /, name);
  }
});
