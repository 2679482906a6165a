import { DamagedPage } from './damaged.ts';
import type { DataPage } from './page-reader.ts';
import { type Leaf, PhysicalType, physicalType, type ValueType } from './schema.ts';
import { type BytesValues, type Column, isBytes, type PlainValues, type Values } from './values.ts';

/** The rows of some pages of one leaf. */
export interface LeafRows {
  /** Of a flat column: one for each row, whatever at nulls. Of lists and maps: the elements. */
  readonly values: Values;
  readonly valid: Uint8Array | undefined;
  /** Of lists and maps: one more than there are rows. */
  readonly offsets: Uint32Array | undefined;
}

/**
 * Puts pages of a leaf that follow each other together.
 *
 * @param rows - how many they must have
 * @throws DamagedPage
 */
export function joinPages(
  leaf: Leaf,
  pages: readonly DataPage[],
  dictionary: PlainValues | undefined,
  rows: number,
): LeafRows {
  const entries = pages.reduce((sum, page) => sum + page.entries, 0);
  const areCodes = pages.some(({ isCodes }) => isCodes);
  if (areCodes && !pages.every(({ isCodes }) => isCodes)) throw new DamagedPage('codes beside plain values');
  const dense = joinValues(areCodes, leaf.type, pages);
  const definitions = joinDefinitions(leaf, pages, entries);
  const wrap = (values: PlainValues): Values =>
    areCodes && dictionary !== undefined ? { codes: values as Uint32Array, dictionary } : values;
  if (leaf.maxRepetition === 0) {
    if (entries !== rows) throw new DamagedPage(`${entries} values for ${rows} rows`);
    if (definitions === undefined) return { values: wrap(dense), valid: undefined, offsets: undefined };
    const values = wrap(spread(areCodes, leaf.type, dense, definitions));
    return { values, valid: definitions, offsets: undefined };
  }
  return { values: wrap(dense), ...listRows(leaf, pages, definitions, rows) };
}

function joinValues(areCodes: boolean, type: ValueType, pages: readonly DataPage[]): PlainValues {
  const first = pages[0]!.values;
  if (pages.length === 1) return first;
  if (isBytes(first)) return joinBytes(pages.map(({ values }) => values as BytesValues));
  const total = pages.reduce((sum, { values }) => sum + (values as Int32Array).length, 0);
  const joined = emptyNumbers(areCodes, type, total);
  let at = 0;
  for (const { values } of pages) {
    joined.set(values as Int32Array, at);
    at += (values as Int32Array).length;
  }
  return joined;
}

function joinBytes(parts: readonly BytesValues[]): BytesValues {
  let count = 0;
  let size = 0;
  for (const { offsets } of parts) {
    count += offsets.length - 1;
    size += offsets.at(-1)! - offsets[0]!;
  }
  const bytes = new Uint8Array(size);
  const offsets = new Uint32Array(count + 1);
  let at = 0;
  let to = 0;
  for (const part of parts) {
    const first = part.offsets[0]!;
    bytes.set(part.bytes.subarray(first, part.offsets.at(-1)), to);
    for (let index = 1; index < part.offsets.length; index++)
      offsets[++at] = to + part.offsets[index]! - first;
    to = offsets[at]!;
  }
  return { bytes, offsets };
}

type NumberValues = Uint8Array | Int32Array | Uint32Array | Float64Array;

function emptyNumbers(areCodes: boolean, type: ValueType, length: number): NumberValues {
  if (areCodes) return new Uint32Array(length);
  switch (physicalType(type)) {
    case PhysicalType.BOOLEAN:
      return new Uint8Array(length);
    case PhysicalType.INT32:
      return new Int32Array(length);
    case PhysicalType.INT64:
      return new Uint32Array(length);
    default:
      return new Float64Array(length);
  }
}

function joinDefinitions(leaf: Leaf, pages: readonly DataPage[], entries: number): Uint8Array | undefined {
  if (pages.every(({ definitions }) => definitions === undefined)) return undefined;
  const joined = new Uint8Array(entries);
  let at = 0;
  for (const page of pages) {
    if (page.definitions === undefined) joined.fill(leaf.maxDefinition, at, at + page.entries);
    else joined.set(page.definitions, at);
    at += page.entries;
  }
  return joined;
}

/** Gives each value the place of its row. */
function spread(areCodes: boolean, type: ValueType, dense: PlainValues, valid: Uint8Array): PlainValues {
  const rows = valid.length;
  if (isBytes(dense)) {
    const offsets = new Uint32Array(rows + 1);
    let value = 0;
    for (let row = 0; row < rows; row++) {
      offsets[row] = dense.offsets[value]!;
      value += valid[row]!;
    }
    offsets[rows] = dense.offsets[value]!;
    return { bytes: dense.bytes, offsets };
  }
  const width = !areCodes && physicalType(type) === PhysicalType.INT64 ? 2 : 1;
  const values = emptyNumbers(areCodes, type, rows * width);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    if (valid[row] === 0) continue;
    for (let part = 0; part < width; part++) values[row * width + part] = dense[at++]!;
  }
  return values;
}

function listRows(
  leaf: Leaf,
  pages: readonly DataPage[],
  definitions: Uint8Array | undefined,
  rows: number,
): { readonly valid: Uint8Array | undefined; readonly offsets: Uint32Array } {
  const offsets = new Uint32Array(rows + 1);
  const there = leaf.maxDefinition;
  let valid: Uint8Array | undefined;
  let row = -1;
  let element = 0;
  let entry = 0;
  for (const { entries, repetitions } of pages) {
    for (let index = 0; index < entries; index++, entry++) {
      const definition = definitions === undefined ? there : definitions[entry]!;
      if (repetitions![index] === 0) {
        if (++row >= rows) throw new DamagedPage(`more lists than ${rows} rows`);
        offsets[row] = element;
        if (definition < there - 1) {
          valid ??= new Uint8Array(rows).fill(1);
          valid[row] = 0;
        }
      } else if (row < 0 || definition !== there) throw new DamagedPage('a list goes on that never began');
      if (definition === there) element++;
    }
  }
  if (row !== rows - 1) throw new DamagedPage(`${row + 1} lists for ${rows} rows`);
  offsets[rows] = element;
  return { valid, offsets };
}

/** A column of its leaves. @throws DamagedPage if those of a map do not fit each other */
export function toColumn([first, second]: readonly LeafRows[]): Column {
  const { values, valid, offsets } = first!;
  if (offsets === undefined) return { values, valid };
  if (second === undefined) return { offsets, valid, elements: values };
  if (second.offsets!.some((offset, row) => offset !== offsets[row]))
    throw new DamagedPage('a map with more keys than values, or fewer');
  return { offsets, valid, keys: values, values: second.values };
}
