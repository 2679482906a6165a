import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, test } from 'node:test';

const script = resolve(import.meta.dirname, '../../scripts/boundaries.ts');
const root = mkdtempSync(join(tmpdir(), 'boundaries-'));
after(() => rmSync(root, { recursive: true }));

const manifest = (dependencies: Record<string, string> = {}): string =>
  JSON.stringify({ version: '0.1.0', dependencies });

/** What the script reports of a workspace with these files beside two sound packages. */
function problemsOf(files: Record<string, string>): string[] {
  rmSync(root, { recursive: true });
  const all = {
    'packages/plugin/package.json': manifest(),
    'packages/plugin/src/index.ts': "import { open } from 'node:fs';\nexport const plugin = open;\n",
    'packages/otlp/package.json': manifest({ '@tracewell/plugin': '0.1.0' }),
    'packages/otlp/src/index.ts': "export { plugin } from '@tracewell/plugin';\n",
    ...files,
  };
  for (const [file, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  const { status, stderr } = spawnSync(process.execPath, [script], { cwd: root, encoding: 'utf8' });
  const problems = stderr.split('\n').filter(Boolean);
  assert.equal(status, problems.length === 0 ? 0 : 1, stderr);
  return problems;
}

const plugin = 'packages/plugin/src/index.ts';
const cases: readonly (readonly [
  title: string,
  files: Record<string, string>,
  problems: readonly RegExp[],
])[] = [
  ['accepts what is allowed and declared', {}, []],
  [
    'refuses an import that points upwards',
    { [plugin]: "import '@tracewell/otlp';\n" },
    [/plugin may not import otlp; allowed: nothing/, /does not declare @tracewell\/otlp/],
  ],
  [
    'refuses a type import that points upwards',
    { [plugin]: "import type { x } from '@tracewell/otlp/wire';\nexport type Y = x;\n" },
    [/plugin may not import otlp/, /does not declare/],
  ],
  [
    'refuses a dynamic import and an export from that are not declared',
    { [plugin]: "export * from 'left-pad';\nexport const late = () => import('@scope/late/part');\n" },
    [/does not declare left-pad/, /does not declare @scope\/late$/],
  ],
  [
    'refuses what leaves the package and what is not there',
    { [plugin]: "import '../../otlp/src/index.ts';\nimport './gone.ts';\n" },
    [/leaves packages\/plugin\/src; import it by name/, /\.\/gone\.ts does not exist/],
  ],
  ['refuses a module of Node.js without its prefix', { [plugin]: "import 'fs';\n" }, [/write node:fs/]],
  ['takes no import from a comment', { [plugin]: "/** import 'x'; */\n// import 'y';\nexport {};\n" }, []],
  [
    'finds imports after a string that looks like a comment',
    { [plugin]: "export const glob = 'src/*';\nexport const x = () => import('left-pad');\n/* end */\n" },
    [/does not declare left-pad/],
  ],
  [
    'refuses what is declared and not used, and siblings of another version',
    { 'packages/otlp/package.json': manifest({ '@tracewell/plugin': '0.2.0', pg: '8.0.0' }) },
    [/wants @tracewell\/plugin 0\.2\.0, which is 0\.1\.0/, /declares pg, which nothing imports/],
  ],
  [
    'refuses a package that is not listed',
    { 'packages/other/package.json': manifest() },
    [/packages\/other: is not in the list/],
  ],
  [
    'refuses an example that reaches into a package',
    { 'examples/one/main.ts': "import '../../packages/plugin/src/index.ts';\n" },
    [/examples\/one\/main\.ts: .* leaves examples\/one/],
  ],
];

for (const [title, files, expected] of cases) {
  test(`the boundary check ${title}`, () => {
    const problems = problemsOf(files);
    assert.equal(problems.length, expected.length, problems.join('\n'));
    for (const [index, pattern] of expected.entries()) assert.match(problems[index]!, pattern);
  });
}
