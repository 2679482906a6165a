/**
 * Ships one log to one standby: asks where its copy ends, and sends what comes there, from the files, until it is at
 * the end; then waits for more. After any failure it asks again. So it makes no difference whether a standby was away
 * for a moment, begins with a copied directory, or with nothing.
 */
import { setTimeout } from 'node:timers/promises';
import {
  emptyFrame,
  FRAME_HEADER_BYTES,
  frameBytes,
  frameChecksum,
  readFrameHeader,
  startsFrame,
} from '../log/frame.ts';
import { parseSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentHeader } from '../log/segment-header.ts';
import type { Log, Segment } from '../log/types.ts';
import type { FrameSignal, Wakeable } from '../tails/frame-signal.ts';
import { byWriter } from '../tails/position.ts';
import { ReplicationError, type WalPosition } from './replication-error.ts';
import { encodeWalRecord, RECORD_BYTES } from './wal-record.ts';
import type { WalSink } from './wal-sink.ts';

/** How shipping to a standby is going. */
export type FeedState = 'connecting' | 'shipping' | 'failing' | 'refused';

/** What a feed tells whoever waits for it. */
export interface FeedEvents {
  /** It has come further, or its state has changed. */
  changed(feed: Feed): void;
}

/** A failure is tried again after this long at first, and at most. */
const MIN_DELAY_MS = 50;
const MAX_DELAY_MS = 2000;
/** How often a feed looks for more that nobody has told it of. */
const POLL_MS = 250;

/** Refusals that trying again does not mend. */
const FINAL: ReadonlySet<string> = new Set([
  'TW_REPLICATION_FENCED',
  'TW_REPLICATION_DIVERGED',
  'TW_REPLICATION_BEHIND',
]);

/** Ships our own log to one standby. */
export class Feed {
  readonly sink: WalSink;
  state: FeedState = 'connecting';
  lastError: unknown;
  /** Where the standby's copy of our own log ends, as far as is known. */
  position: WalPosition | undefined;
  readonly #log: Pick<Log, 'writer' | 'segments'>;
  readonly #signal: FrameSignal;
  readonly #epoch: number;
  readonly #events: FeedEvents;
  readonly #pause: Wakeable = { wake: undefined };
  readonly #aborted = new AbortController();
  readonly #running: Promise<void>;
  #writer: string | undefined;

  constructor(
    sink: WalSink,
    log: Pick<Log, 'writer' | 'segments'>,
    signal: FrameSignal,
    epoch: number,
    events: FeedEvents,
  ) {
    this.sink = sink;
    this.#log = log;
    this.#signal = signal;
    this.#epoch = epoch;
    this.#events = events;
    this.#running = this.#run();
  }

  /** Whether the standby has a segment up to a place. */
  has(segment: number, bytes: number): boolean {
    const position = this.#writer === this.#log.writer ? this.position : undefined;
    if (position === undefined) return false;
    return position.segment > segment || (position.segment === segment && position.offset >= bytes);
  }

  /** Stops shipping and closes the sink. */
  async close(): Promise<void> {
    this.#aborted.abort();
    this.#pause.wake?.();
    // A sink that hangs is not waited for: closing it is what ends it.
    await this.sink.close?.();
    await Promise.race([this.#running, setTimeout(100)]);
  }

  async #run(): Promise<void> {
    let delayMs = MIN_DELAY_MS;
    while (!this.#aborted.signal.aborted) {
      try {
        this.position = undefined;
        this.#writer = this.#log.writer;
        const position =
          this.#writer === undefined ? undefined : await this.sink.walPosition(this.#writer, this.#epoch);
        // Before it counts as an acknowledgement.
        if (position !== undefined) this.#checkSame(position);
        this.position = position;
        this.#set('shipping', undefined);
        await this.#ship(() => {
          delayMs = MIN_DELAY_MS;
        });
      } catch (error) {
        if (this.#aborted.signal.aborted) return;
        if (error instanceof ReplicationError && FINAL.has(error.code)) {
          this.#set('refused', error);
          return;
        }
        // Damaged on the way, or not what comes next: it is sent again at once, if it has not just been.
        const again = error instanceof ReplicationError && delayMs === MIN_DELAY_MS;
        if (!again) {
          this.#set('failing', error);
          await this.#wait(delayMs);
        }
        delayMs = Math.min(2 * delayMs, MAX_DELAY_MS);
      }
    }
  }

  /** That the end of the copy is in our log too. Of a segment that is compacted here, its successor tells. */
  #checkSame(position: WalPosition): void {
    const { segment: number, segmentId, offset, last } = position;
    const own = byWriter(this.#log.segments()).get(this.#writer!) ?? [];
    const segment = own.find((candidate) => candidate.number === number);
    if (segment === undefined) return;
    const isSame =
      segment.id === segmentId &&
      offset <= segment.bytes &&
      frameChecksum(segment.read(last.offset, FRAME_HEADER_BYTES), 0) === last.checksum;
    if (!isSame) throw diverged(segment, position);
  }

  /** Ships what there is and what comes, until something fails or our log is another one. */
  async #ship(onShipped: () => void): Promise<void> {
    while (!this.#aborted.signal.aborted && this.#log.writer === this.#writer) {
      const { count } = this.#signal;
      const record = this.#next();
      if (record === undefined) {
        await this.#signal.wait(count, POLL_MS, this.#pause);
        continue;
      }
      this.position = await this.sink.applyFramedWal(record);
      onShipped();
      this.#events.changed(this);
    }
  }

  /** The next record; `undefined` if the standby has everything. */
  #next(): Uint8Array | undefined {
    const segments = byWriter(this.#log.segments()).get(this.#writer!) ?? [];
    const { position } = this;
    const at = position === undefined ? 0 : segments.findIndex(({ number }) => number === position.segment);
    if (position !== undefined) {
      const segment = segments[at];
      if (segment === undefined) return this.#behindCompaction(segments, position);
      if (segment.id !== position.segmentId || position.offset > segment.bytes)
        throw diverged(segment, position);
      if (position.offset < segment.bytes) {
        return this.#record(segment, position.offset, position.sequence + 1);
      }
    }
    const next = segments[position === undefined ? 0 : at + 1];
    if (next === undefined || next.bytes <= SEGMENT_HEADER_BYTES) return undefined;
    return this.#record(next, 0, position === undefined ? undefined : position.sequence + 1);
  }

  /** The segment in which the copy ends is compacted here: good only if the copy has all of it. */
  #behindCompaction(segments: readonly Segment[], position: WalPosition): Uint8Array | undefined {
    const next = segments.find(({ number }) => number > position.segment);
    if (next === undefined) return undefined;
    const record = this.#record(next, 0, undefined);
    if (firstSequenceOf(next) === position.sequence + 1) return record;
    throw new ReplicationError(
      'TW_REPLICATION_BEHIND',
      `${this.sink.name} is behind what the log of the leader still holds; make it anew from a copy of the leader`,
    );
  }

  #record(segment: Segment, offset: number, sequence: number | undefined): Uint8Array {
    const bytes = groupsAt(segment, offset);
    return encodeWalRecord({
      epoch: this.#epoch,
      writer: segment.writer,
      segmentId: {
        high: Number.parseInt(segment.id.slice(0, 8), 16),
        low: Number.parseInt(segment.id.slice(8), 16),
      },
      segment: segment.number,
      offset,
      sequence: sequence ?? firstSequenceOf(segment),
      bytes,
    });
  }

  #set(state: FeedState, error: unknown): void {
    this.state = state;
    this.lastError = error;
    this.#events.changed(this);
  }

  async #wait(milliseconds: number): Promise<void> {
    await setTimeout(milliseconds, undefined, { ref: false, signal: this.#aborted.signal }).catch(() => {});
  }
}

/** Whole groups of a segment from a place on, about as many as a record takes. */
function groupsAt(segment: Segment, offset: number): Uint8Array {
  const rest = segment.bytes - offset;
  for (let want = RECORD_BYTES; ; want *= 2) {
    const bytes = segment.read(offset, Math.min(rest, want));
    const end = want >= rest ? bytes.length : endOfGroups(bytes, offset === 0 ? SEGMENT_HEADER_BYTES : 0);
    if (end > 0) return bytes.subarray(0, end);
  }
}

/** Where the last group ends that is whole; the frames are our own, so only their headers are looked at. */
function endOfGroups(bytes: Uint8Array, start: number): number {
  const frame = emptyFrame();
  let whole = 0;
  for (let at = start; at + FRAME_HEADER_BYTES <= bytes.length && startsFrame(bytes, at); ) {
    readFrameHeader(bytes, at, frame);
    at += frameBytes(frame.payloadLength);
    if (frame.endsGroup && at <= bytes.length) whole = at;
  }
  return whole;
}

function firstSequenceOf(segment: Segment): number {
  const header = parseSegmentHeader(segment.read(0, SEGMENT_HEADER_BYTES));
  return (header as SegmentHeader).firstSequence;
}

function diverged(segment: Segment, position: WalPosition): ReplicationError {
  return new ReplicationError(
    'TW_REPLICATION_DIVERGED',
    `the standby has byte ${position.offset} of segment ${position.segment} of log ${segment.writer}, and the leader has not; ` +
      'make the standby anew from a copy of the leader',
  );
}
