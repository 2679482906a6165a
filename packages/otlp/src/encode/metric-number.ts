import { Double } from '@tracewell/plugin';
import type { MetricNumber } from '../data/metric.ts';
import { writeDouble, writeFixed64, writeFixed64BigInt } from '../wire/write.ts';
import { outOfRange, wrongType } from './checks.ts';
import type { Writer } from './writer.ts';

const TWO_32 = 0x1_0000_0000;

/** Appends the value of a point or exemplar: under one key if it is a `double`, under the other if an integer. */
export function writeMetricNumber(
  writer: Writer,
  at: number,
  doubleKey: number,
  integerKey: number,
  value: MetricNumber,
): number {
  if (value === undefined) return at;
  const bytes = writer.room(at, 9);
  if (isInteger(value)) {
    bytes[at] = integerKey;
    if (typeof value === 'bigint') return writeFixed64BigInt(bytes, at + 1, value);
    return writeFixed64(bytes, at + 1, value >>> 0, Math.floor(value / TWO_32) >>> 0);
  }
  bytes[at] = doubleKey;
  return writeDouble(bytes, at + 1, Number(value));
}

/**
 * Whether a value is an integer on the wire.
 *
 * @throws a `TypeError` or `RangeError` for what is no number, or none of 64 bits
 */
export function isInteger(value: Exclude<MetricNumber, undefined>): value is number | bigint {
  if (typeof value === 'number') return Number.isSafeInteger(value) && !Object.is(value, -0);
  if (typeof value === 'bigint') {
    if (BigInt.asIntN(64, value) !== value) throw outOfRange('value', 'an integer of 64 bits', value);
    return true;
  }
  if (value instanceof Double) return false;
  throw wrongType('value', 'a number, a bigint or a Double', value);
}
