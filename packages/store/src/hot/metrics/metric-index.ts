import { decodeMetrics, encodeMetrics, type MetricData, MetricScanner } from '@tracewell/otlp';
import type { Segment } from '../../log/types.ts';
import { RequestClaims } from '../request-claims.ts';
import type { SignalIndex } from '../signal-index.ts';
import type { PointBlock } from './block.ts';
import { loadPointIndex, savePointIndex } from './index-file.ts';
import { type PointRows, pointRows } from './point-rows.ts';
import { PointSegmentIndex } from './segment-index.ts';
import { seriesId } from './series-id.ts';
import { SeriesTable } from './series-table.ts';

/** A block with the segment index that it belongs to. */
export interface PlacedPointBlock {
  readonly index: PointSegmentIndex;
  readonly block: PointBlock;
}

/** What of a request of metrics may be stored. */
export interface AdmittedPoints {
  readonly payload: Uint8Array;
  readonly rows: PointRows;
  /** Points that are not among them, since their series would have been one too many. */
  readonly refused: number;
}

const MIN_SWEEP = 1024;

/**
 * The index of data points: every point of every segment of every writer, as rows of numbers, and their series.
 *
 * The bound on series holds where points come in: what is in a log was taken once and is always indexed. Series
 * whose segments are gone are forgotten when there is need of their place.
 */
export class MetricIndex implements SignalIndex<PointRows> {
  /** How many series there may be at most. */
  readonly maxSeries: number;
  readonly #segments = new Map<Segment, PointSegmentIndex>();
  readonly #requests = new RequestClaims();
  readonly #scanner = new MetricScanner();
  #table = new SeriesTable();
  // Whether there may be series without points, and from how many series on that matters.
  #stale = false;
  #sweepAt = MIN_SWEEP;

  constructor(maxSeries: number) {
    this.maxSeries = maxSeries;
  }

  /** The series. Another table takes its place when series are forgotten. */
  get table(): SeriesTable {
    return this.#table;
  }

  prepare(payload: Uint8Array): PointRows {
    this.#forgetSeries(this.#sweepAt);
    return pointRows(payload, this.#scanner, this.#table, Number.POSITIVE_INFINITY);
  }

  /**
   * As {@link MetricIndex.prepare}, but within the bound on series: of a request that goes beyond it, only the points
   * of series that are known are left in.
   */
  admit(payload: Uint8Array): AdmittedPoints {
    let rows = pointRows(payload, this.#scanner, this.#table, this.maxSeries);
    if (rows.refused > 0 && this.#stale) {
      this.#forgetSeries(0);
      rows = pointRows(payload, this.#scanner, this.#table, this.maxSeries);
    }
    if (rows.refused === 0) return { payload, rows, refused: 0 };
    const rest = encodeMetrics(knownPoints(decodeMetrics(payload), this.#table));
    return { payload: rest, rows: this.prepare(rest), refused: rows.refused };
  }

  addFrame(segment: Segment, payloadOffset: number, payload: Uint8Array, prepared: PointRows): void {
    // The series may have been numbered anew since.
    const rows = prepared.table === this.#table ? prepared : this.prepare(payload);
    if (rows.count === 0) return;
    this.#requests.settle(this.#segments.values());
    let index = this.#segments.get(segment);
    if (index === undefined) {
      index = new PointSegmentIndex(segment);
      this.#segments.set(segment, index);
    }
    const again = index.begin(payloadOffset);
    const claim = this.#requests.claim(rows.request, index);
    if (claim === 'own' && !again) index.copies += rows.count;
    else index.add(payloadOffset, rows, claim === "another's");
  }

  load(segment: Segment, bytes: Uint8Array): boolean {
    const blocks = loadPointIndex(bytes, this.#table);
    if (blocks === undefined) return false;
    this.#requests.settle(this.#segments.values());
    const index = new PointSegmentIndex(segment, blocks);
    this.#segments.set(segment, index);
    this.#requests.claimAll(index);
    return true;
  }

  save(segment: Segment): readonly Uint8Array[] | undefined {
    const index = this.#segments.get(segment);
    if (index === undefined) return undefined;
    index.trim();
    return savePointIndex(index.blocks, this.#table);
  }

  remove(segment: Segment): void {
    if (!this.#segments.delete(segment)) return;
    this.#requests.forget();
    this.#stale = true;
  }

  /** All blocks, in no particular order. */
  *blocks(): Generator<PlacedPointBlock> {
    this.#requests.settle(this.#segments.values());
    for (const index of this.#segments.values()) for (const block of index.blocks) yield { index, block };
  }

  /** What `health` tells of the index: points, each counted once, those that came again, series, and bytes of memory. */
  stats(): {
    readonly count: number;
    readonly copies: number;
    readonly series: number;
    readonly bytes: number;
  } {
    let count = 0;
    let copies = 0;
    for (const { block } of this.blocks()) {
      const hidden = block.requests.copiesIn(block.count);
      count += block.count - hidden;
      copies += hidden;
    }
    let bytes = this.#requests.byteLength + this.#table.byteLength;
    for (const index of this.#segments.values()) {
      copies += index.copies;
      bytes += index.byteLength;
    }
    return { count, copies, series: this.#table.size, bytes };
  }

  /** Forgets series without points, if there may be any and there are so many series. */
  #forgetSeries(from: number): void {
    if (!this.#stale || this.#table.size < from) return;
    const table = new SeriesTable();
    const numbers = new Uint32Array(this.#table.size);
    const seen = new Uint8Array(this.#table.size);
    for (const { block } of this.blocks()) {
      for (let at = 0; at < block.seriesCount; at++) {
        const series = block.seriesNumbers[at]!;
        if (seen[series] === 1) continue;
        seen[series] = 1;
        numbers[series] = table.adopt(this.#table, series);
      }
    }
    for (const index of this.#segments.values()) index.renumber(numbers);
    this.#table = table;
    this.#stale = false;
    this.#sweepAt = Math.max(MIN_SWEEP, table.size * 2);
  }
}

/** The points whose series are known. */
function knownPoints(metrics: readonly MetricData[], table: SeriesTable): MetricData[] {
  const known: MetricData[] = [];
  for (const metric of metrics) {
    const points = (metric.points as readonly MetricData['points'][number][]).filter((point) =>
      table.has(seriesId(metric, point.attributes)),
    );
    if (points.length > 0) known.push({ ...metric, points } as MetricData);
  }
  return known;
}
