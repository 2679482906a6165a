import { ThriftType } from './write.ts';

/** Bytes that should be Thrift's compact protocol and are not. Whoever reads a file says which one. */
export class ThriftError extends Error {}

const MAX_DEPTH = 32;

/**
 * Reads Thrift's compact protocol: `while (reader.next()) switch (reader.field) { … default: reader.skip(); }`
 * walks a struct. Never reads beyond `end`, and a list cannot claim more elements than it has bytes.
 */
export class ThriftReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #fields: number[] = [0];
  /** Where it is. */
  at: number;
  /** The number of the field that {@link next} found. */
  field = 0;
  #type = 0;

  constructor(bytes: Uint8Array, at = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.at = at;
    this.#end = end;
  }

  /** Goes to the next field of the struct; at its end returns `false` and leaves the struct. */
  next(): boolean {
    const head = this.#byte();
    if (head === 0) {
      this.#fields.pop();
      return false;
    }
    const depth = this.#fields.length - 1;
    const delta = head >>> 4;
    this.#type = head & 15;
    this.field = delta === 0 ? this.#zigzag() : this.#fields[depth]! + delta;
    this.#fields[depth] = this.field;
    return true;
  }

  bool(): boolean {
    if (this.#type === ThriftType.TRUE) return true;
    this.#expect(ThriftType.FALSE);
    return false;
  }

  byte(): number {
    this.#expect(ThriftType.BYTE);
    return this.#byte();
  }

  /** A safe integer. */
  int(): number {
    if (this.#type !== ThriftType.I16 && this.#type !== ThriftType.I32) this.#expect(ThriftType.I64);
    return this.#zigzag();
  }

  /** A view of the bytes. */
  binary(): Uint8Array {
    this.#expect(ThriftType.BINARY);
    return this.binaryElement();
  }

  string(): string {
    return Buffer.from(this.binary()).toString();
  }

  /** Goes into the struct of the field. */
  struct(): void {
    this.#expect(ThriftType.STRUCT);
    this.structElement();
  }

  /** Begins a list and returns how many elements it has. */
  list(type: number): number {
    this.#expect(ThriftType.LIST);
    const head = this.#byte();
    const found = head & 15;
    const count = head >>> 4 === 15 ? this.#varint() : head >>> 4;
    if (count > 0 && found !== type && !(found <= 2 && type <= 2))
      throw new ThriftError(`a list of ${found}`);
    if (count > this.#end - this.at) throw new ThriftError(`a list of ${count} elements`);
    return count;
  }

  boolElement(): boolean {
    return this.#byte() === ThriftType.TRUE;
  }

  intElement(): number {
    return this.#zigzag();
  }

  binaryElement(): Uint8Array {
    const length = this.#varint();
    if (length > this.#end - this.at) throw new ThriftError(`${length} bytes where less is left`);
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  stringElement(): string {
    return Buffer.from(this.binaryElement()).toString();
  }

  structElement(): void {
    if (this.#fields.length >= MAX_DEPTH) throw new ThriftError('structs nested too deep');
    this.#fields.push(0);
  }

  /** Steps over the field, whatever it is. */
  skip(): void {
    this.#skip(this.#type, 0);
  }

  #skip(type: number, depth: number): void {
    if (depth > MAX_DEPTH) throw new ThriftError('values nested too deep');
    switch (type) {
      case ThriftType.TRUE:
      case ThriftType.FALSE:
        return;
      case ThriftType.BYTE:
        this.#byte();
        return;
      case ThriftType.I16:
      case ThriftType.I32:
      case ThriftType.I64:
        this.#skipVarint();
        return;
      case ThriftType.DOUBLE:
        this.#step(8);
        return;
      case ThriftType.BINARY:
        this.binaryElement();
        return;
      case ThriftType.LIST:
      case ThriftType.SET: {
        const head = this.#byte();
        const count = head >>> 4 === 15 ? this.#varint() : head >>> 4;
        const element = head & 15;
        for (let index = 0; index < count; index++) {
          if (element <= 2) this.#byte();
          else this.#skip(element, depth + 1);
        }
        return;
      }
      case ThriftType.MAP: {
        const count = this.#varint();
        const types = count === 0 ? 0 : this.#byte();
        // Booleans outside of a field take a byte; without this bound a map of nothing could go on for ever.
        if (count > this.#end - this.at) throw new ThriftError(`a map of ${count} entries`);
        for (let index = 0; index < count; index++) {
          this.#skip(types >>> 4, depth + 1);
          this.#skip(types & 15, depth + 1);
        }
        return;
      }
      case ThriftType.STRUCT:
        for (;;) {
          const head = this.#byte();
          if (head === 0) return;
          if (head >>> 4 === 0) this.#skipVarint();
          this.#skip(head & 15, depth + 1);
        }
      default:
        throw new ThriftError(`there is no type ${type}`);
    }
  }

  #expect(type: number): void {
    if (this.#type !== type) throw new ThriftError(`field ${this.field} has the type ${this.#type}`);
  }

  #byte(): number {
    if (this.at >= this.#end) throw new ThriftError('the bytes end too early');
    return this.#bytes[this.at++]!;
  }

  #step(count: number): void {
    if (count > this.#end - this.at) throw new ThriftError('the bytes end too early');
    this.at += count;
  }

  #skipVarint(): void {
    while (this.#byte() >= 0x80);
  }

  #varint(): number {
    let value = 0;
    let unit = 1;
    for (let size = 0; size < 8; size++, unit *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
    }
    throw new ThriftError('a number beyond 53 bits');
  }

  #zigzag(): number {
    const value = this.#varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
