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
