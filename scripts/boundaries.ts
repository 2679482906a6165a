// Holds the packages below the current folder to the allowed imports of ARCHITECTURE.md: a package imports only
// those listed here, declares what it imports and nothing else, and never reaches into another package's files.
// Examples are there to be copied, so they import packages by name only.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

const allowed: Readonly<Record<string, readonly string[]>> = {
  plugin: [],
  otlp: ['plugin'],
  sdk: ['plugin', 'otlp'],
  opentelemetry: ['plugin', 'otlp'],
  store: ['plugin', 'otlp'],
  node: ['plugin', 'otlp', 'sdk', 'opentelemetry', 'store'],
};

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const problems: string[] = [];
const report = (file: string, text: string): void => void problems.push(`${file}: ${text}`);
const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

/** What a file imports or exports from, type imports and dynamic ones included, comments not. */
function specifiersOf(file: string): string[] {
  return ts
    .preProcessFile(readFileSync(file, 'utf8'), true, true)
    .importedFiles.map((found) => found.fileName);
}

/** The package that a specifier names: `@scope/name` or `name`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function checkRelative(file: string, specifier: string, home: string): void {
  const target = join(dirname(file), specifier);
  if (relative(home, target).startsWith('..')) report(file, `${specifier} leaves ${home}; import it by name`);
  else if (!existsSync(target)) report(file, `${specifier} does not exist`);
}

function checkPackage(folder: string): void {
  const name = folder.slice('packages/'.length);
  const edges = allowed[name];
  if (edges === undefined) {
    report(folder, 'is not in the list of scripts/boundaries.ts');
    return;
  }
  const manifest = manifestOf(folder);
  const declared = {
    ...manifest.dependencies,
    ...manifest.peerDependencies,
    ...manifest.optionalDependencies,
  };
  const used = new Set<string>();
  for (const file of globSync(`${folder}/src/**/*.ts`).sort()) {
    for (const specifier of specifiersOf(file)) {
      if (specifier.startsWith('.')) checkRelative(file, specifier, `${folder}/src`);
      else if (isBuiltin(specifier)) {
        if (!specifier.startsWith('node:'))
          report(file, `${specifier} is part of Node.js; write node:${specifier}`);
      } else {
        const dependency = packageOf(specifier);
        used.add(dependency);
        const target = dependency.startsWith('@tracewell/')
          ? dependency.slice('@tracewell/'.length)
          : undefined;
        if (target === name) continue;
        if (target !== undefined && !edges.includes(target)) {
          report(file, `${name} may not import ${target}; allowed: ${edges.join(', ') || 'nothing'}`);
        }
        if (!(dependency in declared)) report(file, `${folder}/package.json does not declare ${dependency}`);
      }
    }
  }
  for (const [dependency, version] of Object.entries(manifest.dependencies ?? {})) {
    if (!used.has(dependency))
      report(`${folder}/package.json`, `declares ${dependency}, which nothing imports`);
    if (!dependency.startsWith('@tracewell/')) continue;
    const sibling = join('packages', dependency.slice('@tracewell/'.length));
    if (existsSync(sibling) && manifestOf(sibling).version !== version) {
      report(
        `${folder}/package.json`,
        `wants ${dependency} ${version}, which is ${manifestOf(sibling).version}`,
      );
    }
  }
}

for (const folder of globSync('packages/*').sort()) checkPackage(folder);
for (const file of globSync('examples/*/**/*.ts').sort()) {
  const home = file.split(/[\\/]/).slice(0, 2).join('/');
  for (const specifier of specifiersOf(file)) {
    if (specifier.startsWith('.')) checkRelative(file, specifier, home);
  }
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log('Package boundaries hold.');
