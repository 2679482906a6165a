// Ends in the way that its first argument names. Run once with tracing and once without, it must end alike.
// node program.ts <ending> [file for the spans]
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, threadId, Worker, workerData } from 'node:worker_threads';
import { fileExporter, startTracing } from '@tracewell/sdk';

const [ending, file] = isMainThread ? process.argv.slice(2) : [workerData.ending, workerData.file];

const tracing =
  file === undefined
    ? undefined
    : startTracing({
        exporters: ending.endsWith('asynchronous-exporter')
          ? // As a collector behind a network: nothing gets there without an event loop.
            [{ name: 'asynchronous', export: (batch) => fileExporter(file).export(batch) }]
          : [fileExporter(file)],
        flushIntervalMs: ending === 'kill' ? 100 : 1_000_000,
      });

/** Starts a span; returns what ends it. */
function span(name: string): () => void {
  const handle = tracing?.plugin.startSpan({ name }) ?? 0;
  return () => tracing?.plugin.endSpan(handle);
}

/** Tells the parent that the signal may come, and stays alive for a while. */
async function ready(aliveMs = 10_000): Promise<void> {
  console.log('ready');
  await sleep(aliveMs);
}

/** Writes at once: what happens while the process exits must not get lost in a pipe. */
const say = (text: string): void => void writeSync(1, `${text}\n`);

const endings: Readonly<Record<string, () => void | Promise<void>>> = {
  exit: () => {
    span('ended')();
    span('open');
    process.exit(3);
  },
  'exit-in-callback': () => {
    span('ended')();
    setImmediate(() => process.exit());
  },
  'exit-code': () => {
    span('ended')();
    process.exitCode = 4;
  },
  natural: async () => {
    let times = 0;
    process.on('beforeExit', (code) => {
      times += 1;
      say(`beforeExit ${times} ${code}`);
    });
    process.on('exit', (code) => say(`exit ${code}`));
    span('ended')();
    await sleep(20);
    console.log('done');
  },
  'natural-with-more-work': () => {
    process.once('beforeExit', () => {
      setTimeout(() => {
        span('after beforeExit')();
        say('more work');
      }, 20);
    });
    span('ended')();
  },
  uncaught: () => {
    span('ended')();
    span('open');
    throw new Error('nobody catches this');
  },
  'uncaught-later': () => {
    span('ended')();
    setTimeout(() => {
      throw Object.assign(new TypeError('nobody catches this'), { detail: [1, 2] });
    }, 10);
  },
  'uncaught-non-error': () => {
    span('ended')();
    setTimeout(() => {
      throw 'a string';
    }, 10);
  },
  'uncaught-handled': async () => {
    process.on('uncaughtException', (error, origin) => {
      console.log(`handled ${error.message} ${origin}`);
    });
    setTimeout(() => {
      throw new Error('handled');
    }, 10);
    const end = span('ended after the exception');
    await sleep(50);
    end();
  },
  'uncaught-handler-throws': () => {
    span('ended')();
    process.on('uncaughtException', () => {
      throw new Error('the handler fails too');
    });
    setTimeout(() => {
      throw new Error('first');
    }, 10);
  },
  'unhandled-rejection': () => {
    span('ended')();
    Promise.reject(new Error('nobody handles this'));
  },
  'unsettled-await': async () => {
    span('ended')();
    await new Promise(() => {});
  },
  'exit-listener-records': () => {
    process.on('exit', () => {
      span('started and ended while exiting')();
      say('listener');
    });
    const end = span('open until exit');
    process.on('exit', end);
    process.exit(5);
  },
  'exit-listener-throws': () => {
    span('ended')();
    process.on('exit', () => {
      throw new Error('an exit listener fails');
    });
    process.exit(6);
  },
  'exit-listener-changes-the-code': () => {
    span('ended')();
    process.on('exit', () => {
      process.exitCode = 8;
    });
  },
  signal: async () => {
    span('ended')();
    span('open');
    await ready();
  },
  'signal-with-a-listener': async () => {
    process.on('SIGTERM', (name: string, number: number) => {
      say(`${name} ${number} ${process.listenerCount('SIGTERM')}`);
      setTimeout(() => {
        span('during shutdown')();
        process.exit(0);
      }, 20);
    });
    span('ended')();
    await ready();
  },
  'signal-that-is-ignored': async () => {
    process.on('SIGTERM', () => say('not now'));
    span('ended')();
    await ready(300);
    say('finished');
  },
  'signal-with-a-once-listener': async () => {
    // The usual graceful shutdown: a second signal does not wait.
    process.once('SIGTERM', () => {
      say('shutting down');
      span('during shutdown')();
      setTimeout(() => process.kill(process.pid, 'SIGTERM'), 20);
      setTimeout(() => say('too late'), 5000);
    });
    span('ended')();
    await ready();
  },
  'signal-after-the-listener-is-gone': async () => {
    const listener = (): void => say('never');
    process.on('SIGTERM', listener);
    await sleep(5);
    process.off('SIGTERM', listener);
    span('ended')();
    await ready();
  },
  'signal-after-all-listeners-are-gone': async () => {
    process.on('SIGTERM', () => say('never'));
    process.removeAllListeners('SIGTERM');
    span('ended')();
    await ready();
  },
  'signal-with-a-library-that-counts-listeners': async () => {
    // As libraries that clean up do: whoever is the last to listen brings the default action about.
    const listener = (): void => {
      const alone = process.listenerCount('SIGTERM') === 1;
      say(`cleaning up, ${alone ? 'alone' : 'others listen'}`);
      process.off('SIGTERM', listener);
      if (alone) process.kill(process.pid, 'SIGTERM');
    };
    await sleep(5);
    process.on('SIGTERM', listener);
    await sleep(5);
    span('ended')();
    await ready();
  },
  'signal-emitted-by-hand': async () => {
    process.emit('SIGTERM');
    span('ended')();
    await sleep(20);
    say('still here');
  },
  'signal-after-shutdown': async () => {
    span('ended')();
    await tracing?.shutdown();
    await ready();
  },
  'exit-listener-exits': () => {
    span('ended')();
    process.on('exit', () => process.exit(7));
  },
  'natural-with-an-asynchronous-exporter': async () => {
    span('ended')();
    await sleep(20);
    process.exitCode = 4;
    console.log('done');
  },
  kill: async () => {
    for (let index = 0; ; index++) {
      span(String(index))();
      // The parent knows by this what was recorded when.
      say(`${index} ${Date.now()}`);
      await sleep(5);
    }
  },
  'two-hosts': async () => {
    if (file !== undefined) {
      const second = startTracing({ exporters: fileExporter(file), flushIntervalMs: 1_000_000 });
      second.plugin.endSpan(second.plugin.startSpan({ name: 'of the second host' }));
    }
    span('ended')();
    await ready();
  },
  worker: async () => {
    if (!isMainThread) {
      span(`in thread ${threadId > 0 ? 'of its own' : 'main'}`)();
      process.exit(9);
    }
    span('ended')();
    const worker = new Worker(new URL(import.meta.url), { workerData: { ending, file } });
    worker.on('exit', (code) => say(`worker ${code}`));
    worker.on('error', (error) => say(String(error)));
  },
};

await endings[ending]!();
