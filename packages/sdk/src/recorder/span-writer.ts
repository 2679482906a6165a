import * as wire from '@tracewell/otlp/wire';
import { type Attributes, type AttributeValue, type SpanLink, StatusCode } from '@tracewell/plugin';
import * as arena from './arena.ts';
import type { EncodedKey } from './key-cache.ts';
import * as keyCache from './key-cache.ts';
import type { ResolvedSpanLimits } from './limits.ts';
import type { LiveSpans } from './live-spans.ts';
import * as liveSpans from './live-spans.ts';
import * as copying from './memory.ts';
import * as spanHeader from './span-header.ts';
import * as spanRow from './span-row.ts';
import * as texts from './text.ts';
import { TextSite } from './text-site.ts';
import { ValueEncoder } from './values.ts';

// The engine folds a constant of the same module into the code; one that is imported it loads and checks at
// every use, six instructions each. So what the hot path uses is named again here: a fifth of its time.
const {
  ANY_BOOL,
  ANY_DOUBLE,
  ANY_INT,
  ANY_STRING,
  EVENT_ATTRIBUTES,
  EVENT_DROPPED_ATTRIBUTES_COUNT,
  EVENT_NAME,
  EVENT_TIME,
  KEY_VALUE_VALUE,
  LINK_ATTRIBUTES,
  LINK_DROPPED_ATTRIBUTES_COUNT,
  LINK_FLAGS,
  LINK_SPAN_ID,
  LINK_TRACE_ID,
  LINK_TRACE_STATE,
  readVarint,
  SPAN_ATTRIBUTES,
  SPAN_EVENTS,
  SPAN_LINKS,
  SPAN_NAME,
  SPAN_STATUS,
  STATUS_CODE,
  STATUS_MESSAGE,
  skipVarint,
  varintSize,
  writeInt64,
  writeUtf8,
  writeVarint,
} = wire;
const { copyBytes, copyShort } = copying;
const { HOMES_AT, ROW_SHIFT, TEXTS_AT, TEXT_ENTRY_BYTES, WORDS } = arena;
const { bytes: ARENA_BYTES, view: ARENA_VIEW } = arena.ARENA;
const { MEMORIES } = liveSpans;
const {
  AT,
  ATTRIBUTES,
  BASE,
  DROPPED_ATTRIBUTES,
  DROPPED_EVENTS,
  DROPPED_LINKS,
  EVENTS,
  FILTER,
  HAS_STATUS,
  LIMIT,
  LINKS,
  SCOPE,
} = spanRow;
const { HEADER_BYTES, traceFlagsOf, writeId } = spanHeader;
const { encodedKey, MAX_KEY_BYTES } = keyCache;
const { hasOwnProperty: hasOwn } = Object.prototype;
const { truncate } = texts;
const { UNSET, ERROR } = StatusCode;

/*
 * What follows the header in the block of a live span is a row of records, each a field of the Span message
 * with a one-byte tag and a length: name, attributes, events, links, status. They stand in the order in which
 * the calls came, which protobuf allows, and each is complete, so the block is at any time what goes on the
 * wire.
 *
 * To overwrite is to append the new record and to close the gap of the old one. Whether there is an old one
 * a filter of 64 bits in the row of the span tells: every key has one of its bits, and while that is clear,
 * the key is new. Otherwise the records are walked and the bytes of the keys compared; a walk visits only tags
 * and lengths, 3 ns each. The bits are given out in turn, so that the first 64 keys of a process never share one.
 * When they were taken from a hash, a span with twelve attributes needed a walk, a tenth of what it cost.
 */

/** Names, descriptions and the like are cut off here; attributes have a limit of their own. */
const MAX_TEXT_UNITS = 16_384;
/** A W3C trace state is dropped if it is longer; nobody has to pass on more than 512. */
const MAX_TRACE_STATE_UNITS = 8192;
const MAX_UNITS = 2 ** 30;
/** Strings up to this length are written as if they were ASCII, with three times the room in case they are not. */
const SHORT_UNITS = 100;
/** ASCII strings up to this length are short enough for the quick way. */
const MAX_SHORT_UNITS = 48;
/** Room that a short record may need, what its copies write beyond their end included. */
const MAX_SHORT_RECORD = 128;
/** Room that every block keeps for lengths that turn out longer, and for copies that write beyond their end. */
const SLACK = 8;

/** Where texts come from that are no values of attributes. */
const NAMES = new TextSite(TEXTS_AT);
const EVENT_NAMES = new TextSite(TEXTS_AT + TEXT_ENTRY_BYTES);
const MESSAGES = new TextSite(TEXTS_AT + 2 * TEXT_ENTRY_BYTES);
const TRACE_STATES = new TextSite(TEXTS_AT + 3 * TEXT_ENTRY_BYTES);

/** Encodes what is said about live spans into their blocks. */
export class SpanWriter {
  readonly #live: LiveSpans;
  readonly #limits: ResolvedSpanLimits;
  readonly #values: ValueEncoder;
  readonly #maxUnits: number;

  constructor(live: LiveSpans, limits: ResolvedSpanLimits, spanMaxBytes: number) {
    this.#live = live;
    // A small integer, which compares faster than Infinity; no string is that long.
    this.#maxUnits = Math.min(limits.attributeValueLengthLimit, MAX_UNITS);
    this.#limits = limits;
    this.#values = new ValueEncoder(this.#maxUnits, spanMaxBytes);
  }

  /** Adds or overwrites an attribute of the span, or counts it as dropped. */
  setAttribute(slot: number, key: string, value: AttributeValue): void {
    const row = slot << ROW_SHIFT;
    if (typeof key !== 'string' || key.length === 0) {
      WORDS[row + DROPPED_ATTRIBUTES]!++;
      return;
    }
    const encoded = encodedKey(key);
    const filterAt = row + FILTER + encoded.filterWord;
    const { filterBit } = encoded;
    const old = (WORDS[filterAt]! & filterBit) === 0 ? -1 : this.#findAttribute(slot, encoded);
    const count = WORDS[row + ATTRIBUTES]!;
    if (
      (old < 0 && count >= this.#limits.attributeCountLimit) ||
      !this.#append(slot, SPAN_ATTRIBUTES, encoded, value)
    ) {
      WORDS[row + DROPPED_ATTRIBUTES]!++;
    } else if (old >= 0) {
      this.#remove(slot, old);
    } else {
      WORDS[row + ATTRIBUTES] = count + 1;
      WORDS[filterAt]! |= filterBit;
    }
  }

  /** Adds or overwrites many; whatever looking at one of them does, the others are recorded. */
  setAttributes(slot: number, attributes: Attributes): void {
    const dropped = (slot << ROW_SHIFT) + DROPPED_ATTRIBUTES;
    try {
      for (const key in attributes) {
        if (!hasOwn.call(attributes, key)) continue;
        let value: AttributeValue | undefined;
        try {
          value = attributes[key];
        } catch {
          WORDS[dropped]!++;
          continue;
        }
        if (value !== undefined) this.setAttribute(slot, key, value);
      }
    } catch {
      // A proxy that does not even tell its keys.
      WORDS[dropped]!++;
    }
  }

  /** Names the span; replaces the name that it has, if any. */
  setName(slot: number, name: string, isNew: boolean): void {
    const old = isNew ? -1 : this.#find(slot, SPAN_NAME);
    if (this.#appendText(slot, SPAN_NAME, name, NAMES) && old >= 0) this.#remove(slot, old);
  }

  /** Replaces the status. */
  setStatus(slot: number, code: number, message: string | undefined): void {
    const row = slot << ROW_SHIFT;
    const old = (WORDS[row + SCOPE]! & HAS_STATUS) === 0 ? -1 : this.#find(slot, SPAN_STATUS);
    if (code !== UNSET && !this.#appendShortStatus(slot, code, message)) {
      const start = this.#open(slot, SPAN_STATUS);
      if (start < 0) return;
      if (code === ERROR && typeof message === 'string' && message.length > 0) {
        // A description that does not fit is left out; that it was an error is not.
        this.#appendText(slot, STATUS_MESSAGE, message, MESSAGES);
      }
      if (!this.#appendSmall(slot, STATUS_CODE, code) || !this.#close(slot, start)) {
        this.#cutAt(slot, start);
        return;
      }
    }
    if (old >= 0) this.#remove(slot, old);
    if (code === UNSET) WORDS[row + SCOPE]! &= ~HAS_STATUS;
    else WORDS[row + SCOPE]! |= HAS_STATUS;
  }

  /** Appends what nearly every status is, as {@link SpanWriter.#appendShort} does an attribute. */
  #appendShortStatus(slot: number, code: number, message: string | undefined): boolean {
    const row = slot << ROW_SHIFT;
    const at = WORDS[row + AT]!;
    if (at + MAX_SHORT_RECORD > WORDS[row + LIMIT]! || WORDS[row + BASE]! < HOMES_AT) return false;
    let end = at + 2;
    if (code === ERROR && typeof message === 'string' && message.length > 0) {
      if (!MESSAGES.holds(message)) return false;
      end = appendHeld(end, STATUS_MESSAGE, MESSAGES);
    }
    ARENA_VIEW.setInt16(end, STATUS_CODE | (code << 8), true);
    ARENA_VIEW.setInt16(at, SPAN_STATUS | ((end - at) << 8), true);
    WORDS[row + AT] = end + 2;
    return true;
  }

  /** Adds an event at a time given as two halves, or counts it as dropped. */
  addEvent(
    slot: number,
    name: string,
    attributes: Attributes | undefined,
    timeLow: number,
    timeHigh: number,
  ): void {
    const row = slot << ROW_SHIFT;
    const start = this.#limits.eventCountLimit === 0 ? -1 : this.#openEvent(slot, name, timeLow, timeHigh);
    if (start < 0) {
      WORDS[row + DROPPED_EVENTS]!++;
      return;
    }
    if (
      !this.#appendAttributes(
        slot,
        EVENT_ATTRIBUTES,
        EVENT_DROPPED_ATTRIBUTES_COUNT,
        attributes,
        this.#limits.attributePerEventCountLimit,
      ) ||
      !this.#close(slot, start)
    ) {
      this.#cutAt(slot, start);
      WORDS[row + DROPPED_EVENTS]!++;
    } else if (WORDS[row + EVENTS]! >= this.#limits.eventCountLimit) {
      this.#remove(slot, this.#find(slot, SPAN_EVENTS));
      WORDS[row + DROPPED_EVENTS]!++;
    } else {
      WORDS[row + EVENTS]!++;
    }
  }

  /** Adds a link, or counts it as dropped. */
  addLink(slot: number, link: SpanLink): void {
    // Looking into what the caller passed may throw, so that comes before anything is written.
    const { context, attributes } = link;
    const { traceId, spanId, traceFlags, traceState, isRemote } = context;
    const row = slot << ROW_SHIFT;
    const start = this.#limits.linkCountLimit === 0 ? -1 : this.#open(slot, SPAN_LINKS);
    if (start < 0) {
      WORDS[row + DROPPED_LINKS]!++;
      return;
    }
    if (
      !this.#appendLinkIds(slot, traceId, spanId, traceFlags, isRemote) ||
      !this.appendTraceState(slot, LINK_TRACE_STATE, traceState) ||
      !this.#appendAttributes(
        slot,
        LINK_ATTRIBUTES,
        LINK_DROPPED_ATTRIBUTES_COUNT,
        attributes,
        this.#limits.attributePerLinkCountLimit,
      ) ||
      !this.#close(slot, start)
    ) {
      this.#cutAt(slot, start);
      WORDS[row + DROPPED_LINKS]!++;
    } else if (WORDS[row + LINKS]! >= this.#limits.linkCountLimit) {
      this.#remove(slot, this.#find(slot, SPAN_LINKS));
      WORDS[row + DROPPED_LINKS]!++;
    } else {
      WORDS[row + LINKS]!++;
    }
  }

  /** Appends a trace state, unless it is longer than anybody has to pass on. */
  appendTraceState(slot: number, tag: number, traceState: unknown): boolean {
    if (typeof traceState !== 'string' || traceState.length === 0) return true;
    return traceState.length > MAX_TRACE_STATE_UNITS || this.#appendText(slot, tag, traceState, TRACE_STATES);
  }

  #appendLinkIds(
    slot: number,
    traceId: string,
    spanId: string,
    traceFlags: number | undefined,
    isRemote: boolean | undefined,
  ): boolean {
    const live = this.#live;
    if (!live.reserve(slot, 33 + SLACK)) return false;
    const row = slot << ROW_SHIFT;
    const { bytes, view } = MEMORIES[slot]!;
    const at = WORDS[row + AT]!;
    bytes[at] = LINK_TRACE_ID;
    bytes[at + 1] = 16;
    bytes[at + 18] = LINK_SPAN_ID;
    bytes[at + 19] = 8;
    bytes[at + 28] = LINK_FLAGS;
    if (!writeId(bytes, at + 2, traceId, 16) || !writeId(bytes, at + 20, spanId, 8)) return false;
    const remote = isRemote === undefined ? 0 : isRemote ? 0x300 : 0x100;
    view.setInt32(at + 29, traceFlagsOf(traceFlags) | remote, true);
    WORDS[row + AT] = at + 33;
    return true;
  }

  /** Appends the attributes of an event or link, and how many were dropped. */
  #appendAttributes(
    slot: number,
    tag: number,
    droppedTag: number,
    attributes: Attributes | undefined,
    limit: number,
  ): boolean {
    if (attributes === undefined || attributes === null) return true;
    let recorded = 0;
    let dropped = 0;
    try {
      for (const key in attributes) {
        if (!hasOwn.call(attributes, key)) continue;
        let value: AttributeValue | undefined;
        try {
          value = attributes[key];
        } catch {
          dropped++;
          continue;
        }
        if (value === undefined) continue;
        if (recorded < limit && key.length > 0 && this.#append(slot, tag, encodedKey(key), value)) recorded++;
        else dropped++;
      }
    } catch {
      // A proxy that does not even tell its keys.
      dropped++;
    }
    return dropped === 0 || this.#appendSmall(slot, droppedTag, dropped);
  }

  /** Appends a `KeyValue`; false, and nothing is changed, if it does not fit or cannot be recorded. */
  #append(slot: number, tag: number, key: EncodedKey, value: AttributeValue): boolean {
    return this.#appendShort(slot, tag, key, value) || this.#appendAny(slot, tag, key, value);
  }

  /**
   * Appends what nearly every `KeyValue` is: a key and a value so short that each length is one byte, with
   * room in a block in the arena. False, and nothing is changed, for any other. Half as expensive as the general
   * way, and short enough for the engine to compile it into its callers.
   */
  #appendShort(slot: number, tag: number, key: EncodedKey, value: AttributeValue): boolean {
    const row = slot << ROW_SHIFT;
    const at = WORDS[row + AT]!;
    const keyLength = key.length;
    if (
      at + MAX_SHORT_RECORD > WORDS[row + LIMIT]! ||
      WORDS[row + BASE]! < HOMES_AT ||
      keyLength > MAX_KEY_BYTES
    ) {
      return false;
    }
    // The key comes first, since its copy reaches beyond its end.
    copyShort(ARENA_VIEW, key.keyAt, ARENA_VIEW, at + 2, keyLength);
    const valueAt = at + 4 + keyLength;
    const end =
      typeof value === 'string' && value.length <= this.#maxUnits && key.holds(value)
        ? appendHeld(valueAt, ANY_STRING, key)
        : appendShortValue(valueAt, value, this.#maxUnits);
    if (end < 0) return false;
    ARENA_VIEW.setInt16(at, tag | ((end - at - 2) << 8), true);
    ARENA_VIEW.setInt16(valueAt - 2, KEY_VALUE_VALUE | ((end - valueAt) << 8), true);
    WORDS[row + AT] = end;
    return true;
  }

  #appendAny(slot: number, tag: number, key: EncodedKey, value: AttributeValue): boolean {
    switch (typeof value) {
      case 'string':
        return this.#appendString(slot, tag, key, value);
      case 'boolean': {
        const at = this.#appendKey(slot, tag, key, 2, 0);
        if (at < 0) return false;
        MEMORIES[slot]!.view.setInt16(at, ANY_BOOL | (value ? 0x100 : 0), true);
        return true;
      }
      case 'number': {
        if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
          const at = this.#appendKey(slot, tag, key, 9, 0);
          if (at < 0) return false;
          const { bytes, view } = MEMORIES[slot]!;
          bytes[at] = ANY_DOUBLE;
          view.setFloat64(at + 1, value, true);
          return true;
        }
        const at = this.#appendKey(slot, tag, key, 1 + (value < 0 ? 10 : varintSize(value)), 0);
        if (at < 0) return false;
        const { bytes } = MEMORIES[slot]!;
        bytes[at] = ANY_INT;
        writeInt64(bytes, at + 1, value);
        return true;
      }
      default: {
        const size = this.#values.encode(value);
        if (size < 0) return false;
        // The value may have run code of the application, and that may have emptied the cache of keys.
        const at = this.#appendKey(slot, tag, encodedKey(key.key), size, 0);
        if (at < 0) return false;
        copyBytes(this.#values.bytes, 0, size, MEMORIES[slot]!.bytes, at);
        return true;
      }
    }
  }

  #appendString(slot: number, tag: number, key: EncodedKey, value: string): boolean {
    const live = this.#live;
    const text = value.length <= this.#maxUnits ? value : truncate(value, this.#maxUnits);
    const units = text.length;
    if (units < SHORT_UNITS) {
      const start = live.used(slot);
      // Nearly every string is ASCII: as many bytes as units. If more came out, it is done again.
      const at = this.#appendKey(slot, tag, key, 2 + units, 2 * units);
      if (at < 0) return false;
      const { bytes, view } = MEMORIES[slot]!;
      view.setInt16(at, ANY_STRING | (units << 8), true);
      if (writeUtf8(bytes, at + 2, text) === at + 2 + units) return true;
      this.#cutAt(slot, start);
    }
    const size = Buffer.byteLength(text);
    const at = this.#appendKey(slot, tag, key, 1 + varintSize(size) + size, 0);
    if (at < 0) return false;
    const { bytes } = MEMORIES[slot]!;
    bytes[at] = ANY_STRING;
    writeUtf8(bytes, writeVarint(bytes, at + 1, size), text);
    return true;
  }

  /**
   * Appends a `KeyValue` but for the inside of its value, of `size` bytes.
   *
   * @param more - room to make beyond that
   * @returns where to write the value, or -1 if there is no room
   */
  #appendKey(slot: number, tag: number, key: EncodedKey, size: number, more: number): number {
    const live = this.#live;
    const row = slot << ROW_SHIFT;
    const keyLength = key.length;
    const length = keyLength + 2 + size;
    if (length >= 0x80) return this.#appendLongKey(slot, tag, key, size, more);
    if (!live.reserve(slot, 2 + length + more + SLACK)) return -1;
    const { view } = MEMORIES[slot]!;
    const at = WORDS[row + AT]!;
    WORDS[row + AT] = at + 2 + length;
    // Two lengths below 128, each a byte behind its tag.
    view.setInt16(at, tag | (length << 8), true);
    copyShort(key.memory.view, key.keyAt, view, at + 2, keyLength);
    view.setInt16(at + 2 + keyLength, KEY_VALUE_VALUE | (size << 8), true);
    return at + 4 + keyLength;
  }

  #appendLongKey(slot: number, tag: number, key: EncodedKey, size: number, more: number): number {
    const live = this.#live;
    const length = key.length + 1 + varintSize(size) + size;
    const total = 1 + varintSize(length) + length;
    if (!live.reserve(slot, total + more + SLACK)) return -1;
    const { bytes, view } = MEMORIES[slot]!;
    const row = slot << ROW_SHIFT;
    let at = WORDS[row + AT]!;
    WORDS[row + AT] = at + total;
    bytes[at] = tag;
    at = writeVarint(bytes, at + 1, length);
    copyShort(key.memory.view, key.keyAt, view, at, key.length);
    at += key.length;
    bytes[at] = KEY_VALUE_VALUE;
    return writeVarint(bytes, at + 1, size);
  }

  /** Appends a text field, cut off where nobody would read on. What is not a string counts as empty. */
  #appendText(slot: number, tag: number, value: unknown, site: TextSite): boolean {
    const row = slot << ROW_SHIFT;
    const at = WORDS[row + AT]!;
    if (
      at + MAX_SHORT_RECORD <= WORDS[row + LIMIT]! &&
      WORDS[row + BASE]! >= HOMES_AT &&
      typeof value === 'string' &&
      site.holds(value)
    ) {
      WORDS[row + AT] = appendHeld(at, tag, site);
      return true;
    }
    return this.#appendAnyText(slot, tag, typeof value === 'string' ? value : '');
  }

  #appendAnyText(slot: number, tag: number, text: string): boolean {
    const shown = truncate(text, MAX_TEXT_UNITS);
    const size = Buffer.byteLength(shown);
    if (!this.#live.reserve(slot, 1 + varintSize(size) + size + SLACK)) return false;
    const row = slot << ROW_SHIFT;
    const { bytes } = MEMORIES[slot]!;
    const at = WORDS[row + AT]!;
    bytes[at] = tag;
    WORDS[row + AT] = writeUtf8(bytes, writeVarint(bytes, at + 1, size), shown);
    return true;
  }

  /** Begins an event with its time and name. Returns where it begins in the block, or -1 if there is no room. */
  #openEvent(slot: number, name: unknown, timeLow: number, timeHigh: number): number {
    const row = slot << ROW_SHIFT;
    const at = WORDS[row + AT]!;
    const base = WORDS[row + BASE]!;
    if (
      typeof name === 'string' &&
      at + MAX_SHORT_RECORD <= WORDS[row + LIMIT]! &&
      base >= HOMES_AT &&
      EVENT_NAMES.holds(name)
    ) {
      ARENA_BYTES[at] = SPAN_EVENTS;
      ARENA_BYTES[at + 2] = EVENT_TIME;
      ARENA_VIEW.setInt32(at + 3, timeLow, true);
      ARENA_VIEW.setInt32(at + 7, timeHigh, true);
      WORDS[row + AT] = appendHeld(at + 11, EVENT_NAME, EVENT_NAMES);
      return at - base;
    }
    return this.#openAnyEvent(slot, name, timeLow, timeHigh);
  }

  #openAnyEvent(slot: number, name: unknown, timeLow: number, timeHigh: number): number {
    const live = this.#live;
    if (!live.reserve(slot, 11 + SLACK)) return -1;
    const row = slot << ROW_SHIFT;
    const { bytes, view } = MEMORIES[slot]!;
    const at = WORDS[row + AT]!;
    const start = at - WORDS[row + BASE]!;
    bytes[at] = SPAN_EVENTS;
    bytes[at + 2] = EVENT_TIME;
    view.setInt32(at + 3, timeLow, true);
    view.setInt32(at + 7, timeHigh, true);
    WORDS[row + AT] = at + 11;
    if (this.#appendText(slot, EVENT_NAME, name, EVENT_NAMES)) return start;
    this.#cutAt(slot, start);
    return -1;
  }

  #appendSmall(slot: number, tag: number, value: number): boolean {
    const live = this.#live;
    if (!live.reserve(slot, 6 + SLACK)) return false;
    const row = slot << ROW_SHIFT;
    const { bytes } = MEMORIES[slot]!;
    const at = WORDS[row + AT]!;
    bytes[at] = tag;
    WORDS[row + AT] = writeVarint(bytes, at + 1, value);
    return true;
  }

  /** Begins a message, with a byte for its length. Returns where it begins in the block, or -1. */
  #open(slot: number, tag: number): number {
    const live = this.#live;
    if (!live.reserve(slot, 2 + SLACK)) return -1;
    const row = slot << ROW_SHIFT;
    const at = WORDS[row + AT]!;
    MEMORIES[slot]!.bytes[at] = tag;
    WORDS[row + AT] = at + 2;
    return at - WORDS[row + BASE]!;
  }

  /** Ends a message: fills in its length, moving the content if that takes more than a byte. */
  #close(slot: number, start: number): boolean {
    const live = this.#live;
    const row = slot << ROW_SHIFT;
    const length = live.used(slot) - start - 2;
    if (length < 0x80 && WORDS[row + BASE]! >= HOMES_AT) {
      ARENA_BYTES[WORDS[row + BASE]! + start + 1] = length;
      return true;
    }
    const more = length < 0x80 ? 0 : varintSize(length) - 1;
    if (!live.reserve(slot, more + SLACK)) return false;
    const { bytes } = MEMORIES[slot]!;
    const content = WORDS[row + BASE]! + start + 2;
    if (more > 0) {
      bytes.copyWithin(content + more, content, content + length);
      WORDS[row + AT]! += more;
    }
    writeVarint(bytes, content - 1, length);
    return true;
  }

  /** Forgets what was appended from an offset in the block on. */
  #cutAt(slot: number, start: number): void {
    const row = slot << ROW_SHIFT;
    WORDS[row + AT] = WORDS[row + BASE]! + start;
  }

  /** The offset in the block of the first record with a tag, or -1. */
  #find(slot: number, tag: number): number {
    const row = slot << ROW_SHIFT;
    const { bytes } = MEMORIES[slot]!;
    const base = WORDS[row + BASE]!;
    const end = WORDS[row + AT]!;
    for (let at = base + HEADER_BYTES; at < end; at = recordEnd(bytes, at)) {
      if (bytes[at] === tag) return at - base;
    }
    return -1;
  }

  /** The offset in the block of the attribute with a key, or -1. */
  #findAttribute(slot: number, key: EncodedKey): number {
    const row = slot << ROW_SHIFT;
    const { bytes } = MEMORIES[slot]!;
    const base = WORDS[row + BASE]!;
    const end = WORDS[row + AT]!;
    for (let at = base + HEADER_BYTES; at < end; at = recordEnd(bytes, at)) {
      // The key field is compared as a whole: its length stands in its second byte.
      if (bytes[at] === SPAN_ATTRIBUTES && sameBytes(bytes, skipVarint(bytes, at + 1), key)) return at - base;
    }
    return -1;
  }

  /** Takes out the record at an offset in the block. */
  #remove(slot: number, start: number): void {
    const row = slot << ROW_SHIFT;
    const { bytes } = MEMORIES[slot]!;
    const from = WORDS[row + BASE]! + start;
    const end = recordEnd(bytes, from);
    bytes.copyWithin(from, end, WORDS[row + AT]!);
    WORDS[row + AT]! -= end - from;
  }
}

/** Copies the text that a site holds into the arena, as a field; returns the offset behind it. */
function appendHeld(at: number, tag: number, site: TextSite): number {
  const size = ARENA_BYTES[site.at]!;
  ARENA_BYTES[at] = tag;
  copyShort(ARENA_VIEW, site.at, ARENA_VIEW, at + 1, 1 + size);
  return at + 2 + size;
}

/** Writes the inside of a short `AnyValue` into the arena; returns the offset behind it, or -1 for any other value. */
function appendShortValue(at: number, value: AttributeValue, maxUnits: number): number {
  if (typeof value === 'string') {
    const units = value.length;
    if (units > MAX_SHORT_UNITS || units > maxUnits) return -1;
    for (let index = 0; index < units; index++) {
      const unit = value.charCodeAt(index);
      if (unit > 0x7f) return -1;
      ARENA_BYTES[at + 2 + index] = unit;
    }
    ARENA_VIEW.setInt16(at, ANY_STRING | (units << 8), true);
    return at + 2 + units;
  }
  if (typeof value === 'number') {
    // 1 to 16,383, as a varint of one or two bytes.
    if (value <= 0 || value >= 0x4000 || (value | 0) !== value) return -1;
    if (value < 0x80) {
      ARENA_VIEW.setInt16(at, ANY_INT | (value << 8), true);
      return at + 2;
    }
    ARENA_VIEW.setInt32(at, ANY_INT | (((value & 0x7f) | 0x80) << 8) | ((value >>> 7) << 16), true);
    return at + 3;
  }
  if (typeof value !== 'boolean') return -1;
  ARENA_VIEW.setInt16(at, ANY_BOOL | (value ? 0x100 : 0), true);
  return at + 2;
}

function recordEnd(bytes: Uint8Array, at: number): number {
  return skipVarint(bytes, at + 1) + readVarint(bytes, at + 1);
}

function sameBytes(bytes: Uint8Array, at: number, key: EncodedKey): boolean {
  const other = key.memory.bytes;
  for (let index = 1; index < key.length; index++) {
    if (bytes[at + index] !== other[key.keyAt + index]) return false;
  }
  return true;
}
