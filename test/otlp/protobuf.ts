// Protobuf by hand, for messages that no encoder would write.

/** A field that holds a string, bytes, or a message given by its fields. */
export function field(number: number, ...content: (readonly number[] | string)[]): number[] {
  const body = content.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part)] : [...part]));
  return [...varint((number << 3) | 2), ...varint(body.length), ...body];
}

/** A field that holds a small number. */
export function varintField(number: number, value: number): number[] {
  return [...varint(number << 3), ...varint(value)];
}

/** A field that holds 8 bytes. */
export function fixed64(number: number, value: bigint): number[] {
  const body = new DataView(new ArrayBuffer(8));
  body.setBigUint64(0, value, true);
  return [...varint((number << 3) | 1), ...new Uint8Array(body.buffer)];
}

/** An unsigned number below 2^53. */
export function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))];
}

/** A message from its fields. */
export function bytes(...fields: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from(fields.flat());
}
