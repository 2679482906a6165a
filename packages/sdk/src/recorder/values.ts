import {
  ANY_ARRAY,
  ANY_BOOL,
  ANY_BYTES,
  ANY_DOUBLE,
  ANY_INT,
  ANY_KVLIST,
  ANY_STRING,
  ARRAY_VALUES,
  KEY_VALUE_KEY,
  KEY_VALUE_VALUE,
  KVLIST_VALUES,
  stringRoom,
  varintSize,
  writeDouble,
  writeInt64,
  writeInt64BigInt,
  writeString,
  writeVarint,
} from '@tracewell/otlp/wire';
import { type AttributeValue, Double } from '@tracewell/plugin';
import { truncate } from './text.ts';

/** Arrays and maps inside one another; what is deeper, such as a circular value, is not recorded. */
const MAX_DEPTH = 16;
/** Values inside one value: what a large object costs the caller stays below a millisecond or two. */
const MAX_VALUES = 10_000;
/** What the scratch may keep between two values. */
const MAX_KEPT_BYTES = 65_536;
const FIRST_BYTES = 1024;

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/** Whether OTLP can hold a bigint: 64 bits, signed. */
export function isInt64(value: bigint): boolean {
  return value >= MIN_INT64 && value <= MAX_INT64;
}

/**
 * Encodes attribute values that are objects: arrays, maps, bytes, {@link Double}. This is off the hot path:
 * the size of what is inside is known only afterwards, so it is written into a scratch first.
 */
export class ValueEncoder {
  /** Holds what {@link ValueEncoder.encode} wrote last, from offset 0 on. */
  bytes: Uint8Array = new Uint8Array(FIRST_BYTES);
  readonly #maxUnits: number;
  readonly #maxBytes: number;
  #at = 0;
  #left = 0;

  /**
   * @param maxUnits - where strings and byte arrays are cut off
   * @param maxBytes - the most that one value may take
   */
  constructor(maxUnits: number, maxBytes: number) {
    this.#maxUnits = maxUnits;
    this.#maxBytes = maxBytes;
  }

  /**
   * Encodes the inside of an `AnyValue`.
   *
   * @returns its size, or -1 if the value or something in it cannot be recorded: a function, a symbol, an
   * instance of a class, a bigint beyond 64 bits, something too deep, too large, or that throws when looked at
   */
  encode(value: AttributeValue): number {
    if (this.bytes.length > MAX_KEPT_BYTES) this.bytes = new Uint8Array(FIRST_BYTES);
    this.#at = 0;
    this.#left = MAX_VALUES;
    try {
      return this.#write(value, 0) ? this.#at : -1;
    } catch {
      // A getter, a proxy, or an array buffer that was detached: nothing of ours throws.
      return -1;
    }
  }

  #write(value: unknown, depth: number): boolean {
    if (--this.#left < 0 || !this.#reserve(16)) return false;
    const { bytes } = this;
    switch (typeof value) {
      case 'string': {
        const text = truncate(value, this.#maxUnits);
        if (!this.#reserve(stringRoom(text.length) + 1)) return false;
        this.bytes[this.#at] = ANY_STRING;
        this.#at = writeString(this.bytes, this.#at + 1, text);
        return true;
      }
      case 'boolean':
        bytes[this.#at] = ANY_BOOL;
        bytes[this.#at + 1] = value ? 1 : 0;
        this.#at += 2;
        return true;
      case 'number':
        if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
          bytes[this.#at] = ANY_INT;
          this.#at = writeInt64(bytes, this.#at + 1, value);
          return true;
        }
        return this.#writeDouble(value);
      case 'bigint':
        if (!isInt64(value)) return false;
        bytes[this.#at] = ANY_INT;
        this.#at = writeInt64BigInt(bytes, this.#at + 1, value);
        return true;
      case 'object':
        return value === null || this.#writeObject(value, depth);
      case 'undefined':
        // A hole in an array keeps its place, as in JSON.
        return true;
      default:
        return false;
    }
  }

  #writeObject(value: object, depth: number): boolean {
    if (value instanceof Double) return this.#writeDouble(value.value);
    if (value instanceof Uint8Array) return this.#writeBytes(value);
    if (depth === MAX_DEPTH) return false;
    if (Array.isArray(value)) {
      const start = this.#open(ANY_ARRAY);
      for (let index = 0; index < value.length; index++) {
        const item = this.#open(ARRAY_VALUES);
        if (!this.#write(value[index], depth + 1) || !this.#close(item)) return false;
      }
      return this.#close(start);
    }
    if (!isPlain(value)) return false;
    const start = this.#open(ANY_KVLIST);
    for (const key of Object.keys(value)) {
      const item = (value as Readonly<Record<string, unknown>>)[key];
      if (item === undefined) continue;
      if (!this.#reserve(stringRoom(key.length) + 8)) return false;
      const pair = this.#open(KVLIST_VALUES);
      this.bytes[this.#at] = KEY_VALUE_KEY;
      this.#at = writeString(this.bytes, this.#at + 1, key);
      const inner = this.#open(KEY_VALUE_VALUE);
      if (!this.#write(item, depth + 1) || !this.#close(inner) || !this.#close(pair)) return false;
    }
    return this.#close(start);
  }

  #writeDouble(value: number): boolean {
    this.bytes[this.#at] = ANY_DOUBLE;
    this.#at = writeDouble(this.bytes, this.#at + 1, value);
    return true;
  }

  #writeBytes(value: Uint8Array): boolean {
    const length = Math.min(value.length, this.#maxUnits);
    if (!this.#reserve(length + 6)) return false;
    this.bytes[this.#at] = ANY_BYTES;
    const at = writeVarint(this.bytes, this.#at + 1, length);
    this.bytes.set(length === value.length ? value : value.subarray(0, length), at);
    this.#at = at + length;
    return true;
  }

  /** Begins a message whose length is not known: keeps a byte for it. Returns where its content begins. */
  #open(tag: number): number {
    this.#reserve(16);
    this.bytes[this.#at] = tag;
    this.#at += 2;
    return this.#at;
  }

  /** Ends a message: fills in its length, moving the content if that takes more than a byte. */
  #close(start: number): boolean {
    const length = this.#at - start;
    if (length < 0x80) {
      this.bytes[start - 1] = length;
      return true;
    }
    if (!this.#reserve(8)) return false;
    const more = varintSize(length) - 1;
    this.bytes.copyWithin(start + more, start, this.#at);
    writeVarint(this.bytes, start - 1, length);
    this.#at += more;
    return true;
  }

  #reserve(size: number): boolean {
    const needed = this.#at + size;
    if (needed <= this.bytes.length) return true;
    if (this.#at > this.#maxBytes || size > 3 * this.#maxBytes + 64) return false;
    const larger = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    larger.set(this.bytes.subarray(0, this.#at));
    this.bytes = larger;
    return true;
  }
}

/** An object literal, of this realm or another, or one without a prototype. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}
