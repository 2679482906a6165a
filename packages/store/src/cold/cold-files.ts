import { TracewellError } from '@tracewell/plugin';
import { BlobStore } from '../blobs/blob-store.ts';
import type { Comment } from '../comments/comment.ts';
import type { FileSystem } from '../fs/file-system.ts';
import { ReadFiles } from '../log/segment.ts';
import type { ColdFile } from '../meta/catalog.ts';
import { ParquetFile, type ReadableFile } from '../parquet/file.ts';
import { readComments } from './comments/read-comments.ts';
import { LogFile } from './logs/log-file.ts';
import { MetricFile } from './metrics/metric-file.ts';
import { coldPath } from './partition.ts';
import { SpanFile } from './spans/span-file.ts';

/** What opens the files of a signal. */
interface Opener<Opened> {
  open(file: ReadableFile, path: string, blobs: BlobStore): Opened;
}

/** A file of comments, of which all is read. */
const COMMENT_FILE: Opener<ParquetFile> = { open: (file, path) => ParquetFile.open(file, path) };

/** Of how many files the footers are kept, and the filters that were asked for. */
const MAX_KNOWN = 4096;
/** How many of them are open. */
const MAX_OPEN = 256;

/** Why a file was passed over. */
export class UnreadableFile extends Error {
  readonly file: ColdFile;
  /** Whether the file is not there. It may have been replaced by another. */
  readonly isGone: boolean;

  constructor(file: ColdFile, cause: unknown) {
    super((cause as Error).message, { cause });
    this.file = file;
    this.isGone = [cause, (cause as Error).cause].some(
      (error) => (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT',
    );
  }
}

/** The files of the cold tier that were read lately. They are opened again as they are needed. */
export class ColdFiles {
  readonly #directory: string;
  readonly #blobs: BlobStore;
  readonly #files: ReadFiles;
  readonly #known = new Map<string, { readonly path: string; readonly opened: unknown }>();

  constructor(fs: FileSystem, directory: string) {
    this.#directory = directory;
    this.#files = new ReadFiles(fs, MAX_OPEN);
    this.#blobs = new BlobStore(fs, directory);
  }

  /** Where a file lies. */
  pathOf(file: ColdFile): string {
    return coldPath(this.#directory, file);
  }

  /**
   * Reads from a file of spans.
   *
   * @throws {@link UnreadableFile}
   */
  spans<Result>(file: ColdFile, read: (spans: SpanFile) => Result): Result {
    try {
      return read(this.#opened(file, SpanFile));
    } catch (error) {
      throw this.#unreadable(file, error);
    }
  }

  /** As {@link ColdFiles.spans}, part by part. */
  eachOfSpans<Part>(file: ColdFile, read: (spans: SpanFile) => Iterable<Part>): Generator<Part> {
    return this.#each(file, SpanFile, read);
  }

  /** Reads from a file of logs, part by part. @throws {@link UnreadableFile} */
  eachOfLogs<Part>(file: ColdFile, read: (logs: LogFile) => Iterable<Part>): Generator<Part> {
    return this.#each(file, LogFile, read);
  }

  /** Reads from a file of metrics, part by part. @throws {@link UnreadableFile} */
  eachOfMetrics<Part>(file: ColdFile, read: (metrics: MetricFile) => Iterable<Part>): Generator<Part> {
    return this.#each(file, MetricFile, read);
  }

  /** The comments on a trace in a file. @throws {@link UnreadableFile} */
  comments(file: ColdFile, traceId: string): Comment[] {
    return [...this.#each(file, COMMENT_FILE, (open) => readComments(open, traceId))];
  }

  *#each<Opened, Part>(
    file: ColdFile,
    opener: Opener<Opened>,
    read: (opened: Opened) => Iterable<Part>,
  ): Generator<Part> {
    try {
      yield* read(this.#opened(file, opener));
    } catch (error) {
      throw this.#unreadable(file, error);
    }
  }

  /** The contents of a blob that a row names. @throws as {@link BlobStore.get} */
  blob(name: string): Uint8Array {
    return this.#blobs.get(name);
  }

  /** Forgets those that are not among the visible ones any more. */
  retain(visible: readonly ColdFile[]): void {
    const ids = new Set(visible.map(({ id }) => id));
    for (const id of [...this.#known.keys()]) if (!ids.has(id)) this.#forget(id);
  }

  /** Closes all. */
  close(): void {
    this.#known.clear();
    this.#files.closeAll();
  }

  /** @param opener - always the same for a file, since a file is of one signal */
  #opened<Opened>(cold: ColdFile, opener: Opener<Opened>): Opened {
    let known = this.#known.get(cold.id);
    if (known === undefined) {
      const path = this.pathOf(cold);
      const files = this.#files;
      const file: ReadableFile = {
        readSync: (target, position) => files.get(path).readSync(target, position),
        sizeSync: () => files.get(path).sizeSync(),
      };
      known = { path, opened: opener.open(file, path, this.#blobs) };
      // A Map iterates in the order of insertion, so the first is the one not used for longest.
      if (this.#known.size >= MAX_KNOWN) this.#forget(this.#known.keys().next().value!);
    } else {
      this.#known.delete(cold.id);
    }
    this.#known.set(cold.id, known);
    return known.opened as Opened;
  }

  #forget(id: string): void {
    const known = this.#known.get(id);
    if (known !== undefined) this.#files.close(known.path);
    this.#known.delete(id);
  }

  #unreadable(file: ColdFile, error: unknown): unknown {
    const isDamage = error instanceof TracewellError && error.code === 'TW_COLD_DAMAGED';
    const isRefusal = (error as NodeJS.ErrnoException).syscall !== undefined;
    return isDamage || isRefusal ? new UnreadableFile(file, error) : error;
  }
}
