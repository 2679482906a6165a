import type { SpanBatch } from '@tracewell/plugin';
import { Writer } from '../encode/writer.ts';
import { countElements, ENTRIES, type Path, POINTS } from './count.ts';
import { forEachElement } from './repeated-field.ts';

/** One of the requests that a larger one was split into. */
export interface RequestPart {
  readonly bytes: Uint8Array;
  /** How many log records, or data points, it has. */
  readonly count: number;
}

/**
 * Splits an OTLP trace request into requests of at most `maxSpans` spans, for a receiver that takes no more.
 *
 * Spans are copied as they are, in their order; each request carries the resource and scope of its spans.
 * A request that is small enough comes back as it is, not copied. Resources and scopes without spans are
 * left out of what is split.
 *
 * @param maxSpans - at least 1
 * @returns the requests with their numbers of spans, together those of `bytes`
 * @throws `RangeError` for a `maxSpans` below 1; `TracewellError` (`TW_DECODE_INVALID`) with the offset where
 * the frame of the messages is broken
 *
 * @example
 * ```ts
 * import { splitTraces } from '@tracewell/otlp';
 *
 * // a scope with two empty spans, in protobuf
 * const request = Uint8Array.of(0x0a, 6, 0x12, 4, 0x12, 0, 0x12, 0);
 * console.log(splitTraces(request, 1).length); // 2
 * ```
 */
export function splitTraces(bytes: Uint8Array, maxSpans: number): SpanBatch[] {
  if (!(maxSpans >= 1)) throw new RangeError(`splitTraces: maxSpans must be at least 1, got ${maxSpans}`);
  return splitRequest(bytes, ENTRIES, maxSpans).map((part) => ({ bytes: part.bytes, spanCount: part.count }));
}

/**
 * Splits an OTLP logs request into requests of at most `maxLogs` records, as {@link splitTraces} splits spans.
 *
 * @param maxLogs - at least 1
 * @returns the requests with their numbers of records, together those of `bytes`
 * @throws `RangeError` for a `maxLogs` below 1; `TracewellError` (`TW_DECODE_INVALID`) with the offset where
 * the frame of the messages is broken
 *
 * @example
 * ```ts
 * import { splitLogs } from '@tracewell/otlp';
 *
 * // a scope with two empty records, in protobuf
 * const request = Uint8Array.of(0x0a, 6, 0x12, 4, 0x12, 0, 0x12, 0);
 * console.log(splitLogs(request, 1).length); // 2
 * ```
 */
export function splitLogs(bytes: Uint8Array, maxLogs: number): RequestPart[] {
  if (!(maxLogs >= 1)) throw new RangeError(`splitLogs: maxLogs must be at least 1, got ${maxLogs}`);
  return splitRequest(bytes, ENTRIES, maxLogs);
}

/**
 * Splits an OTLP metrics request into requests of at most `maxPoints` data points, as {@link splitTraces} splits
 * spans. A metric whose points do not fit goes on in the next request, with all that it says of itself. Metrics
 * without points are left out of what is split.
 *
 * @param maxPoints - at least 1
 * @returns the requests with their numbers of data points, together those of `bytes`
 * @throws `RangeError` for a `maxPoints` below 1; `TracewellError` (`TW_DECODE_INVALID`) with the offset where
 * the frame of the messages is broken
 *
 * @example
 * ```ts
 * import { splitMetrics } from '@tracewell/otlp';
 *
 * // a gauge with two empty points, in protobuf
 * const request = Uint8Array.of(0x0a, 10, 0x12, 8, 0x12, 6, 0x2a, 4, 0x0a, 0, 0x0a, 0);
 * console.log(splitMetrics(request, 1).length); // 2
 * ```
 */
export function splitMetrics(bytes: Uint8Array, maxPoints: number): RequestPart[] {
  if (!(maxPoints >= 1)) throw new RangeError(`splitMetrics: maxPoints must be at least 1, got ${maxPoints}`);
  return splitRequest(bytes, POINTS, maxPoints);
}

function splitRequest(bytes: Uint8Array, path: Path, max: number): RequestPart[] {
  const count = countElements(bytes, path);
  return count <= max ? [{ bytes, count }] : new Splitter(bytes, path, max).split();
}

/** A part of the bytes: start and end. */
type Range = readonly [start: number, end: number];

/** A message on the way to the elements. */
interface Level {
  readonly key: number;
  /** The fields that lead to no element. */
  readonly head: readonly Range[];
  /** Where it begins in the request that is being written; -1 while it is not open there. */
  start: number;
}

/** Bytes that are kept free for the length of a message that holds others. */
const LENGTH_SIZE = 3;

/** Writes one request after the other, opening messages when an element needs them. */
class Splitter {
  readonly #bytes: Uint8Array;
  readonly #path: Path;
  readonly #max: number;
  readonly #writer = new Writer();
  readonly #parts: RequestPart[] = [];
  /** The messages in which the element at hand stands, from the outermost in. */
  readonly #levels: Level[] = [];
  #end = 0;
  #count = 0;

  constructor(bytes: Uint8Array, path: Path, max: number) {
    this.#bytes = bytes;
    this.#path = path;
    this.#max = max;
  }

  split(): RequestPart[] {
    this.#walk(0, 0, this.#bytes.length);
    this.#closePart();
    this.#writer.release();
    return this.#parts;
  }

  #walk(depth: number, start: number, end: number): void {
    const bytes = this.#bytes;
    const keys = this.#path[depth]!;
    if (depth === this.#path.length - 1) {
      forEachElement(bytes, start, end, keys, (from, to, key) => this.#add(key, from, to));
      return;
    }
    forEachElement(bytes, start, end, keys, (from, to, key) => {
      const head: Range[] = [];
      const inner = this.#path[depth + 1]!;
      forEachElement(
        bytes,
        from,
        to,
        inner,
        () => {},
        (fieldStart, fieldEnd) => head.push([fieldStart, fieldEnd]),
      );
      this.#levels.push({ key, head, start: -1 });
      this.#walk(depth + 1, from, to);
      this.#close(this.#levels.pop()!);
    });
  }

  #add(key: number, start: number, end: number): void {
    if (this.#count === this.#max) this.#closePart();
    for (const level of this.#levels) if (level.start === -1) this.#open(level);
    const writer = this.#writer;
    writer.room(this.#end, 3)[this.#end] = key;
    const at = this.#end + 3;
    this.#end = writer.close(at, writer.append(at, this.#bytes.subarray(start, end)), 2);
    this.#count++;
  }

  #open(level: Level): void {
    this.#writer.room(this.#end, 1 + LENGTH_SIZE)[this.#end] = level.key;
    level.start = this.#end + 1 + LENGTH_SIZE;
    this.#end = level.start;
    for (const [start, end] of level.head) {
      this.#end = this.#writer.append(this.#end, this.#bytes.subarray(start, end));
    }
  }

  #close(level: Level): void {
    if (level.start !== -1) this.#end = this.#writer.close(level.start, this.#end, LENGTH_SIZE);
    level.start = -1;
  }

  #closePart(): void {
    for (const level of this.#levels.toReversed()) this.#close(level);
    if (this.#count > 0) this.#parts.push({ bytes: this.#writer.copy(this.#end), count: this.#count });
    this.#end = 0;
    this.#count = 0;
  }
}
