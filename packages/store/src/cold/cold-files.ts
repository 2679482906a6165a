import { TracewellError } from '@tracewell/plugin';
import { BlobStore } from '../blobs/blob-store.ts';
import type { Comment } from '../comments/comment.ts';
import type { FileSystem, OpenFile } from '../fs/file-system.ts';
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

/** How many files are kept open, each with its footer and the filters that were asked for. */
const MAX_OPEN = 256;

/** Why a file was passed over. */
export class UnreadableFile extends Error {
  readonly file: ColdFile;
  /** Whether the file is not there. It may have been replaced by another. */
  readonly isGone: boolean;

  constructor(file: ColdFile, cause: unknown) {
    super((cause as Error).message, { cause });
    this.file = file;
    this.isGone = (cause as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/** The files of the cold tier that are open, those used last. */
export class ColdFiles {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #blobs: BlobStore;
  readonly #open = new Map<string, { readonly file: OpenFile; readonly opened: unknown }>();

  constructor(fs: FileSystem, directory: string) {
    this.#fs = fs;
    this.#directory = directory;
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

  /** Closes those that are not among the visible ones any more. */
  retain(visible: readonly ColdFile[]): void {
    const ids = new Set(visible.map(({ id }) => id));
    for (const id of [...this.#open.keys()]) if (!ids.has(id)) this.#close(id);
  }

  /** Closes all. */
  close(): void {
    for (const id of [...this.#open.keys()]) this.#close(id);
  }

  /** @param opener - always the same for a file, since a file is of one signal */
  #opened<Opened>(cold: ColdFile, opener: Opener<Opened>): Opened {
    let open = this.#open.get(cold.id);
    if (open === undefined) {
      const path = this.pathOf(cold);
      const file = this.#fs.openSync(path, 'read');
      try {
        open = { file, opened: opener.open(file, path, this.#blobs) };
      } catch (error) {
        file.closeSync();
        throw error;
      }
      // A Map iterates in the order of insertion, so the first is the one not used for longest.
      if (this.#open.size >= MAX_OPEN) this.#close(this.#open.keys().next().value!);
    } else {
      this.#open.delete(cold.id);
    }
    this.#open.set(cold.id, open);
    return open.opened as Opened;
  }

  #close(id: string): void {
    this.#open.get(id)?.file.closeSync();
    this.#open.delete(id);
  }

  #unreadable(file: ColdFile, error: unknown): unknown {
    const isDamage = error instanceof TracewellError && error.code === 'TW_COLD_DAMAGED';
    const isRefusal = (error as NodeJS.ErrnoException).syscall !== undefined;
    return isDamage || isRefusal ? new UnreadableFile(file, error) : error;
  }
}
