import { crc32, zstdDecompressSync } from 'node:zlib';
import { DamagedPage } from './damaged.ts';
import { bitWidth } from './encoding/bits.ts';
import { readDeltaBytes, readDeltaLength, readPlainBytes } from './encoding/byte-arrays.ts';
import { readDelta32, readDelta64 } from './encoding/delta.ts';
import { readBooleans, readPlainNumbers, readSplit } from './encoding/numbers.ts';
import { findZeros, onlyValue, readRle } from './encoding/rle.ts';
import { type ChunkMetadata, Codec, Encoding, PageType } from './metadata.ts';
import { readPageHeader } from './read-metadata.ts';
import { type Leaf, PhysicalType, physicalType, type ValueType } from './schema.ts';
import { countOf } from './statistics.ts';
import { isBytes, type PlainValues } from './values.ts';

/** Some rows of a data page, decoded as far as they can be without the pages beside it. */
export interface DataPage {
  /** Rows of a flat column; of lists and maps elements, and the places of those without any. */
  readonly entries: number;
  /** For each entry; absent if all of them are values. */
  readonly definitions: Uint8Array | undefined;
  /** For each entry; absent in a flat column. */
  readonly repetitions: Uint8Array | undefined;
  /** The values that are there; codes of the dictionary if `isCodes`. */
  readonly values: PlainValues;
  readonly isCodes: boolean;
}

/** Checks and unpacks the page at `start`, and says what its header said of it. */
function openPage(
  bytes: Uint8Array,
  start: number,
  chunk: ChunkMetadata,
  type: number,
): { readonly body: Uint8Array; readonly valueCount: number; readonly encoding: number } {
  const { header, bodyAt } = readPageHeader(bytes, start);
  const { compressedSize, uncompressedSize, valueCount, encoding } = header;
  if (header.type !== type) throw new DamagedPage(`a page of type ${header.type} instead of ${type}`);
  if (compressedSize < 0 || compressedSize > bytes.length - bodyAt)
    throw new DamagedPage('a page ends too early');
  if (uncompressedSize < 0 || uncompressedSize > chunk.uncompressedSize)
    throw new DamagedPage(`a page of ${uncompressedSize} bytes in a chunk of ${chunk.uncompressedSize}`);
  if (type === PageType.DATA && (valueCount < 0 || valueCount > chunk.valueCount))
    throw new DamagedPage(`a page of ${valueCount} values in a chunk of ${chunk.valueCount}`);
  const packed = bytes.subarray(bodyAt, bodyAt + compressedSize);
  if (header.crc !== undefined && (crc32(packed) | 0) !== header.crc)
    throw new DamagedPage('a wrong checksum');
  const body = chunk.codec === Codec.NONE ? packed : unpack(packed, uncompressedSize);
  if (body.length !== uncompressedSize)
    throw new DamagedPage(`a page of ${body.length} bytes instead of ${uncompressedSize}`);
  return { body, valueCount, encoding };
}

function unpack(packed: Uint8Array, size: number): Uint8Array {
  if (size === 0) return new Uint8Array(0);
  try {
    // One piece of the right size, rather than many that are then joined: half the time.
    return zstdDecompressSync(packed, { chunkSize: Math.max(size, 64), maxOutputLength: size });
  } catch (cause) {
    throw new DamagedPage('a page that zstd does not unpack', { cause });
  }
}

/** Reads the dictionary page at `start`. @throws DamagedPage, ThriftError */
export function readDictionaryPage(
  bytes: Uint8Array,
  start: number,
  leaf: Leaf,
  chunk: ChunkMetadata,
): PlainValues {
  const { body, valueCount, encoding } = openPage(bytes, start, chunk, PageType.DICTIONARY);
  if (encoding !== Encoding.PLAIN || valueCount < 0) throw new DamagedPage('a dictionary that is not plain');
  return readValues(body, 0, leaf, encoding, valueCount);
}

/** Which rows of a page are wanted, and how many it has. */
export interface PageRows {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/**
 * Reads some rows of the data page at `start`; what lies before them is stepped over where it can be.
 *
 * @param dictionary - that of the chunk; codes are checked against it
 * @throws DamagedPage, ThriftError
 */
export function readDataPage(
  bytes: Uint8Array,
  start: number,
  leaf: Leaf,
  chunk: ChunkMetadata,
  dictionary: PlainValues | undefined,
  rows: PageRows,
): DataPage {
  const { body, valueCount, encoding } = openPage(bytes, start, chunk, PageType.DATA);
  let at = 0;
  let from = rows.from;
  let to = rows.to;
  let repetitions: Uint8Array | undefined;
  if (leaf.maxRepetition > 0) {
    const end = levelsEnd(body, at);
    if (rows.from > 0 || rows.to < rows.count) {
      [from, to] = findZeros(body, at + 4, end, valueCount, rows.from, rows.to);
    } else {
      to = valueCount;
    }
    repetitions = new Uint8Array(to - from);
    readRle(body, at + 4, end, 1, to - from, repetitions, from);
    at = end;
  } else if (valueCount !== rows.count) {
    throw new DamagedPage(`${valueCount} values for ${rows.count} rows`);
  }
  let firstValue = from;
  let count = to - from;
  let definitions: Uint8Array | undefined;
  if (leaf.maxDefinition > 0) {
    const end = levelsEnd(body, at);
    const width = bitWidth(leaf.maxDefinition);
    if (onlyValue(body, at + 4, end, width, valueCount) !== leaf.maxDefinition) {
      const untilTo = new Uint8Array(to);
      readRle(body, at + 4, end, width, to, untilTo);
      firstValue = countPresent(untilTo, leaf.maxDefinition, 0, from);
      count = countPresent(untilTo, leaf.maxDefinition, from, to);
      definitions = untilTo.subarray(from);
    }
    at = end;
  }
  const isCodes = encoding === Encoding.RLE_DICTIONARY;
  const values = isCodes
    ? readCodes(body, at, firstValue, count, leaf, dictionary)
    : cutValues(
        leaf.type,
        readValues(body, at, leaf, encoding, firstValue + count),
        firstValue,
        firstValue + count,
      );
  return { entries: to - from, definitions, repetitions, values, isCodes };
}

function levelsEnd(body: Uint8Array, at: number): number {
  if (at + 4 > body.length) throw new DamagedPage('levels end too early');
  const size = (body[at]! | (body[at + 1]! << 8) | (body[at + 2]! << 16) | (body[at + 3]! << 24)) >>> 0;
  const end = at + 4 + size;
  if (end > body.length) throw new DamagedPage('levels end too early');
  return end;
}

function countPresent(definitions: Uint8Array, there: number, from: number, to: number): number {
  let count = 0;
  for (let entry = from; entry < to; entry++) if (definitions[entry] === there) count++;
  return count;
}

/** Values `from` to `to`: a view. */
function cutValues(type: ValueType, values: PlainValues, from: number, to: number): PlainValues {
  if (isBytes(values)) return { bytes: values.bytes, offsets: values.offsets.subarray(from, to + 1) };
  const width = physicalType(type) === PhysicalType.INT64 ? 2 : 1;
  return values.subarray(from * width, to * width);
}

function readCodes(
  body: Uint8Array,
  at: number,
  first: number,
  count: number,
  leaf: Leaf,
  dictionary: PlainValues | undefined,
): Uint32Array {
  if (dictionary === undefined) throw new DamagedPage('codes without a dictionary');
  const codes = new Uint32Array(count);
  if (count === 0) return codes;
  const width = body[at];
  if (width === undefined || width > 32) throw new DamagedPage(`codes of ${width} bits`);
  readRle(body, at + 1, body.length, width, count, codes, first);
  const size = countOf(leaf.type, dictionary);
  for (let index = 0; index < count; index++) {
    if (codes[index]! >= size) throw new DamagedPage(`code ${codes[index]} in a dictionary of ${size}`);
  }
  return codes;
}

// What the values of a page may take in memory, together, when they share prefixes with each other.
const MAX_SHARED_BYTES = 64 * 1024 * 1024;

/** Reads the first `count` values of a page. */
function readValues(body: Uint8Array, at: number, leaf: Leaf, encoding: number, count: number): PlainValues {
  const end = body.length;
  const physical = physicalType(leaf.type);
  switch (encoding) {
    case Encoding.PLAIN:
      switch (physical) {
        case PhysicalType.BYTE_ARRAY:
          return readPlainBytes(body, at, end, count);
        case PhysicalType.BOOLEAN:
          return readBooleans(body, at, end, count);
        case PhysicalType.INT32:
          return new Int32Array(readPlainNumbers(body, at, end, 4, count).buffer);
        case PhysicalType.INT64:
          return new Uint32Array(readPlainNumbers(body, at, end, 8, count).buffer);
        default:
          return new Float64Array(readPlainNumbers(body, at, end, 8, count).buffer);
      }
    case Encoding.DELTA_BINARY_PACKED:
      if (physical === PhysicalType.INT32) return readDelta32(body, { at }, end, count);
      if (physical === PhysicalType.INT64) return readDelta64(body, { at }, end, count);
      break;
    case Encoding.BYTE_STREAM_SPLIT:
      if (physical === PhysicalType.DOUBLE)
        return new Float64Array(readSplit(body, at, end, 8, count).buffer);
      break;
    case Encoding.DELTA_LENGTH_BYTE_ARRAY:
      if (physical === PhysicalType.BYTE_ARRAY) return readDeltaLength(body, at, end, count);
      break;
    case Encoding.DELTA_BYTE_ARRAY:
      if (physical === PhysicalType.BYTE_ARRAY) return readDeltaBytes(body, at, end, count, MAX_SHARED_BYTES);
      break;
    default:
  }
  throw new DamagedPage(`the encoding ${encoding} for a ${leaf.type}`);
}
