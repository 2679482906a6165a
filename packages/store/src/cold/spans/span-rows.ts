import type { ParquetFile } from '../../parquet/file.ts';
import type { FlatColumn, MapColumn, Values } from '../../parquet/values.ts';
import { numbersOf, readFlat, repeatedBytes } from '../flat-column.ts';
import { KINDS, STATUS_CODES } from './columns.ts';

/** Some rows of a row group, all that spans are made of. */
export interface SpanRows {
  readonly count: number;
  readonly traceIds: Values;
  readonly spanIds: Values;
  readonly parentIds: FlatColumn;
  readonly names: Values;
  /** OTLP's numbers. */
  readonly kinds: Uint8Array;
  readonly statusCodes: Uint8Array;
  readonly statusMessages: FlatColumn;
  /** Halves. */
  readonly starts: Uint32Array;
  readonly durations: Uint32Array;
  readonly attributes: MapColumn;
  readonly attributeTypes: Values;
  readonly traceStates: FlatColumn;
  readonly flags: Int32Array;
  readonly resources: Values;
  readonly scopes: Values;
  readonly rest: FlatColumn;
}

/**
 * Reads the rows `from` to `to` of a row group.
 *
 * @param traceId - their trace id as hex digits, if all have the same and it is known
 * @throws `TracewellError` (`TW_COLD_DAMAGED`)
 */
export function readSpanRows(
  file: ParquetFile,
  group: number,
  from: number,
  to: number,
  traceId?: Uint8Array,
): SpanRows {
  const flat = (name: string): FlatColumn => readFlat(file, group, name, from, to);
  return {
    count: to - from,
    traceIds: traceId === undefined ? flat('trace_id').values : repeatedBytes(traceId, to - from),
    spanIds: flat('span_id').values,
    parentIds: flat('parent_span_id'),
    names: flat('name').values,
    kinds: numbersOf(flat('kind').values, KINDS, to - from),
    statusCodes: numbersOf(flat('status_code').values, STATUS_CODES, to - from),
    statusMessages: flat('status_message'),
    starts: flat('start_time').values as Uint32Array,
    durations: flat('duration_ns').values as Uint32Array,
    attributes: file.readColumn(group, 'attributes', from, to) as MapColumn,
    attributeTypes: flat('attribute_types').values,
    traceStates: flat('trace_state'),
    flags: flat('flags').values as Int32Array,
    resources: flat('resource').values,
    scopes: flat('scope').values,
    rest: flat('otlp'),
  };
}
