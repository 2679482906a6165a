// Writes the JavaScript of every package into its `dist`, beside the declarations of `tsc -b`: one file for each
// export, and what several share in chunks. Node's loader takes a third of a millisecond for a file, and starting an
// application with 150 files of ours took twice as long as with these (`npm run bench -- startup`).
import { globSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild-wasm';

interface Manifest {
  readonly exports: Record<string, { readonly '@tracewell/source': string; readonly default: string }>;
}

for (const file of globSync('packages/*/package.json').sort()) {
  const folder = resolve(dirname(file));
  const { exports } = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  for (const stale of globSync('dist/**/*.{js,js.map}', { cwd: folder })) rmSync(join(folder, stale));
  await build({
    absWorkingDir: folder,
    entryPoints: Object.values(exports).map((paths) => ({
      in: paths['@tracewell/source'],
      out: paths.default.replace(/^\.\/dist\/(.*)\.js$/, '$1'),
    })),
    outdir: 'dist',
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node22.18',
    sourcemap: true,
    logLevel: 'warning',
  });
}
