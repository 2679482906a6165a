// How protobuf tells what follows a key, in its lower three bits.
//
// Source: https://protobuf.dev/programming-guides/encoding/#structure

/** Wire type of varints: bool, enum, int64, uint32. */
export const WIRE_VARINT = 0;
/** Wire type of 8 bytes: fixed64, double. */
export const WIRE_FIXED64 = 1;
/** Wire type of a length and as many bytes: string, bytes, messages, packed fields. */
export const WIRE_BYTES = 2;
/** Wire type that opens a group, a form that OTLP never used. */
export const WIRE_GROUP_START = 3;
/** Wire type that closes a group. */
export const WIRE_GROUP_END = 4;
/** Wire type of 4 bytes: fixed32. */
export const WIRE_FIXED32 = 5;
