// Stands in for the log below the index: segments in memory, driven by hand.
import { encodeTraces } from '@tracewell/otlp';
import type { SpanData } from '@tracewell/plugin';
import type { SignalIndex } from '../../../packages/store/src/hot/signal-index.ts';
import { SpanIndex } from '../../../packages/store/src/hot/spans/span-index.ts';
import type { SpanRows } from '../../../packages/store/src/hot/spans/span-rows.ts';
import type { Segment } from '../../../packages/store/src/log/types.ts';

class MemorySegment implements Segment {
  readonly writer: string;
  readonly number: number;
  readonly id: string;
  readonly frames: { readonly offset: number; readonly payload: Uint8Array }[] = [];
  sealed = false;
  /** Makes the next read fail. */
  failRead = false;
  #bytes = new Uint8Array(1024);
  bytes = 64;

  constructor(writer: string, number: number) {
    this.writer = writer;
    this.number = number;
    this.id = `${writer}-${number}`;
  }

  append(payload: Uint8Array): number {
    const offset = this.bytes + 40;
    this.bytes = offset + payload.length;
    if (this.bytes > this.#bytes.length) {
      const larger = new Uint8Array(this.bytes * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(payload, offset);
    this.frames.push({ offset, payload });
    return offset;
  }

  read(offset: number, length: number): Uint8Array {
    if (this.failRead) {
      this.failRead = false;
      throw new Error('input/output error');
    }
    if (offset + length > this.bytes) throw new RangeError(`read behind the end of ${this.id}`);
    return this.#bytes.slice(offset, offset + length);
  }

  fill(target: Uint8Array, offset: number): void {
    target.set(this.read(offset, target.length));
  }
}

/** The log of one signal, and its index. */
export class SignalLog<Rows, Index extends SignalIndex<Rows>> {
  index: Index;
  readonly #makeIndex: () => Index;
  #segments: MemorySegment[] = [];

  constructor(makeIndex: () => Index) {
    this.#makeIndex = makeIndex;
    this.index = makeIndex();
  }

  appendBytes(writer: string, payload: Uint8Array): void {
    const segment = this.#active(writer);
    this.index.addFrame(segment, segment.append(payload), payload, this.index.prepare(payload));
  }

  /** As an insert does that worked its rows out before other things happened. */
  appendPrepared(writer: string, payload: Uint8Array, rows: Rows): void {
    const segment = this.#active(writer);
    this.index.addFrame(segment, segment.append(payload), payload, rows);
  }

  failNextRead(writer: string): void {
    this.#active(writer).failRead = true;
  }

  /** Offers the last frame again, as a log does whose indexer has thrown. */
  offerAgain(writer: string): void {
    const segment = this.#active(writer);
    const { offset, payload } = segment.frames.at(-1)!;
    this.index.addFrame(segment, offset, payload, this.index.prepare(payload));
  }

  seal(writer: string): void {
    const segment = this.#active(writer);
    segment.sealed = true;
    this.index.save(segment);
  }

  remove(writer: string, number: number): void {
    const segment = this.#segments.find((one) => one.writer === writer && one.number === number)!;
    this.#segments = this.#segments.filter((one) => one !== segment);
    this.index.remove(segment);
  }

  /** Lets a writer whose segments are all gone begin anew. */
  restart(writer: string): void {
    this.#segments = this.#segments.filter((segment) => segment.writer !== writer);
  }

  /** Begins with a new index: sealed segments from their saved ones unless `scan`, the others frame by frame. */
  reopen(scan = false): void {
    const before = this.index;
    this.index = this.#makeIndex();
    for (const segment of this.#segments) {
      if (segment.sealed && !scan) {
        const pieces = before.save(segment);
        if (pieces === undefined) continue;
        const saved = Buffer.concat(pieces);
        // As a file is read: into memory of its own, aligned.
        const bytes = new Uint8Array(saved.length);
        bytes.set(saved);
        if (!this.index.load(segment, bytes)) throw new Error('the saved index was refused');
      } else {
        for (const { offset, payload } of segment.frames) {
          this.index.addFrame(segment, offset, payload, this.index.prepare(payload));
        }
      }
    }
  }

  #active(writer: string): MemorySegment {
    const own = this.#segments.filter((segment) => segment.writer === writer);
    const last = own.at(-1);
    if (last !== undefined && !last.sealed) return last;
    const segment = new MemorySegment(writer, own.length + 1);
    this.#segments.push(segment);
    return segment;
  }
}

export class MemoryLog extends SignalLog<SpanRows, SpanIndex> {
  constructor() {
    super(() => new SpanIndex());
  }

  append(writer: string, spans: readonly SpanData[]): void {
    this.appendBytes(writer, encodeTraces(spans));
  }
}
