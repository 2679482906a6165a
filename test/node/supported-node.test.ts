import { deepStrictEqual, match, strictEqual } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isSupportedNode, OLDEST_NODE } from '../../packages/node/src/supported-node.ts';
import { runApp, temporaryFolder } from './run-app.ts';

/** A module that makes Node.js out to be of another version, before anything else runs. */
const madeOut = (version: string): string => {
  const source = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
};

describe('a Node.js that is too old', () => {
  it('is told in one line by the register hook, and runs the application untraced', async (t) => {
    const cwd = temporaryFolder(t);
    const { code, stdout, stderr } = await runApp('http.mjs', cwd, {
      execArgv: ['--import', madeOut('20.20.2')],
    });
    deepStrictEqual({ code, stdout }, { code: 0, stdout: 'hello\n' });
    match(
      stderr,
      /^tracewell: this process is not traced: .*needs Node\.js 22\.18 or later.* 20\.20\.2.*\n$/,
    );
    strictEqual(existsSync(join(cwd, '.tracewell')), false);
  });

  for (const [version, isSupported] of [
    ['18.20.8', false],
    ['20.20.2', false],
    ['22.9.0', false],
    ['22.17.1', false],
    ['22.18.0', true],
    ['23.6.0', true],
    ['24.0.0-nightly', true],
  ] as const) {
    it(`is ${isSupported ? 'not ' : ''}${version}`, () => {
      strictEqual(isSupportedNode(version), isSupported);
    });
  }

  it('is what the manifest says', () => {
    const manifest = new URL('../../packages/node/package.json', import.meta.url);
    strictEqual(JSON.parse(readFileSync(manifest, 'utf8')).engines.node, `>=${OLDEST_NODE}`);
  });
});
