import { highHalf, lowHalf } from './halves.ts';
import type { RowKey } from './newest-rows.ts';

/**
 * The place of a log record or a point in the one order in which its kind is returned: newest first; within the same
 * nanosecond by the request that brought it (hot/request-id.ts), and within a request the last one first. Two rows
 * with the same key are copies of the same record. Whoever keeps records elsewhere (the cold tier) keeps the request
 * and the index with them.
 */
export interface RecordKey {
  /** Nanoseconds since the Unix epoch, unsigned 64 bits. */
  readonly timeUnixNanos: bigint;
  /** The id of the request, unsigned 64 bits. */
  readonly request: bigint;
  /** The record's place among those of the request that are stored, from 0. */
  readonly index: number;
}

/** Negative if `a` comes before `b`, positive if behind it, 0 if they are the same record. */
export function compareRecordKeys(a: RecordKey, b: RecordKey): number {
  if (a.timeUnixNanos !== b.timeUnixNanos) return a.timeUnixNanos > b.timeUnixNanos ? -1 : 1;
  if (a.request !== b.request) return a.request > b.request ? -1 : 1;
  return b.index - a.index;
}

/** Bytes of a key in a cursor. */
export const RECORD_KEY_BYTES = 8 + 8 + 4;

/** Writes a key, big-endian. */
export function writeRecordKey(bytes: Buffer, at: number, key: RecordKey): void {
  bytes.writeBigUInt64BE(key.timeUnixNanos, at);
  bytes.writeBigUInt64BE(key.request, at + 8);
  bytes.writeUInt32BE(key.index, at + 16);
}

/** Reads what {@link writeRecordKey} wrote. */
export function readRecordKey(bytes: Buffer, at: number): RecordKey {
  return {
    timeUnixNanos: bytes.readBigUInt64BE(at),
    request: bytes.readBigUInt64BE(at + 8),
    index: bytes.readUInt32BE(at + 16),
  };
}

/** A record's key as the numbers of a row. */
export function rowKeyOf(key: RecordKey): RowKey {
  return {
    timeHigh: highHalf(key.timeUnixNanos),
    timeLow: lowHalf(key.timeUnixNanos),
    first: highHalf(key.request),
    second: lowHalf(key.request),
    third: key.index,
  };
}

/** What {@link rowKeyOf} was made from. */
export function recordKeyOf({ timeHigh, timeLow, first, second, third }: RowKey): RecordKey {
  return {
    timeUnixNanos: (BigInt(timeHigh) << 32n) | BigInt(timeLow),
    request: (BigInt(first) << 32n) | BigInt(second),
    index: third,
  };
}
