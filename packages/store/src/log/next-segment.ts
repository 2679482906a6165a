import type { FileSystem, OpenFile } from '../fs/file-system.ts';
import { segmentPath } from './names.ts';
import { randomSegmentId, type SegmentHeader } from './segment-header.ts';

/** The segment that is appended to. */
export interface ActiveSegment {
  readonly file: OpenFile;
  readonly path: string;
  readonly header: SegmentHeader;
  /** Where the next group goes; 0 before the first, which brings the segment's header. */
  end: number;
}

/** Makes the files of a log's next segments, one at a time. */
export class NextSegment {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #writer: string;
  readonly #randomBytes: (count: number) => Uint8Array;
  #number: number;
  #file: OpenFile | undefined;

  /** @param number - of the next one */
  constructor(
    fs: FileSystem,
    directory: string,
    writer: string,
    number: number,
    randomBytes: (count: number) => Uint8Array,
  ) {
    this.#fs = fs;
    this.#directory = directory;
    this.#writer = writer;
    this.#number = number;
    this.#randomBytes = randomBytes;
  }

  /** Whether the file is there, its name durable, and nothing is in it. */
  get isMade(): boolean {
    return this.#file !== undefined;
  }

  /** Makes the file, its name durable before anything in it is acknowledged. */
  async make(): Promise<void> {
    this.#create();
    try {
      await this.#fs.syncDirectory(this.#directory);
    } catch (error) {
      // Not believed if it succeeds the next time: the file is made anew.
      this.discard();
      throw error;
    }
  }

  /** As {@link NextSegment.make}, done when it returns. */
  makeSync(): void {
    this.#create();
    try {
      this.#fs.syncDirectorySync(this.#directory);
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  /** Hands out the segment whose file was made. */
  begin(firstSequence: number): ActiveSegment {
    const file = this.#file!;
    const number = this.#number++;
    this.#file = undefined;
    const id = randomSegmentId(this.#randomBytes);
    const header: SegmentHeader = { id, number, firstSequence, writer: this.#writer };
    return { file, path: segmentPath(this.#directory, number), header, end: 0 };
  }

  /** Removes the file if it was made and has not begun. */
  discard(): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    file.closeSync();
    try {
      this.#fs.unlinkSync(segmentPath(this.#directory, this.#number));
    } catch {
      // Empty. It is used for the next segment, or removed by whoever opens the log next.
    }
  }

  #create(): void {
    if (this.#file !== undefined) return;
    const path = segmentPath(this.#directory, this.#number);
    // It may be there already if it could not be removed after an earlier try.
    const mode = this.#fs.statSync(path) === undefined ? 'create' : 'write';
    const file = this.#fs.openSync(path, mode);
    file.truncateSync(0);
    this.#file = file;
  }
}
