import type { SpanBatch } from '@tracewell/plugin';
import { Writer } from '../encode/writer.ts';
import { REQUEST_RESOURCE_SPANS, RESOURCE_SPANS_SCOPE_SPANS, SCOPE_SPANS_SPANS } from '../wire/fields.ts';
import { countSpans } from './count-spans.ts';
import { forEachElement } from './repeated-field.ts';

/** A part of the bytes: start and end. */
type Range = readonly [start: number, end: number];

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
  const spanCount = countSpans(bytes);
  if (spanCount <= maxSpans) return [{ bytes, spanCount }];
  const splitter = new Splitter(bytes, maxSpans);
  forEachElement(bytes, 0, bytes.length, REQUEST_RESOURCE_SPANS, (start, end) =>
    splitter.addResource(start, end),
  );
  return splitter.finish();
}

/** Writes one request after the other, opening messages when a span needs them. */
class Splitter {
  readonly #bytes: Uint8Array;
  readonly #maxSpans: number;
  readonly #writer = new Writer();
  readonly #batches: SpanBatch[] = [];
  #end = 0;
  #spanCount = 0;
  // Where the open messages begin; -1 while there is none.
  #resourceStart = -1;
  #scopeStart = -1;

  constructor(bytes: Uint8Array, maxSpans: number) {
    this.#bytes = bytes;
    this.#maxSpans = maxSpans;
  }

  addResource(start: number, end: number): void {
    const scopes: Range[] = [];
    const head: Range[] = [];
    forEachElement(
      this.#bytes,
      start,
      end,
      RESOURCE_SPANS_SCOPE_SPANS,
      (scopeStart, scopeEnd) => scopes.push([scopeStart, scopeEnd]),
      (fieldStart, fieldEnd) => head.push([fieldStart, fieldEnd]),
    );
    for (const [scopeStart, scopeEnd] of scopes) this.#addScope(head, scopeStart, scopeEnd);
    this.#closeResource();
  }

  finish(): SpanBatch[] {
    this.#closeBatch();
    this.#writer.release();
    return this.#batches;
  }

  #addScope(resourceHead: readonly Range[], start: number, end: number): void {
    const spans: Range[] = [];
    const head: Range[] = [];
    forEachElement(
      this.#bytes,
      start,
      end,
      SCOPE_SPANS_SPANS,
      (spanStart, spanEnd) => spans.push([spanStart, spanEnd]),
      (fieldStart, fieldEnd) => head.push([fieldStart, fieldEnd]),
    );
    const writer = this.#writer;
    for (const [spanStart, spanEnd] of spans) {
      if (this.#spanCount === this.#maxSpans) this.#closeBatch();
      if (this.#resourceStart === -1) this.#resourceStart = this.#open(REQUEST_RESOURCE_SPANS, resourceHead);
      if (this.#scopeStart === -1) this.#scopeStart = this.#open(RESOURCE_SPANS_SCOPE_SPANS, head);
      writer.room(this.#end, 3)[this.#end] = SCOPE_SPANS_SPANS;
      const at = this.#end + 3;
      this.#end = writer.close(at, writer.append(at, this.#bytes.subarray(spanStart, spanEnd)), 2);
      this.#spanCount++;
    }
    this.#closeScope();
  }

  #open(key: number, head: readonly Range[]): number {
    this.#writer.room(this.#end, 4)[this.#end] = key;
    const start = this.#end + 4;
    this.#end = start;
    for (const [fieldStart, fieldEnd] of head) {
      this.#end = this.#writer.append(this.#end, this.#bytes.subarray(fieldStart, fieldEnd));
    }
    return start;
  }

  #closeScope(): void {
    if (this.#scopeStart !== -1) this.#end = this.#writer.close(this.#scopeStart, this.#end, 3);
    this.#scopeStart = -1;
  }

  #closeResource(): void {
    this.#closeScope();
    if (this.#resourceStart !== -1) this.#end = this.#writer.close(this.#resourceStart, this.#end, 3);
    this.#resourceStart = -1;
  }

  #closeBatch(): void {
    this.#closeResource();
    if (this.#spanCount > 0) {
      this.#batches.push({ bytes: this.#writer.copy(this.#end), spanCount: this.#spanCount });
    }
    this.#end = 0;
    this.#spanCount = 0;
  }
}
