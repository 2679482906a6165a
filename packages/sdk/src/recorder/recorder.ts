import * as wire from '@tracewell/otlp/wire';
import {
  type AttributeValue,
  INVALID_SPAN,
  type PluginStats,
  type Resource,
  type SpanBatch,
  type SpanContext,
  type SpanEvent,
  type SpanHandle,
  SpanKind,
  type SpanLink,
  type SpanStart,
  type SpanStatus,
  StatusCode,
} from '@tracewell/plugin';
import { ParentSampling, type Sampler } from '../sampling/sampler.ts';
import * as arena from './arena.ts';
import { BatchLog } from './batch-log.ts';
import { type Clock, WallClock } from './clock.ts';
import { IdSource, type RandomSource } from './ids.ts';
import type { ResolvedSpanLimits } from './limits.ts';
import * as liveSpans from './live-spans.ts';
import { LiveSpans } from './live-spans.ts';
import * as copying from './memory.ts';
import { Memory } from './memory.ts';
import { Scopes } from './scopes.ts';
import * as spanHeader from './span-header.ts';
import * as spanRow from './span-row.ts';
import { SpanWriter } from './span-writer.ts';

// The engine folds a constant of the same module into the code; one that is imported it loads and checks at
// every use, six instructions each. So what the hot path uses is named again here: a fifth of its time.
const {
  ANY_BOOL,
  KEY_VALUE_KEY,
  KEY_VALUE_VALUE,
  readHex,
  readUtf8,
  readVarint,
  SCOPE_SPANS_SPANS,
  SPAN_ATTRIBUTES,
  SPAN_DROPPED_ATTRIBUTES_COUNT,
  SPAN_DROPPED_EVENTS_COUNT,
  SPAN_DROPPED_LINKS_COUNT,
  SPAN_END_TIME,
  SPAN_PARENT_SPAN_ID,
  SPAN_TRACE_STATE,
  skipVarint,
  writeVarint,
} = wire;
const { copyBytes, copyShort } = copying;
const { ROW_SHIFT, WORDS } = arena;
const { MEMORIES } = liveSpans;
const { AT, BASE, DROPPED_ATTRIBUTES, DROPPED_EVENTS, DROPPED_LINKS, SCOPE, SCOPE_SHIFT, START_GIVEN } =
  spanRow;
const {
  FLAGS_AT,
  HEADER_BYTES,
  KIND_AT,
  PARENT_BYTES,
  PARENT_IS_LOCAL,
  PARENT_IS_REMOTE,
  SAMPLED,
  SPAN_ID_AT,
  START_TIME_AT,
  TRACE_ID_AT,
  traceFlagsOf,
  writeId,
  writeParentTag,
} = spanHeader;
const { NONE, LOCAL_SAMPLED, REMOTE_SAMPLED, REMOTE_UNSAMPLED } = ParentSampling;
const { UNSPECIFIED, INTERNAL, CONSUMER } = SpanKind;
const { UNSET, OK, ERROR } = StatusCode;

/*
 * The recorder turns calls on handles into OTLP bytes, as they come, and leaves nothing for the garbage
 * collector: no object per span, no event list, no attribute map.
 *
 *   startSpan      takes a slot and writes the header            live-spans.ts, span-header.ts
 *   setAttribute … append a record to the slot's block           span-writer.ts
 *   endSpan        copies the block into the batch log           batch-log.ts
 *   closeBatch     frames the log as a request and hands it on
 *
 * One memory, the arena, holds the batch log and most blocks, so that the copy at the end of a span stays within
 * one buffer, where the engine does it in 15 ns. The first recorder of a thread has its log there.
 *
 * Application code runs inside a call only where it looks into what the caller passed: a getter, a proxy, a
 * sampler. Whatever such code asks of the same recorder meanwhile is refused, or it could pull the slot away
 * under the call that is using it. A refused startSpan is counted; any other call is not, and a span whose
 * endSpan was refused stays live until `liveMaxAgeMs` or the end of the process.
 */

/** Everything that a {@link Recorder} needs to know, checked. */
export interface RecorderSettings {
  readonly resource: Resource;
  readonly sampler: Sampler;
  readonly limits: ResolvedSpanLimits;
  readonly liveMaxSpans: number;
  readonly liveMaxBytes: number;
  readonly liveMaxAgeMs: number;
  readonly spanMaxBytes: number;
  readonly batchMaxSpans: number;
  readonly batchMaxBytes: number;
  readonly clock: Clock;
  readonly random: RandomSource | undefined;
  readonly onError: (error: unknown) => void;
}

/** What a {@link Recorder} counts of the statistics of a plugin. */
export type RecorderCounts = Pick<
  PluginStats,
  'started' | 'ended' | 'live' | 'buffered' | 'unsampled' | 'refused'
>;

/** The attribute that marks a span which was still open when it was written: `tracewell.unfinished` = `true`. */
const UNFINISHED = encodeUnfinished();
/** Holds the tail of a span: three counts of up to 6 bytes each, and {@link UNFINISHED}. */
const TAIL = new Uint8Array(18 + UNFINISHED.length);
/** Bytes of the field with the end time. */
const END_TIME_BYTES = 9;
/** Bytes that the tag and the length of a span take at most. */
const MAX_TAG_AND_LENGTH = 6;
/** Holds a trace id and a span id while they are being checked. */
const SCRATCH = new Uint8Array(24);
const SCRATCH_VIEW = new DataView(SCRATCH.buffer);
/** How often the table of live spans is searched for old ones once it is full. */
const REAP_EVERY_MS = 1000;
const MAX_UINT64 = 2n ** 64n - 1n;

/** Records spans as OTLP bytes. */
export class Recorder {
  readonly #sampler: Sampler;
  readonly #batchMaxSpans: number;
  readonly #liveMaxAgeMs: number;
  readonly #onError: (error: unknown) => void;
  readonly #give: (batch: SpanBatch) => void;
  readonly #memory: Memory;
  readonly #live: LiveSpans;
  readonly #writer: SpanWriter;
  readonly #scopes: Scopes;
  readonly #log: BatchLog;
  readonly #ids: IdSource;
  readonly #clock: WallClock;
  /** Application code runs inside a call, or the recorder is closed: nothing is recorded. */
  #locked = false;
  #closed = false;
  #reapAt = Number.NEGATIVE_INFINITY;
  #started = 0;
  #ended = 0;
  #unsampled = 0;
  #refused = 0;

  /**
   * @param settings - what to record and how much
   * @param give - gets every batch that closes; called inline, so it must be quick and must not throw
   */
  constructor(settings: RecorderSettings, give: (batch: SpanBatch) => void) {
    const { batchMaxBytes } = settings;
    this.#sampler = settings.sampler;
    this.#batchMaxSpans = settings.batchMaxSpans;
    this.#liveMaxAgeMs = settings.liveMaxAgeMs;
    this.#onError = settings.onError;
    this.#give = give;
    this.#memory = arena.takeLog(this, batchMaxBytes) ?? new Memory(batchMaxBytes);
    this.#live = new LiveSpans(settings);
    this.#writer = new SpanWriter(this.#live, settings.limits, settings.spanMaxBytes);
    this.#scopes = new Scopes();
    this.#log = new BatchLog(this.#memory, batchMaxBytes, settings.resource, this.#scopes);
    this.#ids = new IdSource(settings.random);
    this.#clock = new WallClock(settings.clock);
  }

  startSpan(start: SpanStart): SpanHandle {
    if (this.#locked) {
      if (!this.#closed) this.#refused++;
      return INVALID_SPAN;
    }
    this.#locked = true;
    let slot = -1;
    try {
      const { parent } = start;
      if (parent === INVALID_SPAN) {
        this.#unsampled++;
        return INVALID_SPAN;
      }
      slot = this.#acquire();
      if (slot < 0) {
        this.#refused++;
        return INVALID_SPAN;
      }
      const parentSlot = parent === undefined ? -1 : this.#live.slotOf(parent);
      if (this.#begin(slot, start, parentSlot)) {
        this.#started++;
        return this.#live.handleOf(slot);
      }
      this.#live.release(slot);
      this.#unsampled++;
      return INVALID_SPAN;
    } catch {
      // A getter of `start` threw, or it is no object at all.
      if (slot >= 0) this.#live.release(slot);
      this.#refused++;
      return INVALID_SPAN;
    } finally {
      this.#locked = this.#closed;
    }
  }

  setAttribute(span: SpanHandle, key: string, value: AttributeValue): void {
    const slot = this.#live.slotOf(span);
    if (slot < 0 || this.#locked || value === undefined) return;
    if (typeof value === 'object') {
      this.#locked = true;
      this.#writer.setAttribute(slot, key, value);
      this.#locked = this.#closed;
    } else {
      this.#writer.setAttribute(slot, key, value);
    }
  }

  setStatus(span: SpanHandle, status: SpanStatus): void {
    const slot = this.#live.slotOf(span);
    if (slot < 0 || this.#locked) return;
    this.#locked = true;
    try {
      const { code, message } = status;
      if (code === UNSET || code === OK || code === ERROR) {
        this.#writer.setStatus(slot, code, message);
      }
    } catch {
      // Not a status: the one before stays.
    } finally {
      this.#locked = this.#closed;
    }
  }

  addEvent(span: SpanHandle, event: SpanEvent): void {
    const slot = this.#live.slotOf(span);
    if (slot < 0 || this.#locked) return;
    this.#locked = true;
    try {
      const { name, attributes, timeUnixNanos } = event;
      if (isTime(timeUnixNanos)) {
        this.#writer.addEvent(slot, name, attributes, lowOf(timeUnixNanos), highOf(timeUnixNanos));
      } else {
        const clock = this.#clock;
        this.#splitNow(slot);
        this.#writer.addEvent(slot, name, attributes, clock.low, clock.high);
      }
    } catch {
      WORDS[(slot << ROW_SHIFT) + DROPPED_EVENTS]!++;
    } finally {
      this.#locked = this.#closed;
    }
  }

  addLink(span: SpanHandle, link: SpanLink): void {
    const slot = this.#live.slotOf(span);
    if (slot < 0 || this.#locked) return;
    this.#locked = true;
    this.#addLink(slot, link);
    this.#locked = this.#closed;
  }

  updateName(span: SpanHandle, name: string): void {
    const slot = this.#live.slotOf(span);
    if (slot >= 0 && !this.#locked && typeof name === 'string') this.#writer.setName(slot, name, false);
  }

  endSpan(span: SpanHandle, endTimeUnixNanos?: bigint): void {
    const slot = this.#live.slotOf(span);
    if (slot < 0 || this.#locked) return;
    if (isTime(endTimeUnixNanos)) {
      this.#finish(slot, lowOf(endTimeUnixNanos), highOf(endTimeUnixNanos), false);
    } else {
      this.#splitNow(slot);
      this.#finish(slot, this.#clock.low, this.#clock.high, false);
    }
  }

  spanContext(span: SpanHandle): SpanContext | undefined {
    const slot = this.#live.slotOf(span);
    if (slot < 0) return undefined;
    const { bytes } = MEMORIES[slot]!;
    const base = WORDS[(slot << ROW_SHIFT) + BASE]!;
    const traceIdAt = base + TRACE_ID_AT;
    const spanIdAt = base + SPAN_ID_AT;
    const stateAt = this.#traceStateAt(slot);
    const textAt = stateAt < 0 ? -1 : skipVarint(bytes, stateAt + 1);
    return {
      traceId: readHex(bytes, traceIdAt, traceIdAt + 16),
      spanId: readHex(bytes, spanIdAt, spanIdAt + 8),
      traceFlags: bytes[base + FLAGS_AT]!,
      traceState: stateAt < 0 ? '' : readUtf8(bytes, textAt, textAt + readVarint(bytes, stateAt + 1)),
    };
  }

  /** Ends every live span now, marked as unfinished. */
  endLiveSpans(): void {
    if (this.#locked) return;
    for (const slot of this.#live.slots()) this.#endUnfinished(slot);
  }

  /** Hands on what is buffered, if anything is. */
  closeBatch(): void {
    const batch = this.#log.close();
    if (batch !== undefined) this.#give(batch);
  }

  /** Hands on everything, live spans too, and records nothing any more. */
  close(): void {
    this.endLiveSpans();
    this.closeBatch();
    this.#closed = true;
    this.#locked = true;
    arena.returnLog(this);
  }

  counts(): RecorderCounts {
    return {
      started: this.#started,
      ended: this.#ended,
      live: this.#live.size,
      buffered: this.#log.spanCount,
      unsampled: this.#unsampled,
      refused: this.#refused,
    };
  }

  /** Takes a slot; if none is left, once a second, by ending spans that nobody seems to end. */
  #acquire(): number {
    const slot = this.#live.acquire();
    if (slot >= 0) return slot;
    const now = this.#clock.now();
    if (now < this.#reapAt) return -1;
    this.#reapAt = now + REAP_EVERY_MS;
    for (const old of this.#live.slots()) {
      if (now - this.#live.startedAt(old) < this.#liveMaxAgeMs) break;
      this.#endUnfinished(old);
    }
    return this.#live.acquire();
  }

  /** Writes everything that a span starts with; false if it is not sampled. */
  #begin(slot: number, start: SpanStart, parentSlot: number): boolean {
    const { name, kind, parent, context, attributes, links, startTimeUnixNanos, scope } = start;
    const live = this.#live;
    const row = slot << ROW_SHIFT;
    const { bytes, view } = MEMORIES[slot]!;
    const base = WORDS[row + BASE]!;
    const traceIdAt = base + TRACE_ID_AT;
    let flags = SAMPLED;
    let sampling: ParentSampling = NONE;
    let parentFlag = PARENT_IS_LOCAL;
    let traceState: string | undefined;

    // The parent first: its trace id, and its span id where the record of the parent goes.
    const parentIdAt = base + HEADER_BYTES + 2;
    if (parentSlot >= 0) {
      sampling = LOCAL_SAMPLED;
      const from = MEMORIES[parentSlot]!;
      const parentBase = WORDS[(parentSlot << ROW_SHIFT) + BASE]!;
      copyShort(from.view, parentBase + TRACE_ID_AT, view, traceIdAt, 16);
      copyShort(from.view, parentBase + SPAN_ID_AT, view, parentIdAt, 8);
      flags |= from.bytes[parentBase + FLAGS_AT]!;
    } else if (parent === undefined) {
      const { remoteParent } = start;
      if (
        remoteParent !== undefined &&
        remoteParent !== null &&
        writeId(bytes, traceIdAt, remoteParent.traceId, 16) &&
        writeId(bytes, parentIdAt, remoteParent.spanId, 8)
      ) {
        const remoteFlags = traceFlagsOf(remoteParent.traceFlags);
        const isSampled = (remoteFlags & SAMPLED) !== 0;
        if (remoteParent.isRemote === false) {
          // It was a span of this process: its children share its fate, as those of a live one.
          if (!isSampled) return false;
          sampling = LOCAL_SAMPLED;
        } else {
          sampling = isSampled ? REMOTE_SAMPLED : REMOTE_UNSAMPLED;
          parentFlag = PARENT_IS_REMOTE;
        }
        flags |= remoteFlags;
        traceState = remoteParent.traceState;
      }
    }
    const hasParent = sampling !== NONE;

    // Then the identity of its own.
    let hasState = false;
    if (context !== undefined && context !== null && readIds(context)) {
      copyShort(SCRATCH_VIEW, 0, view, traceIdAt, 16);
      copyShort(SCRATCH_VIEW, 16, view, base + SPAN_ID_AT, 8);
      flags = traceFlagsOf(context.traceFlags);
      hasState = context.traceState !== undefined;
      if (hasState) traceState = context.traceState;
    } else {
      if (!hasParent) this.#ids.write(view, traceIdAt, 16);
      this.#ids.write(view, base + SPAN_ID_AT, 8);
    }
    if (!this.#isSampled(bytes, traceIdAt, sampling, start)) return false;

    bytes[base + KIND_AT] = isKind(kind) ? kind : INTERNAL;
    view.setInt32(base + FLAGS_AT, flags | parentFlag, true);
    WORDS[row + SCOPE] = this.#scopes.numberOf(scope) << SCOPE_SHIFT;
    const now = this.#clock.now();
    live.setStartedAt(slot, now);
    if (isTime(startTimeUnixNanos)) {
      WORDS[row + SCOPE]! |= START_GIVEN;
      view.setBigUint64(base + START_TIME_AT, startTimeUnixNanos, true);
    } else {
      const clock = this.#clock;
      clock.split(now);
      view.setInt32(base + START_TIME_AT, clock.low, true);
      view.setInt32(base + START_TIME_AT + 4, clock.high, true);
    }
    if (hasParent) writeParentTag(bytes, base);
    WORDS[row + AT] = base + (hasParent ? HEADER_BYTES + PARENT_BYTES : HEADER_BYTES);
    if (parentSlot >= 0 && !hasState) this.#inheritTraceState(slot, parentSlot);
    else this.#writer.appendTraceState(slot, SPAN_TRACE_STATE, traceState);
    this.#writer.setName(slot, name, true);
    if (typeof attributes === 'object' && attributes !== null) this.#writer.setAttributes(slot, attributes);
    if (Array.isArray(links)) for (const link of links) this.#addLink(slot, link);
    return true;
  }

  #isSampled(bytes: Uint8Array, traceIdAt: number, parent: ParentSampling, start: SpanStart): boolean {
    try {
      return this.#sampler.shouldSample(bytes, traceIdAt, parent, start);
    } catch (error) {
      this.#onError(error);
      return true;
    }
  }

  #addLink(slot: number, link: SpanLink): void {
    try {
      this.#writer.addLink(slot, link);
    } catch {
      WORDS[(slot << ROW_SHIFT) + DROPPED_LINKS]!++;
    }
  }

  /** Where the trace state of a live span stands in its memory, or -1. It follows the parent, if there is one. */
  #traceStateAt(slot: number): number {
    const { bytes } = MEMORIES[slot]!;
    const row = slot << ROW_SHIFT;
    const base = WORDS[row + BASE]!;
    const end = WORDS[row + AT]!;
    let at = base + HEADER_BYTES;
    if (at < end && bytes[at] === SPAN_PARENT_SPAN_ID) at += PARENT_BYTES;
    return at < end && bytes[at] === SPAN_TRACE_STATE ? at : -1;
  }

  #inheritTraceState(slot: number, parentSlot: number): void {
    const live = this.#live;
    const from = this.#traceStateAt(parentSlot);
    if (from < 0) return;
    const source = MEMORIES[parentSlot]!.bytes;
    const end = skipVarint(source, from + 1) + readVarint(source, from + 1);
    if (!live.reserve(slot, end - from)) return;
    const row = slot << ROW_SHIFT;
    const at = WORDS[row + AT]!;
    copyBytes(source, from, end, MEMORIES[slot]!.bytes, at);
    WORDS[row + AT] = at + end - from;
  }

  /**
   * Puts the present time, as a span sees it, into the clock's halves. The clock may have been set since the
   * span started. Forward counts for it, so that its children, who know only the new time, lie within it;
   * backward does not, so that nothing in it lies before its start.
   */
  #splitNow(slot: number): void {
    const clock = this.#clock;
    const now = clock.now();
    clock.split(now);
    if (this.#live.startedAt(slot) < clock.movedAt) this.#splitMoved(slot, now);
  }

  #splitMoved(slot: number, now: number): void {
    const clock = this.#clock;
    const row = slot << ROW_SHIFT;
    if ((WORDS[row + SCOPE]! & START_GIVEN) !== 0) return;
    const { view } = MEMORIES[slot]!;
    const at = WORDS[row + BASE]! + START_TIME_AT;
    const elapsed = view.getUint32(at, true) + Math.round((now - this.#live.startedAt(slot)) * 1e6);
    const carry = Math.floor(elapsed / 2 ** 32);
    const high = view.getUint32(at + 4, true) + carry;
    const low = elapsed - carry * 2 ** 32;
    if (high < clock.high || (high === clock.high && low <= clock.low)) return;
    clock.high = high;
    clock.low = low;
  }

  #endUnfinished(slot: number): void {
    this.#splitNow(slot);
    this.#finish(slot, this.#clock.low, this.#clock.high, true);
  }

  /** Moves a span into the batch and frees its slot. */
  #finish(slot: number, endLow: number, endHigh: number, unfinished: boolean): void {
    const row = slot << ROW_SHIFT;
    const log = this.#log;
    const dropped =
      WORDS[row + DROPPED_ATTRIBUTES]! | WORDS[row + DROPPED_EVENTS]! | WORDS[row + DROPPED_LINKS]!;
    const tail = dropped === 0 && !unfinished ? 0 : encodeTail(row, unfinished);
    const size = WORDS[row + AT]! - WORDS[row + BASE]! + END_TIME_BYTES + tail;
    const scope = WORDS[row + SCOPE]! >> SCOPE_SHIFT;
    if (!log.hasRoom(MAX_TAG_AND_LENGTH + size)) this.closeBatch();
    if (log.hasRoom(MAX_TAG_AND_LENGTH + size)) {
      const { bytes } = this.#memory;
      const at = log.end;
      bytes[at] = SCOPE_SPANS_SPANS;
      log.add(scope, writeSpan(this.#memory, writeVarint(bytes, at + 1, size), row, endLow, endHigh, tail));
    } else {
      const { memory, at } = log.single(scope, size);
      writeSpan(memory, at, row, endLow, endHigh, tail);
      this.#give({ bytes: memory.bytes, spanCount: 1 });
    }
    this.#live.release(slot);
    this.#ended++;
    if (log.spanCount >= this.#batchMaxSpans) this.closeBatch();
  }
}

/** Writes a span: its block, when it ended, and the tail that {@link encodeTail} left, if it has one. */
function writeSpan(
  memory: Memory,
  at: number,
  row: number,
  endLow: number,
  endHigh: number,
  tail: number,
): number {
  const { bytes, view } = memory;
  const base = WORDS[row + BASE]!;
  const used = WORDS[row + AT]! - base;
  copyBytes(MEMORIES[row >> ROW_SHIFT]!.bytes, base, base + used, bytes, at);
  const endAt = at + used;
  bytes[endAt] = SPAN_END_TIME;
  view.setInt32(endAt + 1, endLow, true);
  view.setInt32(endAt + 5, endHigh, true);
  const tailAt = endAt + END_TIME_BYTES;
  if (tail > 0) copyBytes(TAIL, 0, tail, bytes, tailAt);
  return tailAt + tail;
}

/** Puts what only few spans have behind their end into {@link TAIL}: what was dropped, and that it is unfinished. */
function encodeTail(row: number, unfinished: boolean): number {
  let at = writeCount(TAIL, 0, SPAN_DROPPED_ATTRIBUTES_COUNT, WORDS[row + DROPPED_ATTRIBUTES]!);
  at = writeCount(TAIL, at, SPAN_DROPPED_EVENTS_COUNT, WORDS[row + DROPPED_EVENTS]!);
  at = writeCount(TAIL, at, SPAN_DROPPED_LINKS_COUNT, WORDS[row + DROPPED_LINKS]!);
  if (!unfinished) return at;
  TAIL.set(UNFINISHED, at);
  return at + UNFINISHED.length;
}

/** Whether something is a time that the wire can hold. */
function isTime(value: unknown): value is bigint {
  return typeof value === 'bigint' && value >= 0n && value <= MAX_UINT64;
}

function lowOf(time: bigint): number {
  return Number(time & 0xffff_ffffn);
}

function highOf(time: bigint): number {
  return Number(time >> 32n);
}

function isKind(value: unknown): value is SpanKind {
  return Number.isInteger(value) && (value as number) >= UNSPECIFIED && (value as number) <= CONSUMER;
}

function writeCount(bytes: Uint8Array, at: number, tag: number, count: number): number {
  if (count === 0) return at;
  bytes[at] = tag;
  return writeVarint(bytes, at + 1, count);
}

function encodeUnfinished(): Uint8Array {
  const key = Buffer.from('tracewell.unfinished');
  const pair = [KEY_VALUE_KEY, key.length, ...key, KEY_VALUE_VALUE, 2, ANY_BOOL, 1];
  return Uint8Array.of(SPAN_ATTRIBUTES, pair.length, ...pair);
}

/** Puts the ids of a context into {@link SCRATCH}; false if one of them is none. */
function readIds(context: SpanContext): boolean {
  if (typeof context.writeIds !== 'function') {
    return writeId(SCRATCH, 0, context.traceId, 16) && writeId(SCRATCH, 16, context.spanId, 8);
  }
  // Should it write less than it says, then no ids of another span.
  for (let at = 0; at < 24; at += 4) SCRATCH_VIEW.setInt32(at, 0);
  context.writeIds(SCRATCH_VIEW);
  return hasDigit(0, 16) && hasDigit(16, 24);
}

function hasDigit(from: number, to: number): boolean {
  for (let at = from; at < to; at += 4) if (SCRATCH_VIEW.getInt32(at) !== 0) return true;
  return false;
}
