// Stores that take inserts in other processes.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { encodeLogs, encodeMetrics, encodeTraces } from '@tracewell/otlp';
import { TracewellError } from '@tracewell/plugin';
import type { Comment, InsertResult, Signal } from '@tracewell/store';
import type { StoreSubject } from '@tracewell/store/conformance';
import type { Order, Outcome } from './writer-process.ts';

type NewOrder = Order extends infer One ? (One extends Order ? Omit<One, 'id'> : never) : never;

/** Processes that have the same directory open, one directory after the other, and take inserts in turn. */
export class WriterProcesses {
  readonly #processes: ChildProcess[];
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #orders = 0;

  constructor(count: number) {
    this.#processes = Array.from({ length: count }, () =>
      fork(`${import.meta.dirname}/writer-process.ts`, {
        execArgv: ['--conditions=@tracewell/source'],
        serialization: 'advanced',
      }),
    );
    for (const child of this.#processes) child.on('message', (outcome: Outcome) => this.#settle(outcome));
  }

  /** Opens a directory in all processes. */
  async open(directory: string): Promise<void> {
    await Promise.all(this.#processes.map((child) => this.#send(child, { open: directory })));
  }

  /** Closes what was opened. */
  async close(): Promise<void> {
    await Promise.all(this.#processes.map((child) => this.#send(child, { close: true })));
  }

  /** Ends the processes. */
  async end(): Promise<void> {
    await Promise.all(
      this.#processes.map(async (child) => {
        child.disconnect();
        await once(child, 'exit');
      }),
    );
  }

  /** What hands every insert to the next of the processes. */
  get store(): StoreSubject['store'] {
    return {
      insertSpans: async (spans) => this.#insert('traces', encodeTraces(list('spans', spans))),
      insertLogs: async (logs) => this.#insert('logs', encodeLogs(list('logs', logs))),
      insertMetrics: async (metrics) => this.#insert('metrics', encodeMetrics(list('metrics', metrics))),
      insertOtlp: (signal, bytes) => this.#insert(signal, bytes),
      addComment: (comment) => this.#send(this.#next(), { comment }) as Promise<Comment>,
    };
  }

  #insert(signal: Signal, bytes: Uint8Array): Promise<InsertResult> {
    return this.#send(this.#next(), { signal, bytes }) as Promise<InsertResult>;
  }

  #next(): ChildProcess {
    return this.#processes[this.#orders % this.#processes.length]!;
  }

  #send(child: ChildProcess, order: NewOrder): Promise<unknown> {
    const id = this.#orders++;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    child.send({ id, ...order });
    return waiting.promise;
  }

  #settle({ id, result, error }: Outcome): void {
    const waiting = this.#waiting.get(id)!;
    this.#waiting.delete(id);
    if (error === undefined) waiting.resolve(result);
    else waiting.reject(revived(error));
  }
}

function list<Row>(name: string, rows: readonly Row[]): readonly Row[] {
  if (!Array.isArray(rows)) throw new TypeError(`${name} must be an array`);
  return rows;
}

/** An error of the class that it had in the other process. */
function revived({ name, message, code }: NonNullable<Outcome['error']>): Error {
  if (name === 'TypeError') return new TypeError(message);
  if (name === 'RangeError') return new RangeError(message);
  return new TracewellError(code as TracewellError['code'], message);
}
