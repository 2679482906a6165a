import type { ByteBuffer } from '../byte-buffer.ts';

/** The types of Thrift's compact protocol. */
export const ThriftType = {
  TRUE: 1,
  FALSE: 2,
  BYTE: 3,
  I16: 4,
  I32: 5,
  I64: 6,
  DOUBLE: 7,
  BINARY: 8,
  LIST: 9,
  SET: 10,
  MAP: 11,
  STRUCT: 12,
} as const;

/**
 * Writes Thrift's compact protocol, in which Parquet's metadata is written. Fields of a struct come in the
 * order of their numbers.
 *
 * @see https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
export class ThriftWriter {
  readonly #target: ByteBuffer;
  /** The number of the last field, for each struct that is open. */
  readonly #fields: number[] = [0];

  constructor(target: ByteBuffer) {
    this.#target = target;
  }

  bool(field: number, value: boolean): void {
    this.#field(field, value ? ThriftType.TRUE : ThriftType.FALSE);
  }

  byte(field: number, value: number): void {
    this.#field(field, ThriftType.BYTE);
    this.#target.byte(value);
  }

  i16(field: number, value: number): void {
    this.#field(field, ThriftType.I16);
    this.#target.varint(zigzag(value));
  }

  i32(field: number, value: number): void {
    this.#field(field, ThriftType.I32);
    this.#target.varint(zigzag(value));
  }

  /** A safe integer. */
  i64(field: number, value: number): void {
    this.#field(field, ThriftType.I64);
    this.#target.varint(zigzag(value));
  }

  binary(field: number, value: Uint8Array): void {
    this.#field(field, ThriftType.BINARY);
    this.binaryElement(value);
  }

  string(field: number, value: string): void {
    this.binary(field, Buffer.from(value));
  }

  /** Opens a struct as a field; {@link end} closes it. */
  struct(field: number): void {
    this.#field(field, ThriftType.STRUCT);
    this.#fields.push(0);
  }

  /** Begins a list of so many elements, which follow by the methods named after elements. */
  list(field: number, type: number, count: number): void {
    this.#field(field, ThriftType.LIST);
    if (count < 15) {
      this.#target.byte((count << 4) | type);
    } else {
      this.#target.byte(0xf0 | type);
      this.#target.varint(count);
    }
  }

  boolElement(value: boolean): void {
    this.#target.byte(value ? ThriftType.TRUE : ThriftType.FALSE);
  }

  intElement(value: number): void {
    this.#target.varint(zigzag(value));
  }

  binaryElement(value: Uint8Array): void {
    this.#target.varint(value.length);
    this.#target.append(value);
  }

  stringElement(value: string): void {
    this.binaryElement(Buffer.from(value));
  }

  /** Opens a struct as an element; {@link end} closes it. */
  structElement(): void {
    this.#fields.push(0);
  }

  /** Closes the struct that is open, the outermost one included. */
  end(): void {
    this.#target.byte(0);
    this.#fields.pop();
  }

  #field(field: number, type: number): void {
    const depth = this.#fields.length - 1;
    const delta = field - this.#fields[depth]!;
    if (delta > 0 && delta < 16) {
      this.#target.byte((delta << 4) | type);
    } else {
      this.#target.byte(type);
      this.#target.varint(zigzag(field));
    }
    this.#fields[depth] = field;
  }
}

function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}
