// Holds the packages to the allowed imports of ARCHITECTURE.md: a package may import only those listed here,
// declares what it imports, and never reaches into another package's files.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';

const allowed: Record<string, readonly string[]> = {
  plugin: [],
  otlp: ['plugin'],
  sdk: ['plugin', 'otlp'],
  opentelemetry: ['plugin', 'otlp', 'sdk'],
  store: ['plugin', 'otlp'],
  node: ['plugin', 'otlp', 'sdk', 'opentelemetry', 'store'],
};

const problems: string[] = [];
const report = (file: string, text: string): void => void problems.push(`${file}: ${text}`);
const builtins = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));
const specifiers =
  /(?:^|[;\n])\s*(?:import|export)\b[^'"`;]*?from\s*['"]([^'"]+)['"]|import\s*\(\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]/gm;

for (const folder of globSync('packages/*').sort()) {
  const name = folder.slice('packages/'.length);
  const manifest = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  const edges = allowed[name];
  if (edges === undefined) {
    report(folder, 'is not in the list of scripts/boundaries.ts');
    continue;
  }
  const declared = new Set(
    ['dependencies', 'peerDependencies', 'optionalDependencies'].flatMap((kind) =>
      Object.keys(manifest[kind] ?? {}),
    ),
  );
  const used = new Set<string>();
  for (const file of globSync(`${folder}/src/**/*.ts`)) {
    // Examples inside docstrings are not imports.
    const source = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
    for (const match of source.matchAll(specifiers)) {
      const specifier = (match[1] ?? match[2] ?? match[3])!;
      if (specifier.startsWith('.')) {
        const target = new URL(specifier, `file:///${file}`).pathname.slice(1);
        if (!target.startsWith(`${folder}/src/`))
          report(file, `${specifier} leaves the package; import it by name`);
        else if (!existsSync(target)) report(file, `${specifier} does not exist`);
        continue;
      }
      if (specifier.startsWith('node:')) continue;
      if (builtins.has(specifier)) {
        report(file, `${specifier} is a module of Node.js; write node:${specifier}`);
        continue;
      }
      const parts = specifier.split('/');
      const dependency = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]!;
      used.add(dependency);
      if (dependency.startsWith('@tracewell/')) {
        const target = dependency.slice('@tracewell/'.length);
        if (target !== name && !edges.includes(target)) {
          report(file, `${name} may not import ${target}; allowed: ${edges.join(', ') || 'nothing'}`);
        }
      }
      if (dependency !== `@tracewell/${name}` && !declared.has(dependency)) {
        report(file, `${dependency} is not declared in ${folder}/package.json`);
      }
    }
  }
  for (const dependency of Object.keys(manifest.dependencies ?? {})) {
    if (!used.has(dependency))
      report(`${folder}/package.json`, `declares ${dependency}, which nothing imports`);
  }
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log('Package boundaries hold.');
