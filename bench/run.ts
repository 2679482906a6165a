// npm run bench [-- NAME …] [--json] [--tiny]
import { globSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform } from 'node:os';
import { parseArgs } from 'node:util';
import type { Bench, BenchResult } from './harness.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, tiny: { type: 'boolean', default: false } },
});

const files = globSync('*.bench.ts', { cwd: import.meta.dirname }).sort();
const known = files.map((file) => file.replace(/\.bench\.ts$/, ''));
const wanted = positionals.length > 0 ? positionals : known;
for (const name of wanted) {
  if (!known.includes(name)) {
    console.error(`No benchmark is called ${name}. There are: ${known.join(', ')}.`);
    process.exit(2);
  }
}

const figure = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString('en-US') : Number(value.toPrecision(3)).toString();

if (!options.json) {
  console.log(
    `Node.js ${process.versions.node}, ${platform()} ${arch()}, ${availableParallelism()} x ${cpus()[0]?.model.trim()}`,
  );
  console.log('| bench | metric | unit | ours | peer | theirs | ratio |');
  console.log('| --- | --- | --- | ---: | --- | ---: | ---: |');
}
const print = (result: BenchResult): void => {
  if (options.json) console.log(JSON.stringify(result));
  else {
    const { bench, metric, unit, ours, peer, theirs, ratio } = result;
    console.log(
      `| ${bench} | ${metric} | ${unit} | ${figure(ours)} | ${peer} | ${figure(theirs)} | ${ratio.toFixed(2)} |`,
    );
  }
};

for (const name of wanted) {
  const { default: bench } = (await import(`./${name}.bench.ts`)) as { default: Bench };
  await bench.run({ tiny: options.tiny, report: print });
}
process.exit(0);
