/**
 * Reads sealed segments again while the log is open, slowly, and checks every frame: opening trusts the index
 * of a sealed segment and reads nothing of it, and so would learn nothing of a bit that has flipped since.
 *
 * What a look finds is only told. What to do about it (restore a file from a copy, or open with `recovery:
 * 'salvage'`) is for a person to decide, and best while nobody writes.
 */
import { setTimeout } from 'node:timers/promises';
import type { FileSystem, OpenFile } from '../fs/file-system.ts';
import { emptyFrame, type Frame, frameBytes, Parsed, parseFrame } from './frame.ts';
import type { LogSegment } from './segment.ts';
import { parseSegmentHeader, SEGMENT_HEADER_BYTES } from './segment-header.ts';
import { type DamagedPlace, FrameKind, type ScrubHealth } from './types.ts';

/** What {@link Scrubber} needs to know. */
export interface ScrubberOptions {
  readonly fs: FileSystem;
  readonly bytesPerSecond: number;
  /** The segments that are there now, sealed or not. */
  readonly segments: () => Iterable<LogSegment>;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Resolves after so many milliseconds; rejects once the signal is aborted. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

const CHUNK_BYTES = 256 * 1024;
/** So long nothing is read after opening: a program that ends soon has better things to do. */
const START_MS = 10_000;
/** How long to wait when nothing is due. */
const IDLE_MS = 60_000;
/** How long a look at a segment holds. */
const AGAIN_MS = 24 * 60 * 60 * 1000;
const MAX_DAMAGED = 100;

/** Checks the segments of one log after the other, for ever. */
export class Scrubber {
  readonly #options: ScrubberOptions;
  readonly #stop = new AbortController();
  // When a segment was checked last; for one that was read or written frame by frame, when it was first met.
  readonly #checkedMs = new WeakMap<LogSegment, number>();
  readonly #damaged: DamagedPlace[] = [];
  #segments = 0;
  #bytes = 0;
  #running: Promise<void> | undefined;
  #error: Error | undefined;

  constructor(options: ScrubberOptions) {
    this.#options = options;
  }

  /** Begins. To be called once. */
  start(): void {
    this.#running = this.#run();
  }

  /** Ends, once what is being read has been read. Idempotent. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  health(): ScrubHealth {
    return {
      segments: this.#segments,
      bytes: this.#bytes,
      damaged: [...this.#damaged],
      ...(this.#error && { error: this.#error }),
    };
  }

  /** Never rejects: nobody waits for it before the end. */
  async #run(): Promise<void> {
    try {
      await this.#wait(START_MS);
      for (;;) {
        const segment = this.#next();
        if (segment === undefined) await this.#wait(IDLE_MS);
        else await this.#check(segment);
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#error = error as Error;
    }
  }

  #wait(milliseconds: number): Promise<void> {
    return this.#options.wait(milliseconds, this.#stop.signal);
  }

  /** The sealed segment that has gone unchecked for longest, if one is due. */
  #next(): LogSegment | undefined {
    const now = this.#options.now();
    let next: LogSegment | undefined;
    let oldest = now - AGAIN_MS;
    for (const segment of this.#options.segments()) {
      if (!segment.sealed) continue;
      let checked = this.#checkedMs.get(segment);
      if (checked === undefined) {
        checked = segment.trusted ? Number.NEGATIVE_INFINITY : now;
        this.#checkedMs.set(segment, checked);
      }
      if (checked >= oldest) continue;
      next = segment;
      oldest = checked;
    }
    return next;
  }

  async #check(segment: LogSegment): Promise<void> {
    let file: OpenFile;
    try {
      file = this.#options.fs.openSync(segment.path, 'read');
    } catch {
      // Compacted or removed since. If it may not be opened, whoever asks for what is in it will be told.
      this.#checkedMs.set(segment, this.#options.now());
      return;
    }
    try {
      const damagedAt = await this.#firstDamage(segment, file);
      this.#segments++;
      this.#checkedMs.set(segment, this.#options.now());
      if (damagedAt === undefined) return;
      // Told once; it does not get better.
      this.#checkedMs.set(segment, Number.POSITIVE_INFINITY);
      if (this.#damaged.length < MAX_DAMAGED) this.#damaged.push({ path: segment.path, offset: damagedAt });
    } finally {
      file.closeSync();
    }
  }

  /** The offset of the first frame of a segment that is not what its writer wrote. */
  async #firstDamage(segment: LogSegment, file: OpenFile): Promise<number | undefined> {
    const frame = emptyFrame();
    let sequence = segment.firstSequence;
    let bytes = new Uint8Array(CHUNK_BYTES);
    for (let offset = 0; offset < segment.bytes; ) {
      const there = await this.#read(file, bytes, offset);
      if (there === undefined) return offset;
      let at = 0;
      if (offset === 0) {
        if (!isHeaderOf(segment, bytes.subarray(0, there))) return 0;
        at = SEGMENT_HEADER_BYTES;
      }
      const end = Math.min(there, segment.bytes - offset);
      let parsed: Parsed = Parsed.PARTIAL;
      while (at < end) {
        parsed = parseFrame(bytes, at, end, segment.idHalves, frame);
        if (parsed !== Parsed.WHOLE) break;
        if (frame.sequence !== sequence) return offset + at;
        sequence = sequenceAfter(frame);
        at += frameBytes(frame.payloadLength);
      }
      if (offset + at >= segment.bytes) break;
      // A frame that goes beyond the chunk is read again, whole; one that goes beyond the file never was.
      if (parsed !== Parsed.PARTIAL || end < bytes.length) return offset + at;
      const needed = frameBytes(frame.payloadLength);
      if (needed > bytes.length) bytes = new Uint8Array(needed);
      offset += at;
    }
    return undefined;
  }

  /** Reads at no more than the rate; `undefined` if the disk refuses. */
  async #read(file: OpenFile, target: Uint8Array, offset: number): Promise<number | undefined> {
    let count: number;
    try {
      count = await file.read(target, offset);
    } catch {
      return undefined;
    }
    this.#bytes += count;
    await this.#wait((count / this.#options.bytesPerSecond) * 1000);
    return count;
  }
}

/** As {@link ScrubberOptions.wait}, on the system's clock, and without keeping the process alive. */
export async function waitUnref(milliseconds: number, signal: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, { ref: false, signal });
}

function isHeaderOf(segment: LogSegment, bytes: Uint8Array): boolean {
  const header = parseSegmentHeader(bytes.subarray(0, SEGMENT_HEADER_BYTES));
  return (
    typeof header === 'object' &&
    header.id.low === segment.idHalves.low &&
    header.id.high === segment.idHalves.high &&
    header.number === segment.number
  );
}

/** Void frames stand for several. */
function sequenceAfter({ kind, sequence, durableMark }: Frame): number {
  return kind === FrameKind.VOID ? durableMark + 1 : sequence + 1;
}
