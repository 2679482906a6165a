// How much later an application starts because of tracing: importing an SDK and starting it with an OTLP exporter
// and HTTP spans, in a process of its own each time. Ours is the build that npm would get; TypeScript sources would
// make it look slower than it is.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { alternate, type Bench, compare } from './harness.ts';

const run = promisify(execFile);
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const bench: Bench = {
  name: 'startup',
  what: 'imports the SDK and starts it with an OTLP exporter and HTTP spans, in a new process',
  async run({ tiny, report }) {
    await run(process.execPath, [at('../scripts/bundle.ts')], { cwd: at('..') });
    const start = (program: string) => async () => {
      const { stdout } = await run(process.execPath, [at(`./startup/${program}`)]);
      return Number(stdout);
    };
    const { ours, theirs, withStore } = await alternate(tiny ? 1 : 15, {
      ours: start('ours.mjs'),
      withStore: start('ours-with-store.mjs'),
      theirs: start('opentelemetry.mjs'),
    });
    const line = (metric: string, milliseconds: number): void => {
      report(compare('startup', metric, 'ms', 'lower', milliseconds, '@opentelemetry/sdk-node', theirs));
    };
    line('import and start', ours);
    line('import and start, a store opened besides', withStore);
  },
};

export default bench;
