// Columns that files of several signals have, while a row group is being built. Each is cleared and used again.

import { ByteBuffer } from '../parquet/byte-buffer.ts';
import { GrowingUint32 } from '../parquet/growing.ts';
import type { BytesValues, FlatColumn, ListColumn } from '../parquet/values.ts';

const MAX_HIGH = 0x7fff_ffff;
const MAX_LOW = 0xffff_ffff;

// The ASCII digits of a byte, as they stand in memory.
const HEX = new Uint8Array(512);
for (let byte = 0; byte < 256; byte++) Buffer.from(byte.toString(16).padStart(2, '0')).copy(HEX, byte * 2);

/** Ids as hex digits, or none. */
export class IdColumn {
  readonly #digits = new ByteBuffer(1 << 16);
  readonly #offsets = new GrowingUint32(1 << 12);
  readonly #valid = new ByteBuffer(1 << 12);

  constructor() {
    this.#offsets.push(0);
  }

  /** Adds the row of an id of so many bytes; none at -1. */
  add(bytes: Uint8Array, at: number, count: number): void {
    if (at >= 0) {
      const target = this.#digits;
      target.reserve(2 * count);
      const { bytes: out } = target;
      let to = target.length;
      for (let from = at; from < at + count; from++) {
        const digits = 2 * bytes[from]!;
        out[to++] = HEX[digits]!;
        out[to++] = HEX[digits + 1]!;
      }
      target.length = to;
    }
    this.#valid.byte(at >= 0 ? 1 : 0);
    this.#offsets.push(this.#digits.length);
  }

  column(): FlatColumn {
    return {
      values: { bytes: this.#digits.written(), offsets: this.#offsets.view() },
      valid: this.#valid.written(),
    };
  }

  clear(): void {
    this.#digits.length = 0;
    this.#valid.length = 0;
    this.#offsets.length = 1;
  }
}

/** Values of 8 bytes by the halves of their bits, or none: integers, times, doubles. */
export class HalvesColumn {
  readonly #halves = new GrowingUint32(1 << 12);
  readonly #valid = new ByteBuffer(1 << 11);

  add(low: number, high: number): void {
    this.#halves.push(low);
    this.#halves.push(high);
    this.#valid.byte(1);
  }

  addNull(): void {
    this.#halves.push(0);
    this.#halves.push(0);
    this.#valid.byte(0);
  }

  /** Adds the row of a time, which Parquet has with a sign. @returns whether it had to be cut */
  addTime(low: number, high: number): boolean {
    const isCut = high > MAX_HIGH;
    this.add(isCut ? MAX_LOW : low, isCut ? MAX_HIGH : high);
    return isCut;
  }

  /** As {@link addTime}; a time of 0 is none. */
  addTimeOrNull(low: number, high: number): boolean {
    if (low !== 0 || high !== 0) return this.addTime(low, high);
    this.addNull();
    return false;
  }

  /** The column of integers or times. */
  integers(): FlatColumn {
    return { values: this.#halves.view(), valid: this.#valid.written() };
  }

  /** The column of doubles. */
  doubles(): FlatColumn {
    const halves = this.#halves.view();
    return {
      values: new Float64Array(halves.buffer, halves.byteOffset, halves.length / 2),
      valid: this.#valid.written(),
    };
  }

  clear(): void {
    this.#halves.length = 0;
    this.#valid.length = 0;
  }
}

/** Numbers of 32 bits. */
export class Uint32Column {
  readonly #numbers = new GrowingUint32(1 << 12);

  get rows(): number {
    return this.#numbers.length;
  }

  add(number: number): void {
    this.#numbers.push(number);
  }

  column(): FlatColumn {
    const numbers = this.#numbers.view();
    return { values: new Int32Array(numbers.buffer, numbers.byteOffset, numbers.length) };
  }

  /** The numbers as codes of a dictionary. */
  codes(dictionary: BytesValues): FlatColumn {
    return { values: { codes: this.#numbers.view(), dictionary } };
  }

  clear(): void {
    this.#numbers.length = 0;
  }
}

/** `true`, `false`, or none. */
export class FlagColumn {
  readonly #flags = new ByteBuffer(1 << 12);
  readonly #valid = new ByteBuffer(1 << 12);

  add(flag: boolean | undefined): void {
    this.#flags.byte(flag === true ? 1 : 0);
    this.#valid.byte(flag === undefined ? 0 : 1);
  }

  column(): FlatColumn {
    return { values: this.#flags.written(), valid: this.#valid.written() };
  }

  clear(): void {
    this.#flags.length = 0;
    this.#valid.length = 0;
  }
}

/** Lists of numbers of 8 bytes, by the halves of their bits, or none. */
export class ListOf64Column {
  readonly #halves = new GrowingUint32(1 << 12);
  readonly #offsets = new GrowingUint32(1 << 12);
  readonly #valid = new ByteBuffer(1 << 12);

  constructor() {
    this.#offsets.push(0);
  }

  get byteLength(): number {
    return this.#halves.length * 4;
  }

  /** Adds an element to the row. */
  push(low: number, high: number): void {
    this.#halves.push(low);
    this.#halves.push(high);
  }

  /** Ends the row. @param isThere - whether it is a list at all; otherwise it must have no elements */
  endRow(isThere: boolean): void {
    this.#offsets.push(this.#halves.length / 2);
    this.#valid.byte(isThere ? 1 : 0);
  }

  /** The column of integers. */
  integers(): ListColumn {
    return { offsets: this.#offsets.view(), valid: this.#valid.written(), elements: this.#halves.view() };
  }

  /** The column of doubles. */
  doubles(): ListColumn {
    const halves = this.#halves.view();
    const elements = new Float64Array(halves.buffer, halves.byteOffset, halves.length / 2);
    return { offsets: this.#offsets.view(), valid: this.#valid.written(), elements };
  }

  clear(): void {
    this.#halves.length = 0;
    this.#offsets.length = 1;
    this.#valid.length = 0;
  }
}

/** Byte strings that do not repeat themselves, put together piece by piece; an empty one is none. */
export class BytesColumn {
  readonly #bytes = new ByteBuffer(1 << 12);
  readonly #ends = new GrowingUint32(1 << 12);

  constructor() {
    this.#ends.push(0);
  }

  get byteLength(): number {
    return this.#bytes.length;
  }

  /** Appends bytes to the row. */
  keep(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes.appendRange(bytes, start, end);
  }

  /** Appends a field of 8 bytes to the row. */
  keepFixed64(key: number, low: number, high: number): void {
    this.#bytes.byte(key);
    this.#bytes.fixed32(low);
    this.#bytes.fixed32(high);
  }

  endRow(): void {
    this.#ends.push(this.#bytes.length);
  }

  column(): FlatColumn {
    const offsets = this.#ends.view();
    const valid = new Uint8Array(offsets.length - 1);
    for (let row = 0; row < valid.length; row++) valid[row] = offsets[row + 1]! > offsets[row]! ? 1 : 0;
    return { values: { bytes: this.#bytes.written(), offsets }, valid };
  }

  clear(): void {
    this.#bytes.length = 0;
    this.#ends.length = 1;
  }
}
