import { METRIC_TYPES } from '@tracewell/otlp';
import {
  NUMBER_POINT_ATTRIBUTES,
  readFixed32,
  readVarint,
  skipVarint,
  writeDouble,
} from '@tracewell/otlp/wire';
import type { SeriesId } from '../../hot/metrics/series-id.ts';
import { ByteBuffer } from '../../parquet/byte-buffer.ts';
import type { Column } from '../../parquet/values.ts';
import { AttributeColumn } from '../attributes/attribute-column.ts';
import { skipField } from '../attributes/skip-field.ts';
import { TEMPORALITIES } from '../metrics/columns.ts';
import { type MetricHead, TYPE_VALUES } from '../metrics/row-group.ts';
import { OriginColumns } from '../origin-columns.ts';
import { BytesColumn, FlagColumn, HalvesColumn, Uint32Column } from '../row-columns.ts';
import { TextColumn } from '../text-column.ts';
import type { Rollup } from './rollup.ts';

/** What a rollup is of. */
export interface RollupPlace {
  /** As `origins` numbered them. */
  readonly resource: number;
  readonly scope: number;
  readonly series: SeriesId;
  /** When the minutes begin. */
  readonly time: bigint;
}

/** A message that has the labels of a series, under some key. */
export interface Labels {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly key: number;
}

/** The columns of a row group while rollups are added to it. It keeps its memory for the next row group. */
export class RollupRowGroup {
  readonly origins = new OriginColumns();
  readonly #names = new TextColumn();
  readonly #series = new HalvesColumn();
  readonly #times = new HalvesColumn();
  readonly #types = new Uint32Column();
  readonly #units = new TextColumn();
  readonly #temporalities = new TextColumn();
  readonly #monotonic = new FlagColumn();
  readonly #points = new HalvesColumn();
  readonly #counts = new HalvesColumn();
  readonly #sums = new HalvesColumn();
  readonly #mins = new HalvesColumn();
  readonly #maxs = new HalvesColumn();
  readonly #lasts = new HalvesColumn();
  readonly #lastTimes = new HalvesColumn();
  readonly #attributes = new AttributeColumn();
  readonly #rest = new BytesColumn();
  readonly #field = new ByteBuffer();

  /** How many rows there are. */
  get rows(): number {
    return this.#types.rows;
  }

  add(metric: MetricHead, labels: Labels, place: RollupPlace, rollup: Rollup): void {
    const { bytes, type, temporality } = metric;
    this.#names.add(bytes, metric.nameStart, metric.nameEnd);
    this.#units.add(bytes, metric.unitStart, metric.unitEnd);
    this.#types.add(METRIC_TYPES.indexOf(type));
    const hasTemporality = type !== 'gauge' && type !== 'summary';
    this.#temporalities.addText(hasTemporality ? TEMPORALITIES[temporality] : undefined);
    this.#monotonic.add(type === 'sum' ? metric.isMonotonic : undefined);
    this.#series.add(place.series.low, place.series.high);
    this.#times.addTime(...halves(place.time));
    this.#points.add(...halves(rollup.points));
    this.#counts.add(...halves(rollup.count));
    addDouble(this.#sums, rollup.sum);
    addDouble(this.#mins, rollup.min);
    addDouble(this.#maxs, rollup.max);
    addDouble(this.#lasts, rollup.last);
    this.#lastTimes.addTime(...halves(rollup.lastTime));
    this.#addLabels(labels);
    this.origins.addRow(place.resource, place.scope);
  }

  #addLabels({ bytes, start, end, key: wanted }: Labels): void {
    for (let at = start; at < end; ) {
      const key = readVarint(bytes, at);
      const head = skipVarint(bytes, at);
      at = skipField(bytes, head, key);
      if (key !== wanted) continue;
      const body = skipVarint(bytes, head);
      if (this.#attributes.add(bytes, body, at)) continue;
      const field = this.#field;
      field.length = 0;
      field.byte(NUMBER_POINT_ATTRIBUTES);
      field.varint(at - body);
      field.appendRange(bytes, body, at);
      this.#rest.keep(field.bytes, 0, field.length);
    }
    this.#attributes.endRow();
    this.#rest.endRow();
  }

  /** The columns of all rows. They are no longer good after the next `add` or `clear`. */
  columns(): Record<string, Column> {
    return {
      ...this.origins.columns(),
      name: this.#names.column(),
      series: this.#series.integers(),
      time: this.#times.integers(),
      type: this.#types.codes(TYPE_VALUES),
      unit: this.#units.column(),
      temporality: this.#temporalities.column(),
      is_monotonic: this.#monotonic.column(),
      points: this.#points.integers(),
      count: this.#counts.integers(),
      sum: this.#sums.doubles(),
      min: this.#mins.doubles(),
      max: this.#maxs.doubles(),
      last: this.#lasts.doubles(),
      last_time: this.#lastTimes.integers(),
      attributes: this.#attributes.maps(),
      attribute_types: this.#attributes.types(),
      otlp: this.#rest.column(),
    };
  }

  /** Begins anew. */
  clear(): void {
    for (const column of [
      this.origins,
      this.#names,
      this.#series,
      this.#times,
      this.#types,
      this.#units,
      this.#temporalities,
      this.#monotonic,
      this.#points,
      this.#counts,
      this.#sums,
      this.#mins,
      this.#maxs,
      this.#lasts,
      this.#lastTimes,
      this.#attributes,
      this.#rest,
    ])
      column.clear();
  }
}

/** The halves of an integer, which wraps at 64 bits. */
function halves(value: bigint): [low: number, high: number] {
  return [Number(value & 0xffff_ffffn), Number((value >> 32n) & 0xffff_ffffn)];
}

const scratch = new Uint8Array(8);

function addDouble(column: HalvesColumn, value: number | undefined): void {
  if (value === undefined) {
    column.addNull();
    return;
  }
  writeDouble(scratch, 0, value);
  column.add(readFixed32(scratch, 0), readFixed32(scratch, 4));
}
