import type { SpanVisitor } from '../../analysis/span-facts.ts';
import type { Operations } from '../../hot/spans/operations.ts';
import { FLAG_KIND_SHIFT, FLAG_ROOT } from '../../hot/spans/row.ts';
import type { ParquetFile } from '../../parquet/file.ts';
import type { BytesValues, FlatColumn } from '../../parquet/values.ts';
import type { TimeWindow } from '../../query/check.ts';
import { readFlat } from '../flat-column.ts';
import type { SpanFile } from './span-file.ts';
import { readSpanNumbers } from './span-numbers.ts';

/**
 * Calls `visit` for every span of a file that started in the window, with numbers as the hot tier's `visitSpans`
 * does. Yields after each row group, so that others can have their turn.
 *
 * @param operations - numbers services and names; those of the file are added
 * @param hidden - rows to leave out, counted through all row groups
 * @throws `TracewellError` (`TW_COLD_DAMAGED`)
 */
export function* visitSpanFile(
  { parquet }: SpanFile,
  { minStart, maxStart }: TimeWindow,
  operations: Operations,
  visit: SpanVisitor,
  hidden: ReadonlySet<number> = NO_ROWS,
): Generator<void> {
  if (minStart > maxStart) return;
  const minHigh = Number(minStart >> 32n);
  const minLow = Number(minStart & 0xffff_ffffn);
  const maxHigh = Number(maxStart >> 32n);
  const maxLow = Number(maxStart & 0xffff_ffffn);
  let first = 0;
  for (let group = 0; group < parquet.rowGroups; group++) {
    const { count, starts, durations, kinds, statusCodes } = readSpanNumbers(parquet, group);
    const numbers = readOperations(parquet, group, operations);
    const { valid: hasParent } = readFlat(parquet, group, 'parent_span_id', 0, count);
    const durationBits = new Uint32Array(Float32Array.from(durations).buffer);
    for (let row = 0; row < count; row++) {
      const high = starts[2 * row + 1]!;
      const low = starts[2 * row]!;
      if (high < minHigh || (high === minHigh && low < minLow)) continue;
      if (high > maxHigh || (high === maxHigh && low > maxLow)) continue;
      if (hidden.size > 0 && hidden.has(first + row)) continue;
      const root = hasParent !== undefined && hasParent[row] === 0 ? FLAG_ROOT : 0;
      const flags = statusCodes[row]! | (kinds[row]! << FLAG_KIND_SHIFT) | root;
      visit(numbers[row]!, flags, high, low, durationBits[row]!);
    }
    first += count;
    yield;
  }
}

const NO_ROWS: ReadonlySet<number> = new Set();

/** The operation of each row of a row group, as a number of `operations`. */
export function readOperations(file: ParquetFile, group: number, operations: Operations): Uint32Array {
  const count = file.rowsOf(group);
  const services = codesOf(readFlat(file, group, 'service_name', 0, count));
  const names = codesOf(readFlat(file, group, 'name', 0, count));
  const { bytes: serviceBytes, offsets: serviceOffsets } = services.texts;
  const { bytes: nameBytes, offsets: nameOffsets } = names.texts;
  const nameCount = nameOffsets.length - 1;
  const numbers = new Uint32Array(count);
  const known = new Map<number, number>();
  for (let row = 0; row < count; row++) {
    const service = services.codes[row]!;
    const name = names.codes[row]!;
    const pair = service * nameCount + name;
    let number = known.get(pair);
    if (number === undefined) {
      const serviceNumber = operations.service(
        serviceBytes,
        serviceOffsets[service]!,
        serviceOffsets[service + 1]!,
      );
      number = operations.operation(serviceNumber, nameBytes, nameOffsets[name]!, nameOffsets[name + 1]!);
      known.set(pair, number);
    }
    numbers[row] = number;
  }
  return numbers;
}

/** A column of texts by dictionary, which those of span files have. */
export function codesOf({ values }: FlatColumn): {
  readonly codes: Uint32Array;
  readonly texts: BytesValues;
} {
  if (!('codes' in values)) throw new TypeError('a column of texts has a dictionary');
  return { codes: values.codes, texts: values.dictionary as BytesValues };
}
