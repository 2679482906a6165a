import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  fdatasync as syncData,
  write,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { tracesToJson } from '@tracewell/otlp';
import { type BatchExporter, ExportError, type SpanBatch } from '@tracewell/plugin';
import { checkObject, describe, flag, wholeNumber } from '../options.ts';

/** Settings of {@link fileExporter}. Everything has a default. */
export interface FileExporterOptions {
  /**
   * Bytes that the file may grow to before it becomes `<path>.1` and a new one is begun. A batch is never
   * divided, so that one that is larger than this makes a file of its own. Default 104,857,600 (100 MiB).
   */
  readonly maxBytes?: number;
  /** Older files kept beside the current one, as `<path>.1` (the newest) and so on. 0 keeps none. Default 5. */
  readonly maxFiles?: number;
  /**
   * Whether a batch counts as delivered only when the disk has it. Default `false`: it survives the death of
   * the process, but a power cut costs what the operating system had not written yet.
   */
  readonly sync?: boolean;
}

/**
 * Writes spans to a file as OTLP JSON, one request a line, as the file exporter of the OpenTelemetry Collector
 * does and its `otlpjsonfile` receiver reads. The file is rotated by size.
 *
 * A restart goes on with the same file; what a crash left of a line is closed with a line end, so that the lines
 * after it stay readable. The file may be moved away or deleted at any time, and several processes may write to
 * one path, each line whole.
 *
 * @param path - the file; missing folders are made
 * @param options - see {@link FileExporterOptions}
 * @throws TypeError or RangeError if the path or an option is invalid
 *
 * @see https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/
 *
 * @example
 * ```ts
 * import { fileExporter, startTracing } from '@tracewell/sdk';
 *
 * await using tracing = startTracing({ exporters: fileExporter('traces.jsonl', { maxBytes: 10_000_000 }) });
 * tracing.plugin.endSpan(tracing.plugin.startSpan({ name: 'checkout' }));
 * ```
 */
export function fileExporter(path: string, options: FileExporterOptions = {}): BatchExporter {
  return new FileExporter(path, options);
}

const WHERE = 'fileExporter';
const LINE_END = 10;
const writeBytes = promisify(write);
const syncBytes = promisify(syncData);

/*
 * The file is opened for each batch and closed again: 50 us beside the milliseconds that a batch takes as JSON.
 * For that there is no state that could be wrong: after an error, a rotation by another process, or while an
 * asynchronous write is in flight and the process exits, the next write looks at the file as it is.
 */
class FileExporter implements BatchExporter {
  readonly name: string;
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #maxFiles: number;
  readonly #sync: boolean;
  /** Settles when the writes so far are done. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string, options: FileExporterOptions) {
    if (typeof path !== 'string' || path === '') {
      throw new TypeError(`${WHERE}: path must be a non-empty string, got ${describe(path)}`);
    }
    checkObject(WHERE, 'options', options);
    this.name = `file ${path}`;
    // The working directory may change later.
    this.#path = resolve(path);
    this.#maxBytes = wholeNumber(WHERE, 'maxBytes', options.maxBytes, 104_857_600);
    const maxFiles = options.maxFiles ?? 5;
    this.#maxFiles = maxFiles === 0 ? 0 : wholeNumber(WHERE, 'maxFiles', maxFiles, 5, 1000);
    this.#sync = flag(WHERE, 'sync', options.sync, false);
  }

  export(batch: SpanBatch): Promise<void> {
    const done = this.#last.then(() => this.#append(batch));
    this.#last = done.catch(() => {});
    return done;
  }

  exportSync(batch: SpanBatch): void {
    const line = this.#line(batch);
    try {
      const file = this.#open(line.length);
      try {
        mendLastLine(file);
        for (let at = 0; at < line.length; ) at += writeSync(file, line, at);
        if (this.#sync) fdatasyncSync(file);
      } finally {
        closeSync(file);
      }
    } catch (cause) {
      throw this.#error(cause);
    }
  }

  async flush(): Promise<void> {
    await this.#last;
  }

  async shutdown(): Promise<void> {
    await this.#last;
  }

  async #append(batch: SpanBatch): Promise<void> {
    const line = this.#line(batch);
    try {
      const file = this.#open(line.length);
      try {
        mendLastLine(file);
        // The whole line in one write where possible: that is what keeps lines of several processes apart.
        for (let at = 0; at < line.length; ) {
          at += (await writeBytes(file, line, at, line.length - at, null)).bytesWritten;
        }
        if (this.#sync) await syncBytes(file);
      } finally {
        closeSync(file);
      }
    } catch (cause) {
      throw this.#error(cause);
    }
  }

  /** The batch as a line. */
  #line(batch: SpanBatch): Buffer {
    try {
      return Buffer.from(`${tracesToJson(batch.bytes)}\n`);
    } catch (cause) {
      throw new ExportError(`${this.name}: the batch is not readable`, { retryable: false, cause });
    }
  }

  /** Opens the file for a line, after rotating if the line would not fit. */
  #open(bytes: number): number {
    const file = this.#openPath();
    const { size, ino, dev } = fstatSync(file);
    if (size === 0 || size + bytes <= this.#maxBytes) return file;
    closeSync(file);
    // Another process may have rotated in the meantime; its new file is not full.
    const now = statSync(this.#path, { throwIfNoEntry: false });
    if (now?.ino === ino && now.dev === dev) this.#rotate();
    return this.#openPath();
  }

  #openPath(): number {
    try {
      return openSync(this.#path, 'a+');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      mkdirSync(dirname(this.#path), { recursive: true });
      return openSync(this.#path, 'a+');
    }
  }

  #rotate(): void {
    if (this.#maxFiles === 0) {
      rmSync(this.#path, { force: true });
      return;
    }
    for (let number = this.#maxFiles - 1; number >= 0; number--) {
      const from = number === 0 ? this.#path : `${this.#path}.${number}`;
      try {
        renameSync(from, `${this.#path}.${number + 1}`);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  }

  #error(cause: unknown): ExportError {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new ExportError(`${this.name}: ${why}; check that the folder is writable and the disk not full`, {
      retryable: true,
      cause,
    });
  }
}

/**
 * Closes a line that a crash has cut off. A line that another process is just writing looks the same for an instant,
 * so only one that stays as it is counts.
 */
function mendLastLine(file: number): void {
  for (let look = 0, before = -1; look < MAX_LOOKS; look++) {
    const { size } = fstatSync(file);
    if (size === 0 || readSync(file, lastByte, 0, 1, size - 1) !== 1 || lastByte[0] === LINE_END) return;
    if (size === before) break;
    before = size;
    Atomics.wait(sleeper, 0, 0, LOOK_AGAIN_MS);
  }
  writeSync(file, '\n');
}

const MAX_LOOKS = 10;
const LOOK_AGAIN_MS = 5;
const lastByte = new Uint8Array(1);
/** Nobody wakes it: it is there to wait without an event loop. */
const sleeper = new Int32Array(new SharedArrayBuffer(4));
