/**
 * What a worker thread does for compaction: makes files of segments, or one file of several. It changes nothing
 * that anybody sees: the files have temporary names, and are synced and read back before it says that they are
 * there. Whoever ordered them gives them their names (cold/publish.ts), or removes them.
 */
import { ERROR_CODES, type ErrorCode, TracewellError } from '@tracewell/plugin';
import { BlobStore } from '../blobs/blob-store.ts';
import { makeDirectories } from '../fs/directories.ts';
import type { FileSystem, OpenFile } from '../fs/file-system.ts';
import { writeAllSync } from '../fs/file-system.ts';
import { readSealedSegment } from '../log/segment-frames.ts';
import type { ColdFile, ColdSignal } from '../meta/catalog.ts';
import { ParquetFile } from '../parquet/file.ts';
import type { Sink } from '../parquet/output.ts';
import { PayloadMover } from '../payloads/move-out.ts';
import type { OnStep } from './kill-step.ts';
import { coldPath, dayOf, partitionDirectory } from './partition.ts';
import {
  type ColdWriter,
  coldWriter,
  newRows,
  type OpenColdFile,
  rollUpMetrics,
  type Written,
} from './signals.ts';

/** A segment as a worker finds it. */
export interface SegmentInput {
  readonly path: string;
  readonly id: string;
  readonly bytes: number;
}

/** What a worker is told. It is cloned into the thread, so it holds plain data only. */
export interface Job {
  /** Of the store. */
  readonly directory: string;
  /** Oldest first. None for a merge. */
  readonly segments: readonly SegmentInput[];
  /** Files that are to become one; and for segments those that may hold copies of their rows. */
  readonly files: readonly ColdFile[];
  /**
   * Whether the files, which are of metrics, become rollups of their day, together with those rollups of it that are
   * among them. Default `false`.
   */
  readonly rollsUp?: boolean;
  /** Begins the names of the files that are made: 12 hex digits, random. */
  readonly name: string;
}

/** A file that a worker made: durable and read back, under its temporary name. */
export interface MadeFile {
  readonly file: ColdFile;
  /** Ids of files whose rows it has too, so that they are to go. */
  readonly replaces: readonly string[];
}

/** The temporary name of a file that a job makes. */
export function temporaryPath(directory: string, file: ColdFile): string {
  return `${coldPath(directory, file)}.tmp`;
}

/**
 * Does a job.
 *
 * @param step - told what was done, for the tests that kill it there
 * @throws `TracewellError` (`TW_LOG_DAMAGED`, `TW_COLD_DAMAGED`, …) or what the file system throws; what was made
 * until then is left under its temporary name
 */
export function runJob(fs: FileSystem, job: Job, step: OnStep = () => {}): MadeFile[] {
  if (job.segments.length > 0) return compactSegments(fs, job, step);
  return job.rollsUp === true ? rollUpFiles(fs, job, step) : mergeFiles(fs, job, step);
}

/** What became of a job, as plain data: an error on its way from a thread keeps its message only. */
export type JobOutcome =
  | { readonly made: readonly MadeFile[] }
  | { readonly failure: { readonly code: string | undefined; readonly message: string } };

/** As {@link runJob}, and never throws. */
export function jobOutcome(fs: FileSystem, job: Job, step?: OnStep): JobOutcome {
  try {
    return { made: runJob(fs, job, step) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { failure: { code, message } };
  }
}

/** The files of a job. @throws TracewellError or what the file system threw */
export function madeFiles(outcome: JobOutcome): readonly MadeFile[] {
  if ('made' in outcome) return outcome.made;
  const { code, message } = outcome.failure;
  if (code !== undefined && code in ERROR_CODES) throw new TracewellError(code as ErrorCode, message);
  throw Object.assign(new Error(message), code === undefined ? {} : { code });
}

function compactSegments(fs: FileSystem, job: Job, step: OnStep): MadeFile[] {
  const payloads = new PayloadMover(new BlobStore(fs, job.directory));
  const rows = newRows(payloads);
  for (const { path, id, bytes } of job.segments) {
    for (const { kind, payload } of readSealedSegment(fs, path, id, bytes)) rows.add(kind, payload);
  }
  step('read');
  // Before anything names them.
  payloads.flush();
  step('payloads');
  const made: MadeFile[] = [];
  for (const part of rows.parts()) {
    const { signal, partition } = part;
    const make = new Making(fs, job, signal, partition, made.length);
    let result = make.write((sink, keyValues) => part.write(sink, keyValues));
    step('written');
    if (result === undefined) continue;
    const writer = coldWriter(signal);
    const before = job.files.filter((file) => file.signal === signal && file.partition === partition);
    const copied = withCopies(fs, job, writer, result, before);
    if (copied.length > 0) {
      // A row that came again must not be in two files: they become one.
      const first = result;
      const again = new Making(fs, job, signal, partition, made.length + 0x8000);
      const sources = [
        temporaryPath(job.directory, first),
        ...copied.map((file) => coldPath(job.directory, file)),
      ];
      result = withOpen(fs, sources, (files) =>
        again.write((sink, keys) => writer.merge(files, sink, keys), copied),
      );
      fs.unlinkSync(temporaryPath(job.directory, first));
      step('merged');
      if (result === undefined) continue;
    }
    made.push({ file: result, replaces: copied.map(({ id }) => id) });
  }
  return made;
}

function mergeFiles(fs: FileSystem, job: Job, step: OnStep): MadeFile[] {
  const [{ signal, partition }] = job.files as [ColdFile];
  const make = new Making(fs, job, signal, partition, 0);
  const paths = job.files.map((file) => coldPath(job.directory, file));
  const result = withOpen(fs, paths, (files) =>
    make.write((sink, keyValues) => coldWriter(signal).merge(files, sink, keyValues), job.files),
  );
  step('merged');
  return result === undefined ? [] : [{ file: result, replaces: job.files.map(({ id }) => id) }];
}

function rollUpFiles(fs: FileSystem, job: Job, step: OnStep): MadeFile[] {
  const metrics = job.files.filter(({ signal }) => signal === 'metrics');
  const paths = job.files.map((file) => coldPath(job.directory, file));
  const make = new Making(fs, job, 'metrics_5m', dayOf(metrics[0]!.partition), 0);
  const result = withOpen(fs, paths, (files) =>
    make.write((sink, keyValues) => {
      const ofSignal = (signal: ColdSignal): OpenColdFile[] =>
        files.filter((_, index) => job.files[index]!.signal === signal);
      return rollUpMetrics(ofSignal('metrics'), ofSignal('metrics_5m'), sink, keyValues);
    }, job.files),
  );
  step('merged');
  return result === undefined ? [] : [{ file: result, replaces: job.files.map(({ id }) => id) }];
}

/** Those of the files that have a row of the one that was made. */
function withCopies(
  fs: FileSystem,
  { directory }: Job,
  writer: ColdWriter,
  made: ColdFile,
  files: readonly ColdFile[],
): ColdFile[] {
  const overlapping = files.filter(
    ({ minTime, maxTime }) => minTime <= made.maxTime && maxTime >= made.minTime,
  );
  return overlapping.filter((file) => {
    try {
      return withOpen(fs, [temporaryPath(directory, made), coldPath(directory, file)], ([own, other]) =>
        writer.shareRows(own!, other!),
      );
    } catch (error) {
      // What cannot be read is found when somebody reads it; it has nothing to say here.
      if (error instanceof TracewellError && error.code === 'TW_COLD_DAMAGED') return false;
      throw error;
    }
  });
}

/** One file on its way to the disk. */
class Making {
  readonly #fs: FileSystem;
  readonly #job: Job;
  readonly #signal: ColdSignal;
  readonly #partition: string;
  readonly #id: string;

  constructor(fs: FileSystem, job: Job, signal: ColdSignal, partition: string, number: number) {
    this.#fs = fs;
    this.#job = job;
    this.#signal = signal;
    this.#partition = partition;
    this.#id = job.name + number.toString(16).padStart(4, '0');
  }

  /**
   * Writes, syncs and reads back.
   *
   * @param replaced - files whose rows it has too
   */
  write(
    write: (sink: Sink, keyValues: ReadonlyMap<string, string>) => Written | undefined,
    replaced: readonly ColdFile[] = [],
  ): ColdFile | undefined {
    const { directory, segments } = this.#job;
    makeDirectories(this.#fs, partitionDirectory(directory, this.#signal, this.#partition));
    const place = { id: this.#id, signal: this.#signal, partition: this.#partition };
    const path = `${coldPath(directory, place)}.tmp`;
    const file = this.#fs.openSync(path, 'create');
    let written: Written | undefined;
    let bytes = 0;
    try {
      written = write(sinkOf(file), origin(segments, replaced));
      if (written !== undefined) file.syncSync();
      bytes = file.sizeSync();
    } finally {
      file.closeSync();
    }
    if (written === undefined) {
      this.#fs.unlinkSync(path);
      return undefined;
    }
    withOpen(this.#fs, [path], ([whole]) => verify(whole!, written.rows));
    const { rows, minTime, maxTime } = written;
    return { ...place, rows, bytes, minTime, maxTime };
  }
}

/** The key in the footer of a file under which stand the ids of the segments whose rows it has. */
export const SEGMENTS_KEY = 'tracewell.segments';
/** The key in the footer of a file under which stand the ids of the files whose rows it has. */
export const REPLACES_KEY = 'tracewell.replaces';

function origin(
  segments: readonly SegmentInput[],
  replaced: readonly ColdFile[],
): ReadonlyMap<string, string> {
  return new Map([
    [SEGMENTS_KEY, segments.map(({ id }) => id).join(' ')],
    [REPLACES_KEY, replaced.map(({ id }) => id).join(' ')],
  ]);
}

/** Reads all of a file and checks it. */
function verify({ file, path }: OpenColdFile, rows: number): void {
  const parquet = ParquetFile.open(file, path);
  parquet.verify();
  if (parquet.rows === rows) return;
  throw new TracewellError(
    'TW_COLD_DAMAGED',
    `${path} was read back with ${parquet.rows} rows and not ${rows}; check the disk`,
  );
}

function sinkOf(file: OpenFile): Sink {
  let position = 0;
  return {
    write(bytes) {
      writeAllSync(file, [bytes], position);
      position += bytes.length;
    },
  };
}

function withOpen<Result>(
  fs: FileSystem,
  paths: readonly string[],
  use: (files: readonly OpenColdFile[]) => Result,
): Result {
  const files: { file: OpenFile; path: string }[] = [];
  try {
    for (const path of paths) files.push({ file: fs.openSync(path, 'read'), path });
    return use(files);
  } finally {
    for (const { file } of files) file.closeSync();
  }
}
