import { METRIC_TYPES } from '@tracewell/otlp';
import {
  HISTOGRAM_POINT_BUCKET_COUNTS,
  HISTOGRAM_POINT_BUCKET_COUNTS_ONE,
  HISTOGRAM_POINT_EXPLICIT_BOUNDS,
  HISTOGRAM_POINT_EXPLICIT_BOUNDS_ONE,
  METRIC_METADATA,
  NUMBER_POINT_AS_DOUBLE,
  NUMBER_POINT_AS_INT,
  POINT_COUNT,
  POINT_START_TIME,
  POINT_SUM,
  POINT_TIME,
  QUANTILE_QUANTILE,
  QUANTILE_VALUE,
  readFixed32,
  readVarint,
  SUMMARY_POINT_QUANTILE_VALUES,
  skipVarint,
  WIRE_BYTES,
  writeDouble,
} from '@tracewell/otlp/wire';
import type { SeriesId } from '../../hot/metrics/series-id.ts';
import type { RequestId } from '../../hot/request-id.ts';
import { BytesDictionary } from '../../parquet/bytes-dictionary.ts';
import type { BytesValues, Column } from '../../parquet/values.ts';
import { AttributeColumn } from '../attributes/attribute-column.ts';
import { skipField } from '../attributes/skip-field.ts';
import { OriginColumns } from '../origin-columns.ts';
import { RequestColumns } from '../request-column.ts';
import { BytesColumn, FlagColumn, HalvesColumn, ListOf64Column, Uint32Column } from '../row-columns.ts';
import { TextColumn } from '../text-column.ts';
import { TEMPORALITIES } from './columns.ts';
import { POINT_LAYOUTS } from './point-layout.ts';
import type { MetricOrigin } from './point-sorter.ts';

/** The largest number of a field that the message of any point has. */
const LAST_FIELD = 14;
/** The dictionary of types, in the order of `METRIC_TYPES`. */
export const TYPE_VALUES = typeValues();

/** What a row has beside its point and its metric. */
export interface PointPlace {
  /** As `origins` numbered them. */
  readonly resource: number;
  readonly scope: number;
  readonly series: SeriesId;
  readonly request: RequestId;
  readonly index: number;
}

/** What of a metric a row group needs. */
export type MetricHead = Omit<MetricOrigin, 'origin' | 'stream'>;

/**
 * The columns of a row group while data points are added to it, from their bytes as they came. It keeps its memory
 * for the next row group.
 */
export class PointRowGroup {
  readonly origins = new OriginColumns();
  readonly #requests = new RequestColumns();
  readonly #names = new TextColumn();
  readonly #units = new TextColumn();
  readonly #descriptions = new TextColumn();
  readonly #types = new Uint32Column();
  readonly #temporalities = new TextColumn();
  readonly #monotonic = new FlagColumn();
  readonly #metadata = new BytesColumn();
  readonly #series = new HalvesColumn();
  readonly #times = new HalvesColumn();
  readonly #startTimes = new HalvesColumn();
  readonly #values = new HalvesColumn();
  readonly #integers = new HalvesColumn();
  readonly #counts = new HalvesColumn();
  readonly #sums = new HalvesColumn();
  readonly #mins = new HalvesColumn();
  readonly #maxs = new HalvesColumn();
  readonly #bucketCounts = new ListOf64Column();
  readonly #explicitBounds = new ListOf64Column();
  readonly #quantiles = new ListOf64Column();
  readonly #quantileValues = new ListOf64Column();
  readonly #attributes = new AttributeColumn();
  readonly #flags = new Uint32Column();
  readonly #rest = new BytesColumn();

  /** How many rows there are. */
  get rows(): number {
    return this.#types.rows;
  }

  /** About how many bytes the columns take. */
  get byteLength(): number {
    return (
      this.#rest.byteLength +
      this.#attributes.byteLength +
      this.#bucketCounts.byteLength * 2 +
      this.#quantiles.byteLength * 2 +
      this.rows * 160
    );
  }

  /** Adds the message of a data point from `start` to `end`, which `MetricScanner` found. */
  add(metric: MetricHead, bytes: Uint8Array, start: number, end: number, place: PointPlace): void {
    this.#addMetric(metric);
    this.#addPoint(metric, bytes, start, end);
    this.#series.add(place.series.low, place.series.high);
    this.#requests.add(place.request, place.index);
    this.origins.addRow(place.resource, place.scope);
  }

  #addMetric(metric: MetricHead): void {
    const { bytes, type, temporality, start, end } = metric;
    this.#names.add(bytes, metric.nameStart, metric.nameEnd);
    this.#units.add(bytes, metric.unitStart, metric.unitEnd);
    this.#descriptions.addOrNull(bytes, metric.descriptionStart, metric.descriptionEnd);
    this.#types.add(METRIC_TYPES.indexOf(type));
    const hasTemporality = type !== 'gauge' && type !== 'summary';
    this.#temporalities.addText(hasTemporality ? TEMPORALITIES[temporality] : undefined);
    this.#monotonic.add(type === 'sum' ? metric.isMonotonic : undefined);
    for (let at = start; at < end; ) {
      const fieldAt = at;
      const key = readVarint(bytes, at);
      at = skipField(bytes, skipVarint(bytes, at), key);
      if (key === METRIC_METADATA) this.#metadata.keep(bytes, fieldAt, at);
    }
    this.#metadata.endRow();
  }

  #addPoint({ type }: MetricHead, bytes: Uint8Array, start: number, end: number): void {
    const { attributes, flags: flagsKey, min: minKey, max: maxKey, isNumber } = POINT_LAYOUTS[type];
    let timeAt = -1;
    let startTimeAt = -1;
    let flags = 0;
    let valueAt = -1;
    let isDouble = false;
    let countAt = -1;
    let sumAt = -1;
    let minAt = -1;
    let maxAt = -1;
    for (let at = start; at < end; ) {
      const fieldAt = at;
      const key = readVarint(bytes, at);
      at = skipVarint(bytes, at);
      const next = skipField(bytes, at, key);
      if (key === attributes) {
        if (!this.#attributes.add(bytes, skipVarint(bytes, at), next)) this.#rest.keep(bytes, fieldAt, next);
      } else if (key === POINT_TIME) timeAt = at;
      else if (key === POINT_START_TIME) startTimeAt = at;
      else if (key === flagsKey) flags = readVarint(bytes, at) >>> 0;
      else if (isNumber && (key === NUMBER_POINT_AS_DOUBLE || key === NUMBER_POINT_AS_INT)) {
        valueAt = at;
        isDouble = key === NUMBER_POINT_AS_DOUBLE;
      } else if (!isNumber && key === POINT_COUNT) countAt = at;
      else if (!isNumber && key === POINT_SUM) sumAt = at;
      else if (key === minKey) minAt = at;
      else if (key === maxKey) maxAt = at;
      else if (!this.#addToList(type, bytes, key, at, next) && key >>> 3 <= LAST_FIELD)
        this.#rest.keep(bytes, fieldAt, next);
      at = next;
    }
    this.#addTime(this.#times, POINT_TIME, bytes, timeAt);
    if (startTimeAt < 0) this.#startTimes.addNull();
    else this.#addTime(this.#startTimes, POINT_START_TIME, bytes, startTimeAt);
    this.#addValue(bytes, valueAt, isDouble);
    if (countAt < 0 && !isNumber) this.#counts.add(0, 0);
    else add(this.#counts, bytes, countAt);
    if (type === 'summary' && sumAt < 0) this.#sums.add(0, 0);
    else add(this.#sums, bytes, sumAt);
    add(this.#mins, bytes, minAt);
    add(this.#maxs, bytes, maxAt);
    this.#bucketCounts.endRow(type === 'histogram');
    this.#explicitBounds.endRow(type === 'histogram');
    this.#quantiles.endRow(type === 'summary');
    this.#quantileValues.endRow(type === 'summary');
    this.#flags.add(flags);
    this.#attributes.endRow();
    this.#rest.endRow();
  }

  #addTime(column: HalvesColumn, key: number, bytes: Uint8Array, at: number): void {
    const low = at < 0 ? 0 : readFixed32(bytes, at);
    const high = at < 0 ? 0 : readFixed32(bytes, at + 4);
    if (column.addTime(low, high)) this.#rest.keepFixed64(key, low, high);
  }

  #addValue(bytes: Uint8Array, at: number, isDouble: boolean): void {
    if (at < 0) {
      this.#values.addNull();
      this.#integers.addNull();
      return;
    }
    const low = readFixed32(bytes, at);
    const high = readFixed32(bytes, at + 4);
    if (isDouble) {
      this.#values.add(low, high);
      this.#integers.addNull();
    } else {
      this.#integers.add(low, high);
      writeDouble(scratch, 0, (high | 0) * 0x1_0000_0000 + low);
      this.#values.add(readFixed32(scratch, 0), readFixed32(scratch, 4));
    }
  }

  /** Adds the elements of a field that is one of the lists; returns whether it is. */
  #addToList(type: MetricHead['type'], bytes: Uint8Array, key: number, at: number, next: number): boolean {
    if (type === 'histogram') {
      switch (key) {
        case HISTOGRAM_POINT_BUCKET_COUNTS:
        case HISTOGRAM_POINT_BUCKET_COUNTS_ONE:
          pushAll(this.#bucketCounts, bytes, key, at, next);
          return true;
        case HISTOGRAM_POINT_EXPLICIT_BOUNDS:
        case HISTOGRAM_POINT_EXPLICIT_BOUNDS_ONE:
          pushAll(this.#explicitBounds, bytes, key, at, next);
          return true;
        default:
          return false;
      }
    }
    if (type !== 'summary' || key !== SUMMARY_POINT_QUANTILE_VALUES) return false;
    let quantileAt = -1;
    let valueAt = -1;
    for (let inner = skipVarint(bytes, at); inner < next; ) {
      const member = readVarint(bytes, inner);
      inner = skipVarint(bytes, inner);
      if (member === QUANTILE_QUANTILE) quantileAt = inner;
      else if (member === QUANTILE_VALUE) valueAt = inner;
      inner = skipField(bytes, inner, member);
    }
    push(this.#quantiles, bytes, quantileAt);
    push(this.#quantileValues, bytes, valueAt);
    return true;
  }

  /** The columns of all rows. They are no longer good after the next `add` or `clear`. */
  columns(): Record<string, Column> {
    return {
      ...this.origins.columns(),
      ...this.#requests.columns(),
      name: this.#names.column(),
      series: this.#series.integers(),
      type: this.#types.codes(TYPE_VALUES),
      unit: this.#units.column(),
      description: this.#descriptions.column(),
      temporality: this.#temporalities.column(),
      is_monotonic: this.#monotonic.column(),
      time: this.#times.integers(),
      start_time: this.#startTimes.integers(),
      value: this.#values.doubles(),
      value_int: this.#integers.integers(),
      count: this.#counts.integers(),
      sum: this.#sums.doubles(),
      min: this.#mins.doubles(),
      max: this.#maxs.doubles(),
      bucket_counts: this.#bucketCounts.integers(),
      explicit_bounds: this.#explicitBounds.doubles(),
      quantiles: this.#quantiles.doubles(),
      quantile_values: this.#quantileValues.doubles(),
      attributes: this.#attributes.maps(),
      attribute_types: this.#attributes.types(),
      flags: this.#flags.column(),
      metadata: this.#metadata.column(),
      otlp: this.#rest.column(),
    };
  }

  /** Begins anew. */
  clear(): void {
    for (const column of [
      this.origins,
      this.#requests,
      this.#names,
      this.#units,
      this.#descriptions,
      this.#types,
      this.#temporalities,
      this.#monotonic,
      this.#metadata,
      this.#series,
      this.#times,
      this.#startTimes,
      this.#values,
      this.#integers,
      this.#counts,
      this.#sums,
      this.#mins,
      this.#maxs,
      this.#bucketCounts,
      this.#explicitBounds,
      this.#quantiles,
      this.#quantileValues,
      this.#attributes,
      this.#flags,
      this.#rest,
    ])
      column.clear();
  }
}

const scratch = new Uint8Array(8);

function add(column: HalvesColumn, bytes: Uint8Array, at: number): void {
  if (at < 0) column.addNull();
  else column.add(readFixed32(bytes, at), readFixed32(bytes, at + 4));
}

function push(list: ListOf64Column, bytes: Uint8Array, at: number): void {
  if (at < 0) list.push(0, 0);
  else list.push(readFixed32(bytes, at), readFixed32(bytes, at + 4));
}

/** Adds the numbers of a field, packed or one. */
function pushAll(list: ListOf64Column, bytes: Uint8Array, key: number, at: number, next: number): void {
  const start = (key & 7) === WIRE_BYTES ? skipVarint(bytes, at) : at;
  for (let from = start; from < next; from += 8) push(list, bytes, from);
}

function typeValues(): BytesValues {
  const dictionary = new BytesDictionary();
  for (const type of METRIC_TYPES) dictionary.addText(type);
  return dictionary.values();
}
