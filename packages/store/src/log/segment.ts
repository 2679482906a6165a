import { TracewellError } from '@tracewell/plugin';
import type { FileSystem, OpenFile } from '../fs/file-system.ts';
import type { SegmentId } from './frame.ts';
import { segmentPath } from './names.ts';
import { SEGMENT_HEADER_BYTES, type SegmentHeader, segmentIdHex } from './segment-header.ts';
import type { Segment } from './types.ts';

/** A stretch of a segment that is passed over: damaged frames, left out by `recovery: 'salvage'`. */
export interface Gap {
  /** Bytes, a multiple of the frame alignment. */
  readonly length: number;
  /** The highest sequence number among the frames that were there. */
  readonly lastSequence: number;
}

/** One segment file, as far as it has been read. */
export class LogSegment implements Segment {
  readonly writer: string;
  readonly number: number;
  readonly id: string;
  readonly idHalves: SegmentId;
  readonly firstSequence: number;
  readonly path: string;
  sealed = false;
  /** Whether a frame was handed to the indexer since opening. */
  hasFrames = false;
  /** When this process met the segment, in milliseconds since the Unix epoch. */
  metMs = 0;
  /** Whether its index was loaded in place of reading its frames. */
  trusted = false;
  /** The sequence number of the last frame, once the segment is sealed. */
  lastSequence = 0;
  bytes = SEGMENT_HEADER_BYTES;
  /** Gaps by the offset at which they start; nearly always none. */
  readonly gaps = new Map<number, Gap>();
  readonly #files: ReadFiles;

  constructor(files: ReadFiles, writerDirectory: string, header: SegmentHeader) {
    this.#files = files;
    this.writer = header.writer;
    this.number = header.number;
    this.id = segmentIdHex(header.id);
    this.idHalves = header.id;
    this.firstSequence = header.firstSequence;
    this.path = segmentPath(writerDirectory, header.number);
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.fill(bytes, offset);
    return bytes;
  }

  fill(target: Uint8Array, offset: number): void {
    let count: number;
    try {
      count = this.readInto(target, offset);
    } catch (error) {
      throw readFailed(this.path, offset, (error as Error).message, error);
    }
    const missing = target.length - count;
    if (missing > 0) throw readFailed(this.path, offset, `the file ends ${missing} bytes early`);
  }

  /** Reads until `target` is full or the file ends; returns the bytes read. */
  readInto(target: Uint8Array, offset: number): number {
    return this.#files.get(this.path).readSync(target, offset);
  }

  /** How long the file is, which may be more than has been read of it. */
  fileBytes(): number {
    return this.#files.get(this.path).sizeSync();
  }

  /** Lets go of the open file. */
  release(): void {
    this.#files.close(this.path);
  }
}

function readFailed(path: string, offset: number, why: string, cause?: unknown): TracewellError {
  return new TracewellError(
    'TW_LOG_READ_FAILED',
    `cannot read ${path} at byte ${offset}: ${why}; if the file was removed, ask again, else check the disk`,
    cause === undefined ? undefined : { cause },
  );
}

/**
 * Files open for reading, the most recently used ones: a directory may have more segments than a process may
 * have descriptors.
 */
export class ReadFiles {
  readonly #fs: FileSystem;
  readonly #maxOpen: number;
  readonly #open = new Map<string, OpenFile>();
  // Most reads are of the file that was read last; the map is touched only when it is another one.
  #lastPath = '';
  #last: OpenFile | undefined;

  constructor(fs: FileSystem, maxOpen = 64) {
    this.#fs = fs;
    this.#maxOpen = maxOpen;
  }

  get(path: string): OpenFile {
    if (this.#last !== undefined && path === this.#lastPath) return this.#last;
    let file = this.#open.get(path);
    if (file === undefined) {
      file = this.#fs.openSync(path, 'read');
      if (this.#open.size >= this.#maxOpen) this.close(this.#open.keys().next().value!);
    } else {
      this.#open.delete(path);
    }
    // A Map iterates in the order of insertion, so the first key is the one not used for longest.
    this.#open.set(path, file);
    this.#lastPath = path;
    this.#last = file;
    return file;
  }

  close(path: string): void {
    this.#open.get(path)?.closeSync();
    this.#open.delete(path);
    if (path === this.#lastPath) this.#last = undefined;
  }

  closeAll(): void {
    for (const path of [...this.#open.keys()]) this.close(path);
  }
}
