/**
 * Checks everything that a directory holds: each checksum, each row, and what the parts say of each other.
 *
 * - The log: every frame of every segment, whether it is whole, follows the one before it, and holds what its kind
 *   says. A second reader reads it, so it does not matter what the store has in memory. What is appended meanwhile
 *   is not looked at.
 * - The cold tier: every page of every file, and that the file has the rows that the catalog says.
 * - Blobs: that each holds what its name says, and that all are there that files name, unless retention may have
 *   dropped them.
 *
 * Nothing is changed.
 */
import { join, relative } from 'node:path';
import { decodeLogs, decodeMetrics, decodeTraces } from '@tracewell/otlp';
import { BlobStore } from '../blobs/blob-store.ts';
import { coldPath } from '../cold/partition.ts';
import { decodeComment } from '../comments/comment.ts';
import { nodeFileSystem } from '../fs/node-file-system.ts';
import { openLog } from '../log/log.ts';
import { logDirectory, segmentPath } from '../log/names.ts';
import { FrameKind, type LogIndexer, type Segment } from '../log/types.ts';
import type { ColdFile } from '../meta/catalog.ts';
import { ParquetFile } from '../parquet/file.ts';
import { blobNames } from '../payloads/names.ts';
import { checkFields } from '../query/check.ts';
import { nextTurn, turnIsOver } from '../query/turn.ts';

/** What {@link TraceStore.verify} takes. */
export interface VerifyOptions {
  /** Called now and then with how far it is. */
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined;
  /** Stops the verification. */
  readonly abortSignal?: AbortSignal | undefined;
}

/** How far a verification is. */
export interface VerifyProgress {
  readonly part: 'log' | 'cold' | 'blobs';
  /** Segments, files or blobs of the part that were checked. */
  readonly done: number;
}

/** What a verification found. */
export interface VerifyReport {
  /** Whether there are no problems. */
  readonly ok: boolean;
  /** Those that were found, at most 1,000. */
  readonly problems: readonly VerifyProblem[];
  /** What was checked. */
  readonly checked: {
    readonly segments: number;
    readonly frames: number;
    readonly bytes: number;
    readonly files: number;
    readonly rows: number;
    readonly blobs: number;
  };
}

/** Something that is not as it should be. */
export interface VerifyProblem {
  /** The file, relative to the directory. */
  readonly path: string;
  /** What is wrong with it. */
  readonly message: string;
}

/** What is checked. */
export interface Verified {
  readonly directory: string;
  /** The files of the cold tier that are visible now. */
  readonly visibleFiles: () => readonly ColdFile[];
  /** Whether retention drops blobs before the rows that name them. */
  readonly mayLackBlobs: boolean;
}

const CALLER = 'verify';
const FIELDS: ReadonlySet<string> = new Set<keyof VerifyOptions>(['onProgress', 'abortSignal']);
const MAX_PROBLEMS = 1000;

/** @throws TypeError naming an option that is none; the reason of `abortSignal` */
export async function verifyStore(
  { directory, visibleFiles, mayLackBlobs }: Verified,
  options: VerifyOptions,
): Promise<VerifyReport> {
  checkFields(CALLER, 'options', options, FIELDS);
  const { onProgress, abortSignal } = options;
  const problems: VerifyProblem[] = [];
  const tell = (path: string, message: string): void => {
    if (problems.length < MAX_PROBLEMS) problems.push({ path: relative(directory, path), message });
  };
  const pause = async (part: VerifyProgress['part'], done: number): Promise<void> => {
    onProgress?.({ part, done });
    if (turnIsOver()) await nextTurn();
    abortSignal?.throwIfAborted();
  };

  const frames = new FrameChecker(tell, directory);
  await checkLog(directory, frames, tell);
  await pause('log', frames.segments.size);

  const store = new BlobStore(nodeFileSystem, directory);
  let [done, rows] = [0, 0];
  for (const file of visibleFiles()) {
    const path = coldPath(directory, file);
    try {
      const missing = checkFile(path, file, mayLackBlobs ? undefined : store);
      rows += file.rows;
      if (missing > 0) throw new Error(`${missing} payloads that its rows name are not in the blob store`);
    } catch (error) {
      // Unless compaction or retention has removed it meanwhile.
      if (visibleFiles().some(({ id }) => id === file.id)) tell(path, (error as Error).message);
    }
    await pause('cold', ++done);
  }

  let blobs = 0;
  for (const { name } of store.list()) {
    try {
      store.get(name);
    } catch (error) {
      tell(join(directory, 'blobs', name.slice(0, 2), name.slice(2, 4), name), (error as Error).message);
    }
    await pause('blobs', ++blobs);
  }
  return {
    ok: problems.length === 0,
    problems,
    checked: {
      segments: frames.segments.size,
      frames: frames.count,
      bytes: frames.bytes,
      files: done,
      rows,
      blobs,
    },
  };
}

/** Reads every frame of the log, as an indexer that keeps nothing. */
class FrameChecker implements LogIndexer {
  readonly segments = new Set<Segment>();
  count = 0;
  bytes = 0;
  readonly #tell: (path: string, message: string) => void;
  readonly #directory: string;

  constructor(tell: (path: string, message: string) => void, directory: string) {
    this.#tell = tell;
    this.#directory = directory;
  }

  addFrame(segment: Segment, payloadOffset: number, payload: Uint8Array, kind: FrameKind): void {
    this.segments.add(segment);
    this.count++;
    this.bytes += payload.length;
    try {
      checkPayload(kind, payload);
    } catch (error) {
      const path = segmentPath(join(logDirectory(this.#directory), segment.writer), segment.number);
      this.#tell(path, `the frame whose payload is at byte ${payloadOffset}: ${(error as Error).message}`);
    }
  }

  /** Forgets what was counted. */
  begin(): void {
    this.segments.clear();
    this.count = 0;
    this.bytes = 0;
  }

  // Every frame is to come.
  load(): boolean {
    return false;
  }

  save(): undefined {
    return undefined;
  }

  remove(): void {}
}

/** @throws `TracewellError` if the payload is not what its kind says */
function checkPayload(kind: FrameKind, payload: Uint8Array): void {
  switch (kind) {
    case FrameKind.TRACES:
      // Spans with ids that are none were left out and counted when they came.
      decodeTraces(payload, { onInvalidSpan: () => {} });
      break;
    case FrameKind.LOGS:
      decodeLogs(payload);
      break;
    case FrameKind.METRICS:
      decodeMetrics(payload);
      break;
    case FrameKind.COMMENT:
      decodeComment(payload);
  }
}

async function checkLog(
  directory: string,
  frames: FrameChecker,
  tell: (path: string, message: string) => void,
): Promise<void> {
  const read = async (recovery: 'stop' | 'salvage'): Promise<number> => {
    const options = { readOnly: true, verify: true, recovery, scrubBytesPerSecond: 0 };
    const log = await openLog(directory, frames, options);
    const { damagedBytes, writers } = log.health();
    for (const { writer, error } of writers) {
      if (error !== undefined) tell(join(logDirectory(directory), writer), error.message);
    }
    await log.close();
    return damagedBytes;
  };
  try {
    await read('stop');
  } catch (error) {
    // That names the first place. What is whole behind it is looked at by going on without.
    tell(logDirectory(directory), (error as Error).message);
    frames.begin();
    const bytes = await read('salvage');
    tell(logDirectory(directory), `${bytes} bytes of frames are damaged in all`);
  }
}

/**
 * Reads every page of a file.
 *
 * @returns how many of the blobs that it names are not there
 * @throws what is wrong with it
 */
function checkFile(path: string, { rows }: ColdFile, blobs: BlobStore | undefined): number {
  const open = nodeFileSystem.openSync(path, 'read');
  try {
    const parquet = ParquetFile.open(open, path);
    parquet.verify();
    if (parquet.rows !== rows) throw new Error(`it has ${parquet.rows} rows and should have ${rows}`);
    if (blobs === undefined) return 0;
    let missing = 0;
    for (const name of blobNames(parquet)) if (!blobs.has(name)) missing++;
    return missing;
  } finally {
    open.closeSync();
  }
}
