/** The upper 32 bits of an unsigned 64-bit number, as a number. */
export function highHalf(value: bigint): number {
  return Number(value >> 32n);
}

/** The lower 32 bits of an unsigned 64-bit number, as a number. */
export function lowHalf(value: bigint): number {
  return Number(value & 0xffff_ffffn);
}
