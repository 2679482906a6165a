import {
  compareRecordKeys,
  RECORD_KEY_BYTES,
  type RecordKey,
  readRecordKey,
  writeRecordKey,
} from '../record-key.ts';

/** The place of a series in the order of series: by name, as text compares, then by the id (hot/metrics/series-id.ts). */
export interface SeriesKey {
  readonly name: string;
  /** The id of the series, unsigned 64 bits. */
  readonly series: bigint;
}

/** The place of a point in the order of points: that of its series, then newest first. */
export interface PointKey extends SeriesKey, RecordKey {}

/** Negative if series `a` comes before `b`, positive if behind it, 0 if they are the same. */
export function compareSeriesKeys(a: SeriesKey, b: SeriesKey): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.series === b.series ? 0 : a.series < b.series ? -1 : 1;
}

/** Negative if `a` comes before `b`, positive if behind it, 0 if they are the same point. */
export function comparePointKeys(a: PointKey, b: PointKey): number {
  return compareSeriesKeys(a, b) || compareRecordKeys(a, b);
}

// A cursor is the key of the last point of a page: version, id of the series, time, request and index, length of the
// name, name.
const CURSOR_VERSION = 1;
const LENGTH_AT = 1 + 8 + RECORD_KEY_BYTES;
const NAME_AT = LENGTH_AT + 4;

/** A page's cursor: opaque to who gets it. */
export function encodePointCursor(key: PointKey): string {
  const bytes = Buffer.alloc(NAME_AT + Buffer.byteLength(key.name));
  bytes[0] = CURSOR_VERSION;
  bytes.writeBigUInt64BE(key.series, 1);
  writeRecordKey(bytes, 9, key);
  bytes.writeUInt32BE(bytes.length - NAME_AT, LENGTH_AT);
  bytes.write(key.name, NAME_AT);
  return bytes.toString('base64url');
}

/** @throws RangeError if it is no cursor */
export function decodePointCursor(cursor: string): PointKey {
  const bytes = Buffer.from(cursor, 'base64url');
  if (bytes.length < NAME_AT || bytes[0] !== CURSOR_VERSION || bytes.toString('base64url') !== cursor) {
    throw new RangeError('queryMetrics: cursor must be one that an earlier page returned');
  }
  return {
    name: bytes.toString('utf8', NAME_AT),
    series: bytes.readBigUInt64BE(1),
    ...readRecordKey(bytes, 9),
  };
}
