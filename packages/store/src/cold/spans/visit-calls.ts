import { readUtf8 } from '@tracewell/otlp/wire';
import { SpanKind } from '@tracewell/plugin';
import type { CallVisitor } from '../../analysis/dependencies.ts';
import { TARGET_KEYS, type Targets } from '../../analysis/targets.ts';
import type { Operations } from '../../hot/spans/operations.ts';
import { FLAG_KIND_SHIFT, FLAG_ROOT } from '../../hot/spans/row.ts';
import type { ParquetFile } from '../../parquet/file.ts';
import type { BytesValues, MapColumn, Values } from '../../parquet/values.ts';
import type { TimeWindow } from '../../query/check.ts';
import { bytesAt, readFlat } from '../flat-column.ts';
import { type TextAt, textAt } from '../text-at.ts';
import type { SpanFile } from './span-file.ts';
import { readSpanIdNumbers, readSpanNumbers } from './span-numbers.ts';
import { readOperations } from './visit-spans.ts';

/** The letter of `attribute_types` for a text. */
const TEXT = 0x73;

/**
 * Calls `visit` for every span of a file that started in the window and whose trace is wanted, with numbers as the
 * hot tier's `visitCalls` does. Yields after each row group, so that others can have their turn.
 *
 * @param hidden - rows to pass over, counted over all row groups
 * @throws `TracewellError` (`TW_COLD_DAMAGED`)
 */
export function* visitCallsOfFile(
  { parquet }: SpanFile,
  { minStart, maxStart }: TimeWindow,
  operations: Operations,
  targets: Targets,
  isWanted: (traceLow: number) => boolean,
  visit: CallVisitor,
  hidden: ReadonlySet<number> = NONE,
): Generator<void> {
  if (minStart > maxStart) return;
  const minHigh = Number(minStart >> 32n);
  const minLow = Number(minStart & 0xffff_ffffn);
  const maxHigh = Number(maxStart >> 32n);
  const maxLow = Number(maxStart & 0xffff_ffffn);
  let before = 0;
  for (let group = 0; group < parquet.rowGroups; group++) {
    const { count, starts, durations, kinds, statusCodes } = readSpanNumbers(parquet, group);
    const { traceIds, spanIds, parentIds } = readSpanIdNumbers(parquet, group);
    const { valid: hasParent } = readFlat(parquet, group, 'parent_span_id', 0, count);
    const numbers = readOperations(parquet, group, operations);
    const durationBits = new Uint32Array(Float32Array.from(durations).buffer);
    let reader: TargetColumn | undefined;
    for (let row = 0; row < count; row++) {
      const high = starts[2 * row + 1]!;
      const low = starts[2 * row]!;
      if (high < minHigh || (high === minHigh && low < minLow)) continue;
      if (high > maxHigh || (high === maxHigh && low > maxLow)) continue;
      const traceLow = traceIds[2 * row + 1]!;
      if (!isWanted(traceLow) || (hidden.size > 0 && hidden.has(before + row))) continue;
      const kind = kinds[row]!;
      let target = 0;
      if (kind === SpanKind.CLIENT || kind === SpanKind.PRODUCER) {
        reader ??= new TargetColumn(parquet, group, count, targets);
        target = reader.target(row);
      }
      const isRoot = hasParent !== undefined && hasParent[row] === 0;
      visit(
        numbers[row]!,
        statusCodes[row]! | (kind << FLAG_KIND_SHIFT) | (isRoot ? FLAG_ROOT : 0),
        durationBits[row]!,
        traceLow,
        spanIds[2 * row + 1]!,
        isRoot ? -1 : parentIds[2 * row + 1]!,
        target,
      );
    }
    before += count;
    yield;
  }
}

const NONE: ReadonlySet<number> = new Set();

/** What the spans of a row group call. */
class TargetColumn {
  readonly #attributes: MapColumn;
  readonly #types: Values;
  readonly #targets: Targets;
  // By the number of a key in the dictionary: its place in TARGET_KEYS plus 1, or 0.
  readonly #places: Uint8Array;
  readonly #codes: Uint32Array;

  constructor(parquet: ParquetFile, group: number, count: number, targets: Targets) {
    this.#attributes = parquet.readColumn(group, 'attributes', 0, count) as MapColumn;
    this.#types = readFlat(parquet, group, 'attribute_types', 0, count).values;
    this.#targets = targets;
    const { keys } = this.#attributes;
    if (!('codes' in keys)) throw new TypeError('keys of attributes have a dictionary');
    this.#codes = keys.codes;
    const texts = keys.dictionary as BytesValues;
    this.#places = new Uint8Array(texts.offsets.length - 1);
    for (let code = 0; code < this.#places.length; code++) {
      this.#places[code] = (TARGET_KEYS as readonly string[]).indexOf(stringAt(texts, code)) + 1;
    }
  }

  target(row: number): number {
    const { offsets, values } = this.#attributes;
    const first = offsets[row]!;
    let known: (string | undefined)[] | undefined;
    for (let entry = first; entry < offsets[row + 1]!; entry++) {
      const place = this.#places[this.#codes[entry]!]!;
      if (place === 0 || bytesAt(this.#types, row)[entry - first] !== TEXT) continue;
      const text = stringAt(values, entry);
      if (text === '') continue;
      known ??= new Array<string | undefined>(TARGET_KEYS.length).fill(undefined);
      known[place - 1] = text;
    }
    return known === undefined ? 0 : this.#targets.number(known);
  }
}

const found: TextAt = { bytes: new Uint8Array(0), start: 0, end: 0 };

function stringAt(values: Values, row: number): string {
  textAt(values, row, found);
  return readUtf8(found.bytes, found.start, found.end);
}
