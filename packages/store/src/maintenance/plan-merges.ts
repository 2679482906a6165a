import type { ColdFile } from '../meta/catalog.ts';

/** So many files of a partition and of about the same size become one. */
const FAN_IN = 8;
/** Files of this size are not merged any more: reading one takes no longer than it has to. */
const LARGE_BYTES = 128 * 1024 * 1024;
/** Sizes of one class differ by this factor at most. Below the smallest, all are of one class. */
const CLASS_FACTOR = 8;
const SMALLEST_BYTES = 1024 * 1024;

/**
 * Which files become one next, the smallest first. Each row is written again a few times in its life, once for each
 * class of sizes.
 */
export function planMerges(files: readonly ColdFile[]): ColdFile[][] {
  const classes = Map.groupBy(
    files.filter(({ bytes, damage }) => damage === undefined && bytes < LARGE_BYTES),
    ({ signal, partition, bytes }) => `${signal}/${partition}/${classOf(bytes)}`,
  );
  return [...classes.values()]
    .filter((group) => group.length >= FAN_IN)
    .map((group) => group.sort((a, b) => a.bytes - b.bytes).slice(0, FAN_IN))
    .sort((a, b) => a[0]!.bytes - b[0]!.bytes);
}

function classOf(bytes: number): number {
  return Math.ceil(Math.log(Math.max(1, bytes / SMALLEST_BYTES)) / Math.log(CLASS_FACTOR));
}
