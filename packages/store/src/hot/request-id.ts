import { hash } from 'node:crypto';

/**
 * What a request of log records or metrics is known by: the first 64 bits of the SHA-256 of its bytes.
 *
 * Log records and points have no identity of their own: a program may well log the same line twice within the
 * millisecond that its clock can tell, and both count. What must count once is an insert that is repeated because
 * its acknowledgement got lost, and that sends the same bytes. So a record is known by its request and its place in
 * it, which also keeps records of the same millisecond in the order in which they were written. A hash that can be
 * forged would let one sender make the records of another vanish; SHA-256 costs 0.6 ns a byte.
 */
export interface RequestId {
  readonly high: number;
  readonly low: number;
}

/** The id of a request by its bytes. */
export function requestId(payload: Uint8Array): RequestId {
  const digest = hash('sha256', payload, 'buffer');
  return { high: digest.readUInt32BE(0), low: digest.readUInt32BE(4) };
}
