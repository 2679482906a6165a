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
  type SegmentId,
  startsFrame,
} from '../log/frame.ts';
import { parseSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentHeader } from '../log/segment-header.ts';
import { FrameKind, type Log, type Segment } from '../log/types.ts';
import type { FrameSignal, Wakeable } from '../tails/frame-signal.ts';
import { type Position, segmentsOf } from '../tails/position.ts';
import { ReplicationError, type WalPosition } from './replication-error.ts';
import { RECORD_BYTES, RECORD_HEADER_BYTES, writeRecordHeader } from './wal-record.ts';
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

/** Records that are under way at a time. */
const WINDOW = 4;

/** Where what has been sent ends. */
type Sent = Pick<WalPosition, 'segment' | 'offset' | 'sequence'>;

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
  /** Bytes of a segment that a record takes: more if a group is larger. */
  #recordBytes = RECORD_BYTES;
  /** Memory for records. A megabyte thrown away for each would keep the collector busy half of the time. */
  #free: Uint8Array[] = [];
  /** Where what has been sent ends, acknowledged or not. */
  #sent: Sent | undefined;

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

  /** Bytes of the log that the standby does not have yet, as far as is known. */
  get lagBytes(): number {
    const { position } = this;
    let lag = 0;
    for (const { number, bytes } of segmentsOf(this.#log.segments(), this.#log.writer)) {
      if (position === undefined || position.segment < number) lag += bytes;
      else if (position.segment === number) lag += Math.max(0, bytes - position.offset);
    }
    return lag;
  }

  /** The log that is shipped, and where the standby's copy of it ends, once that is known. */
  get shipped(): Position | undefined {
    return this.position === undefined ? undefined : { writer: this.#writer!, ...this.position };
  }

  /** Stops shipping. A sink that hangs is not waited for: to close it is what ends it. */
  async stop(): Promise<void> {
    this.#aborted.abort();
    this.#pause.wake?.();
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
    const own = segmentsOf(this.#log.segments(), this.#writer);
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
    const underWay = new Set<Promise<void>>();
    let failure: { readonly error: unknown } | undefined;
    const send = async (record: Uint8Array): Promise<void> => {
      try {
        this.position = await this.sink.applyFramedWal(record);
        this.#keep(record);
        onShipped();
        this.#events.changed(this);
      } catch (error) {
        failure ??= { error };
      }
    };
    this.#sent = this.position;
    while (!this.#aborted.signal.aborted && this.#log.writer === this.#writer && failure === undefined) {
      const { count } = this.#signal;
      const record = underWay.size < WINDOW ? this.#next() : undefined;
      if (record !== undefined) {
        const sending = send(record).finally(() => {
          underWay.delete(sending);
          this.#pause.wake?.();
        });
        underWay.add(sending);
      } else if (underWay.size === WINDOW) {
        await Promise.race(underWay);
      } else {
        await this.#signal.wait(count, POLL_MS, this.#pause);
      }
    }
    await Promise.all(underWay);
    if (failure !== undefined) throw failure.error;
  }

  /** The next record; `undefined` if everything is sent. */
  #next(): Uint8Array | undefined {
    const segments = segmentsOf(this.#log.segments(), this.#writer);
    const sent = this.#sent;
    const at = sent === undefined ? 0 : segments.findIndex(({ number }) => number === sent.segment);
    if (sent !== undefined) {
      const segment = segments[at];
      if (segment === undefined) return this.#behindCompaction(segments, sent);
      if (sent.offset < segment.bytes) return this.#record(segment, sent.offset, sent.sequence + 1);
    }
    const next = segments[sent === undefined ? 0 : at + 1];
    if (next === undefined || next.bytes <= SEGMENT_HEADER_BYTES) return undefined;
    return this.#record(next, 0, firstSequenceOf(next));
  }

  /** The segment in which the copy ends is compacted here: good only if the copy has all of it. */
  #behindCompaction(segments: readonly Segment[], sent: Sent): Uint8Array | undefined {
    const next = segments.find(({ number }) => number > sent.segment);
    if (next === undefined || next.bytes <= SEGMENT_HEADER_BYTES) return undefined;
    if (firstSequenceOf(next) === sent.sequence + 1) return this.#record(next, 0, sent.sequence + 1);
    throw new ReplicationError(
      'TW_REPLICATION_BEHIND',
      `${this.sink.name} is behind what the log of the leader still holds; make it anew from a copy of the leader`,
    );
  }

  #record(segment: Segment, offset: number, sequence: number): Uint8Array {
    for (;;) {
      const target = this.#free.pop() ?? new Uint8Array(RECORD_HEADER_BYTES + this.#recordBytes);
      const rest = segment.bytes - offset;
      const bytes = target.subarray(RECORD_HEADER_BYTES).subarray(0, rest);
      segment.fill(bytes, offset);
      const groups = lastGroup(bytes, offset === 0 ? SEGMENT_HEADER_BYTES : 0);
      if (groups.end > 0) {
        const record = target.subarray(0, RECORD_HEADER_BYTES + groups.end);
        const { number, writer } = segment;
        const segmentId = idHalves(segment.id);
        writeRecordHeader(record, {
          epoch: this.#epoch,
          writer,
          segmentId,
          segment: number,
          offset,
          sequence,
        });
        this.#sent = { segment: number, offset: offset + groups.end, sequence: groups.lastSequence };
        return record;
      }
      if (bytes.length === rest)
        throw new Error(`no whole group at byte ${offset} of segment ${segment.number}`);
      // From now on, since groups are as large as the load makes them.
      this.#recordBytes *= 2;
      this.#free = [];
    }
  }

  /** Keeps the memory of a record that arrived. Of one that failed, somebody may still be reading. */
  #keep({ buffer }: Uint8Array): void {
    if (buffer.byteLength === RECORD_HEADER_BYTES + this.#recordBytes)
      this.#free.push(new Uint8Array(buffer));
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

/** Where the last group ends that is whole; the frames are our own, so only their headers are looked at. */
function lastGroup(bytes: Uint8Array, start: number): { end: number; lastSequence: number } {
  const frame = emptyFrame();
  let end = 0;
  let lastSequence = 0;
  for (let at = start; at + FRAME_HEADER_BYTES <= bytes.length && startsFrame(bytes, at); ) {
    readFrameHeader(bytes, at, frame);
    at += frameBytes(frame.payloadLength);
    if (!frame.endsGroup || at > bytes.length) continue;
    end = at;
    lastSequence = frame.kind === FrameKind.VOID ? frame.durableMark : frame.sequence;
  }
  return { end, lastSequence };
}

function idHalves(id: string): SegmentId {
  return { high: Number.parseInt(id.slice(0, 8), 16), low: Number.parseInt(id.slice(8), 16) };
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
