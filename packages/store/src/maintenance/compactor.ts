import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { TracewellError } from '@tracewell/plugin';
import type { Job, MadeFile } from '../cold/job.ts';
import type { OnStep } from '../cold/kill-step.ts';
import { publish } from '../cold/publish.ts';
import type { JobRunner } from '../cold/worker-pool.ts';
import type { FileSystem } from '../fs/file-system.ts';
import { logDirectory, segmentPath } from '../log/names.ts';
import type { Segment } from '../log/types.ts';
import type { Catalog, ColdFile } from '../meta/catalog.ts';
import { removeLeftovers } from './leftovers.ts';
import { type HotLimits, planCompaction } from './plan-compaction.ts';
import { planMerges } from './plan-merges.ts';

/** How far a compaction has come. */
export interface CompactionProgress {
  /** Segments and files that are done, of those that there are to do. */
  readonly done: number;
  readonly total: number;
  /** Bytes of them. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** What a compaction did. */
export interface CompactionResult {
  /** Segments that went cold. */
  readonly segments: number;
  /** Bytes that they took in the log. */
  readonly segmentBytes: number;
  /** Files that were made of them, and their bytes. */
  readonly files: number;
  readonly fileBytes: number;
  /** Files that were merged into larger ones. */
  readonly merged: number;
}

/** What {@link Compactor} works with. */
export interface CompactorContext {
  readonly fs: FileSystem;
  readonly directory: string;
  /** What there is of the log. */
  readonly segments: () => Iterable<Segment>;
  readonly catalog: Pick<Catalog, 'state' | 'refresh' | 'publish' | 'forget'>;
  readonly runner: JobRunner;
  /** Whether a tail still needs a segment. */
  readonly isHeld: (segment: Segment) => boolean;
  /** Told before a segment goes. */
  readonly released: (segment: Segment) => void;
  readonly step: OnStep;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** How a compaction is to go about it. */
export interface CompactionRun {
  /** `undefined`: everything that is sealed. */
  readonly limits: HotLimits | undefined;
  readonly onProgress: (progress: CompactionProgress) => void;
  readonly signal: AbortSignal | undefined;
}

/** Moves segments to files, and merges files. Only under the maintenance lock. */
export class Compactor {
  readonly #context: CompactorContext;

  constructor(context: CompactorContext) {
    this.#context = { ...context, directory: resolve(context.directory) };
  }

  /** Removes what a compaction that died has left. To be called first. */
  async recover(): Promise<void> {
    const { fs, directory, catalog, segments, released } = this.#context;
    catalog.refresh();
    await removeLeftovers(fs, directory, catalog, segments(), released);
  }

  /**
   * Does all that is due.
   *
   * @throws the reason of the signal once that is aborted; what is done by then is done
   * @throws `TracewellError`, or what the file system throws: what is not done is as it was
   */
  async run({ limits, onProgress, signal }: CompactionRun): Promise<CompactionResult> {
    const { fs, directory, isHeld, now } = this.#context;
    const folder = logDirectory(directory);
    const modifiedMs = ({ writer, number }: Segment): number =>
      fs.statSync(segmentPath(join(folder, writer), number))?.modifiedMs ?? 0;
    const log = { segments: this.#live(), modifiedMs, isHeld };
    const batches = planCompaction(log, limits, now());
    const totals = { done: 0, total: 0, doneBytes: 0, totalBytes: 0 };
    for (const batch of batches) {
      totals.total += batch.length;
      totals.totalBytes += bytesOf(batch);
    }
    const result = { segments: 0, segmentBytes: 0, files: 0, fileBytes: 0, merged: 0 };
    if (totals.total > 0) onProgress({ ...totals });
    for (const batch of batches) {
      signal?.throwIfAborted();
      const made = await this.#compact(batch, signal);
      result.segments += batch.length;
      result.segmentBytes += bytesOf(batch);
      result.files += made.length;
      result.fileBytes += made.reduce((sum, { file }) => sum + file.bytes, 0);
      totals.done += batch.length;
      totals.doneBytes += bytesOf(batch);
      onProgress({ ...totals });
    }
    for (;;) {
      const [files] = planMerges(this.#context.catalog.state().files);
      if (files === undefined) return result;
      signal?.throwIfAborted();
      await this.#merge(files, signal);
      result.merged += files.length;
    }
  }

  /** The segments that are not retired. */
  #live(): Segment[] {
    const { retired } = this.#context.catalog.state();
    return [...this.#context.segments()].filter(({ id }) => !retired.has(id));
  }

  async #compact(
    segments: readonly Segment[],
    signal: AbortSignal | undefined,
  ): Promise<readonly MadeFile[]> {
    const folder = logDirectory(this.#context.directory);
    const inputs = segments.map(({ id, writer, number, bytes }) => ({
      path: segmentPath(join(folder, writer), number),
      id,
      bytes,
    }));
    const files = this.#context.catalog.state().files.filter(({ damage }) => damage === undefined);
    return this.#do({ segments: inputs, files }, segments, signal);
  }

  async #merge(files: readonly ColdFile[], signal: AbortSignal | undefined): Promise<void> {
    await this.#do({ segments: [], files }, [], signal);
  }

  async #do(
    { segments, files }: Pick<Job, 'segments' | 'files'>,
    retiring: readonly Segment[],
    signal: AbortSignal | undefined,
  ): Promise<readonly MadeFile[]> {
    const { fs, directory, catalog, runner, step, released } = this.#context;
    const job = { directory, segments, files, name: randomBytes(6).toString('hex') };
    step('planned');
    let made: readonly MadeFile[];
    try {
      made = await runner.run(job, signal);
    } catch (error) {
      await this.#removeTemporary(error);
      throw error;
    }
    await publish(fs, directory, catalog, { made, segments: retiring, visible: files }, step, released);
    return made;
  }

  /** Gives back at once what a job that failed has taken of the disk: perhaps it failed because that is full. */
  async #removeTemporary(failure: unknown): Promise<void> {
    try {
      await this.recover();
    } catch {
      // The next run begins with it, and tells.
      if (failure instanceof TracewellError) return;
    }
  }
}

function bytesOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { bytes }) => sum + bytes, 0);
}
