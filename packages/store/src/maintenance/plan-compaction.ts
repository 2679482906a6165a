import type { Segment } from '../log/types.ts';

/** When segments go cold. */
export interface HotLimits {
  /** A segment whose last frame is older than this goes cold. */
  readonly maxAgeMs: number;
  /** When the segments together are larger, the oldest go cold. */
  readonly maxBytes: number;
}

/** What {@link planCompaction} needs to know of the log. */
export interface LogView {
  readonly segments: Iterable<Segment>;
  /** When the last frame of a segment was written, in milliseconds since the Unix epoch. */
  readonly modifiedMs: (segment: Segment) => number;
  /** Whether somebody still needs the segment where it is. */
  readonly isHeld: (segment: Segment) => boolean;
}

/** So many bytes of segments become files together: a thread holds them in memory. */
const BATCH_BYTES = 64 * 1024 * 1024;

/**
 * Which segments go cold now, in batches: sealed ones, of each log the oldest first and never the last one, so that
 * the log goes on counting where it was.
 *
 * @param limits - `undefined` for all of them
 */
export function planCompaction(log: LogView, limits: HotLimits | undefined, nowMs: number): Segment[][] {
  const queues = candidates(log);
  const due: { readonly segment: Segment; readonly modifiedMs: number }[] = [];
  let bytes = 0;
  for (const segment of log.segments) bytes += segment.bytes;
  for (const queue of queues) {
    for (const segment of queue) due.push({ segment, modifiedMs: log.modifiedMs(segment) });
  }
  // Stable, and the times of a log ascend, so the order within a log stays.
  due.sort((a, b) => a.modifiedMs - b.modifiedMs);
  const chosen: Segment[] = [];
  for (const { segment, modifiedMs } of due) {
    const isDue = limits === undefined || nowMs - modifiedMs >= limits.maxAgeMs || bytes > limits.maxBytes;
    if (!isDue) break;
    chosen.push(segment);
    bytes -= segment.bytes;
  }
  return batches(inOrder(chosen));
}

/** The sealed segments of each log from its beginning, but for its last one, up to the first that is held. */
function candidates({ segments, isHeld }: LogView): Segment[][] {
  const logs = Map.groupBy(segments, ({ writer }) => writer);
  return [...logs.values()].map((log) => {
    const ascending = [...log].sort((a, b) => a.number - b.number);
    const stop = ascending.findIndex((segment) => !segment.sealed || isHeld(segment));
    return ascending.slice(0, Math.min(stop < 0 ? ascending.length : stop, ascending.length - 1));
  });
}

/** The clock may have gone back: within a log the number decides, whatever the times say. */
function inOrder(segments: readonly Segment[]): Segment[] {
  const queues = Map.groupBy(segments, ({ writer }) => writer);
  for (const queue of queues.values()) queue.sort((a, b) => a.number - b.number);
  return segments.map(({ writer }) => queues.get(writer)!.shift()!);
}

function batches(segments: readonly Segment[]): Segment[][] {
  const all: Segment[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const segment of segments) {
    if (bytes + segment.bytes > BATCH_BYTES) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1)!.push(segment);
    bytes += segment.bytes;
  }
  return all;
}
