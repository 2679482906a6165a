// Checks the packages as npm would publish them, after `npm run build`: packs each, lints the tarball with
// publint and are-the-types-wrong, unpacks all of them side by side, and uses every export from there, in
// JavaScript and in TypeScript. Nothing of the sources is within reach, so what works here works installed.
import { execFile } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Record<string, Record<string, string>>;
}

const run = promisify(execFile);
// Below node_modules, so that what the packages depend on is found.
const place = resolve('node_modules/.cache/packages');
const problems: string[] = [];

/** Runs a program; its output is a problem if it fails. */
async function attempt(what: string, program: string, args: readonly string[]): Promise<void> {
  try {
    // Importing `@tracewell/node/register` would otherwise start recording.
    await run(program, args, { cwd: place, env: { ...process.env, OTEL_SDK_DISABLED: 'true' } });
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string };
    problems.push(`${what}:\n${stdout}${stderr}`);
  }
}

async function pack(
  folder: string,
): Promise<{ readonly tarball: string; readonly files: readonly string[] }> {
  const { stdout } = await run('npm', ['pack', `./${folder}`, '--json', '--pack-destination', place]);
  const report: unknown = JSON.parse(stdout);
  // npm 11 answers with a list, npm 12 with an object by name.
  const [packed] = Object.values(report as object) as { filename: string; files: { path: string }[] }[];
  if (packed === undefined) throw new Error(`npm pack said nothing about ${folder}`);
  return { tarball: join(place, packed.filename), files: packed.files.map((file) => file.path) };
}

async function lint(manifest: Manifest, tarball: string, files: readonly string[]): Promise<void> {
  const { name } = manifest;
  for (const file of ['README.md', 'LICENSE']) {
    if (!files.includes(file)) problems.push(`${name}: ${file} is not in the package`);
  }
  for (const file of files) {
    if (/\.tsbuildinfo$|\.test\./.test(file))
      problems.push(`${name}: ${file} does not belong in the package`);
  }
  const data = readFileSync(tarball);
  const bytes = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball: bytes }, strict: true });
  for (const message of messages) {
    if (message.type !== 'suggestion') problems.push(`${name}: ${formatMessage(message, pkg)}`);
  }
  const attw = resolve('node_modules/@arethetypeswrong/cli/dist/index.js');
  await attempt(`${name}: types`, process.execPath, [attw, tarball, '--profile', 'esm-only', '--no-color']);
}

rmSync(place, { recursive: true, force: true });
const imports: string[] = [];
for (const folder of globSync('packages/*').sort()) {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
  const unpacked = join(place, 'node_modules', manifest.name);
  mkdirSync(unpacked, { recursive: true });
  const { tarball, files } = await pack(folder);
  await run('tar', ['-xzf', tarball, '-C', unpacked, '--strip-components=1']);
  await lint(manifest, tarball, files);
  imports.push(...Object.keys(manifest.exports).map((path) => join(manifest.name, path)));
  console.log(`${manifest.name} ${manifest.version}: ${files.length} files`);
}

for (const specifier of imports) {
  const script = `import * as module from '${specifier}';
    const where = import.meta.resolve('${specifier}');
    if (!where.startsWith('${pathToFileURL(place)}/')) throw new Error('resolved to ' + where);`;
  await attempt(`import '${specifier}'`, process.execPath, ['--input-type=module', '--eval', script]);
}
// What runs in threads and processes of its own begins with files that nothing imports.
const inThreads = `import { openStore } from '@tracewell/store';
  const store = await openStore('store');
  const none = { attributes: {}, droppedAttributesCount: 0, schemaUrl: '' };
  const span = {
    traceId: '1'.repeat(32), spanId: '2'.repeat(16), parentSpanId: '', traceState: '', flags: 0, name: 'GET /', kind: 2,
    startTimeUnixNanos: 1n, endTimeUnixNanos: 2n, attributes: { 'url.full': 'http://shop/cart' }, status: { code: 0, message: '' },
    events: [], links: [], droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0,
    resource: none, scope: { name: '', version: '', ...none },
  };
  await store.insertSpans([span]);
  const { spans } = await store.queryTraces({ text: 'cart' });
  if (spans.length !== 1) throw new Error('nothing found by text');
  await store.compact();
  const { rows } = await store.querySql('SELECT name FROM spans');
  if (rows.length !== 1) throw new Error('nothing found by SQL');
  const { cold } = await store.health();
  if (cold.rows.spans !== 1) throw new Error('nothing compacted');
  await store.close();`;
await attempt('text, SQL and compaction', process.execPath, ['--input-type=module', '--eval', inThreads]);

const consumer = join(place, 'consumer.mts');
writeFileSync(
  consumer,
  imports.map((specifier, index) => `export * as module${index} from '${specifier}';\n`).join(''),
);
const tsc = resolve('node_modules/typescript/bin/tsc');
const strictly = [
  '--noEmit',
  '--strict',
  '--module',
  'nodenext',
  '--target',
  'es2024',
  '--types',
  'node',
  '--ignoreConfig',
];
await attempt('types of all packages together', process.execPath, [tsc, ...strictly, consumer]);

for (const problem of problems) console.error(problem.trimEnd());
if (problems.length > 0) process.exit(1);
console.log(`${imports.length} exports can be imported and their types hold.`);
