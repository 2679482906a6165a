/**
 * A process of the kill loop: stores as fast as it can until it is killed, and prints the id of everything
 * that was acknowledged. With threads, each stores into a log of its own.
 *
 *   node writer-process.ts '{"directory": …}'
 */
import { writeSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import type { LogOptions } from '../../../packages/store/src/log/types.ts';
import { openTarget, type Through } from './workload.ts';

/** What the process is told. */
export interface WriterTask {
  readonly through: Through;
  readonly directory: string;
  /** Start of every id. */
  readonly name: string;
  readonly options: LogOptions;
  /** Inserts in flight. */
  readonly inFlight: number;
  /** Threads beside the main one. */
  readonly threads: number;
}

const task: WriterTask = isMainThread ? JSON.parse(process.argv[2]!) : workerData;
if (isMainThread) {
  for (let i = 1; i <= task.threads; i++) {
    const name = `${task.name}t${i}`;
    new Worker(new URL(import.meta.url), { workerData: { ...task, name, threads: 0 } });
  }
}

const target = await openTarget(task.through, task.directory, task.options);
let next = 0;
await Promise.all(
  Array.from({ length: task.inFlight }, async (_, lane) => {
    for (;;) {
      const id = `${task.name}-${next++}`;
      // Now and then before it returns, while other inserts are in flight, as at the exit of a process.
      if (lane === 0 && next % 7 === 0) target.insertSync(id);
      else await target.insert(id);
      print(id);
    }
  }),
);

/** One line, at once: what is in a buffer of the process when it is killed would be lost. */
function print(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      // The pipe is full: whoever reads it is slower than we are.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
