// Writes the JavaScript of every package into its `dist`, beside the declarations of `tsc -b`: one file for each
// export and for each thread or process that a package starts (`*.entry.ts`), and what several share in chunks.
// Node's loader takes a third of a millisecond for a file, and starting an application with 150 files of ours took
// twice as long as with these (`npm run bench -- startup`).
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild-wasm';
import { withConstants } from './constants.ts';

interface Manifest {
  readonly exports: Record<string, { readonly '@tracewell/source': string; readonly default: string }>;
}

/**
 * Takes builtin modules as they are. To import one as an ES module, Node reads every export of it, and with that
 * loads what is behind the lazy ones: 6 ms for `node:fs`, 2 ms for `node:util`, 1 ms each for some others.
 */
const builtins: Plugin = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'builtin' }));
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => {
      const names = Object.keys(process.getBuiltinModule(path) ?? {}).filter((name) =>
        /^[a-z_]\w*$/i.test(name),
      );
      // Pure calls, so that only what is used is left.
      const exported = names
        .filter((name) => name !== 'default')
        .map((name) => `export const ${name} = /* @__PURE__ */ (() => builtin.${name})();`);
      const builtin = `const builtin = /* @__PURE__ */ process.getBuiltinModule('${path}');`;
      return { contents: [builtin, ...exported, 'export default builtin;'].join('\n') };
    });
  },
};

for (const file of globSync('packages/*/package.json').sort()) {
  const folder = resolve(dirname(file));
  const { exports } = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  for (const stale of globSync('dist/**/*.{js,js.map}', { cwd: folder })) rmSync(join(folder, stale));
  const { outputFiles } = await build({
    write: false,
    absWorkingDir: folder,
    entryPoints: [
      ...Object.values(exports).map((paths) => ({
        in: paths['@tracewell/source'],
        out: paths.default.replace(/^\.\/dist\/(.*)\.js$/, '$1'),
      })),
      // What threads and processes begin with is a file of its own, but nothing to import.
      ...globSync('src/**/*.entry.ts', { cwd: folder }).map((entry) => ({
        in: `./${entry}`,
        out: basename(entry, '.entry.ts'),
      })),
    ],
    outdir: 'dist',
    bundle: true,
    splitting: true,
    packages: 'external',
    plugins: [builtins],
    format: 'esm',
    platform: 'node',
    target: 'node22.18',
    sourcemap: true,
    logLevel: 'warning',
  });
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, path.endsWith('.js') ? withConstants(text) : text);
  }
}
