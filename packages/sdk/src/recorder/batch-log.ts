import {
  REQUEST_RESOURCE_SPANS,
  RESOURCE_SPANS_SCOPE_SPANS,
  SCOPE_SPANS_SPANS,
  varintSize,
  writeVarint,
} from '@tracewell/otlp/wire';
import type { Resource, SpanBatch } from '@tracewell/plugin';
import { type EncodedHeader, encodeResource } from './headers.ts';
import { copyBytes, Memory } from './memory.ts';
import type { Scopes } from './scopes.ts';

/*
 * Ended spans wait here for their batch to close, each as the field `spans` of a ScopeSpans message, in the
 * order in which they ended. Spans of the same scope that follow each other make a run; a row of numbers
 * (scope, offset) says where each run begins. To close a batch is to add up the runs of each scope, and to
 * copy them, scope by scope, into an array of exactly the size of the request:
 *
 *   0a len  ResourceSpans
 *     0a len  Resource                          (encoded once)
 *     12 len  ScopeSpans, one for each scope
 *       0a len  InstrumentationScope            (encoded once)
 *       12 len  Span, as often as there are
 *       1a len  schema URL                      (encoded once)
 *     1a len  schema URL                        (encoded once)
 *
 * That array is new each time, because whoever gets it may keep it. The log is reused.
 */

/** The batch that is being filled. */
export class BatchLog {
  /** Spans in it. */
  spanCount = 0;
  /** Where the next span goes. */
  end = 0;
  readonly #memory: Memory;
  readonly #limit: number;
  readonly #resource: EncodedHeader;
  readonly #scopes: Scopes;
  #runs = new Int32Array(64);
  #runCount = 0;
  #lastScope = -1;
  /** For each scope its bytes in the batch, then where its next run goes. */
  #sizes = new Int32Array(16);

  /**
   * @param memory - holds the log, from its beginning on
   * @param size - how long the log is
   */
  constructor(memory: Memory, size: number, resource: Resource, scopes: Scopes) {
    this.#memory = memory;
    this.#limit = size;
    this.#resource = encodeResource(resource);
    this.#scopes = scopes;
  }

  /** Whether there is room for so many bytes more. */
  hasRoom(size: number): boolean {
    return this.end + size <= this.#limit;
  }

  /** Notes that a span of a scope was written up to an offset. */
  add(scope: number, end: number): void {
    if (scope !== this.#lastScope) this.#beginRun(scope);
    this.end = end;
    this.spanCount++;
  }

  /** Takes the batch out and begins a new one; `undefined` if there is nothing in it. */
  close(): SpanBatch | undefined {
    const { spanCount } = this;
    if (spanCount === 0) return undefined;
    const runs = this.#runs;
    const runCount = this.#runCount;
    runs[2 * runCount + 1] = this.end;
    const sizes = this.#sizesOfScopes();
    const { bytes } = this.#frame(sizes);
    for (let run = 0; run < runCount; run++) {
      const scope = runs[2 * run]!;
      const start = runs[2 * run + 1]!;
      const end = runs[2 * run + 3]!;
      copyBytes(this.#memory.bytes, start, end, bytes, sizes[scope]!);
      sizes[scope]! += end - start;
    }
    sizes.fill(0);
    this.#runCount = 0;
    this.#lastScope = -1;
    this.end = 0;
    this.spanCount = 0;
    return { bytes, spanCount };
  }

  /** A batch for a single span of so many bytes, which does not fit the log, and where in it the span goes. */
  single(scope: number, size: number): { readonly memory: Memory; readonly at: number } {
    const sizes = new Int32Array(scope + 1);
    sizes[scope] = 1 + varintSize(size) + size;
    const memory = this.#frame(sizes);
    const at = sizes[scope]!;
    memory.bytes[at] = SCOPE_SPANS_SPANS;
    return { memory, at: writeVarint(memory.bytes, at + 1, size) };
  }

  #beginRun(scope: number): void {
    // One pair beyond the last run holds the end.
    if (2 * this.#runCount + 4 > this.#runs.length) this.#runs = doubled(this.#runs);
    this.#runs[2 * this.#runCount] = scope;
    this.#runs[2 * this.#runCount + 1] = this.end;
    this.#runCount++;
    this.#lastScope = scope;
  }

  #sizesOfScopes(): Int32Array {
    while (this.#sizes.length < this.#scopes.encoded.length) this.#sizes = doubled(this.#sizes);
    const runs = this.#runs;
    for (let run = 0; run < this.#runCount; run++) {
      this.#sizes[runs[2 * run]!]! += runs[2 * run + 3]! - runs[2 * run + 1]!;
    }
    return this.#sizes;
  }

  /**
   * Allocates a request and writes everything but the spans. Replaces the size of each scope by the offset at
   * which its spans go.
   */
  #frame(sizes: Int32Array): Memory {
    const { head, tail } = this.#resource;
    let content = head.length + tail.length;
    for (let scope = 0; scope < sizes.length; scope++) {
      if (sizes[scope] === 0) continue;
      const size = this.#scopeSize(scope, sizes[scope]!);
      content += 1 + varintSize(size) + size;
    }
    // Not filled with zeros first, since every byte is written: that took a tenth of the time of a span.
    const memory = new Memory(Buffer.allocUnsafeSlow(1 + varintSize(content) + content).buffer);
    const { bytes } = memory;
    bytes[0] = REQUEST_RESOURCE_SPANS;
    let at = append(bytes, writeVarint(bytes, 1, content), head);
    for (let scope = 0; scope < sizes.length; scope++) {
      const spans = sizes[scope]!;
      if (spans === 0) continue;
      const header = this.#scopes.encoded[scope]!;
      bytes[at] = RESOURCE_SPANS_SCOPE_SPANS;
      at = append(bytes, writeVarint(bytes, at + 1, this.#scopeSize(scope, spans)), header.head);
      sizes[scope] = at;
      at = append(bytes, at + spans, header.tail);
    }
    append(bytes, at, tail);
    return memory;
  }

  #scopeSize(scope: number, spans: number): number {
    const { head, tail } = this.#scopes.encoded[scope]!;
    return head.length + spans + tail.length;
  }
}

function append(bytes: Uint8Array, at: number, part: Uint8Array): number {
  bytes.set(part, at);
  return at + part.length;
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * array.length);
  larger.set(array);
  return larger;
}
