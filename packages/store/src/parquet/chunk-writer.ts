import { constants, crc32, zstdCompressSync } from 'node:zlib';
import { BloomFilter } from './bloom.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { bitWidth } from './encoding/bits.ts';
import { writeDeltaBytes, writeDeltaLength, writePlainBytes } from './encoding/byte-arrays.ts';
import { writeDelta32, writeDelta64 } from './encoding/delta.ts';
import { bytesOf, writeBooleans, writePlainNumbers, writeSplit } from './encoding/numbers.ts';
import { writeRle, writeRun } from './encoding/rle.ts';
import {
  type ChunkMetadata,
  Codec,
  Encoding,
  type PageLocation,
  PageType,
  type Range,
  type Statistics,
} from './metadata.ts';
import type { Output } from './output.ts';
import { type Leaf, PhysicalType, physicalType } from './schema.ts';
import { ascendingRange, compareBounds, countOf, joinRanges, rangeOf } from './statistics.ts';
import { type BytesValues, isBytes, isDictionary, type PlainValues, type Values } from './values.ts';
import { writePageHeader } from './write-metadata.ts';

/** The values of one leaf, without nulls, and where in the rows they belong. */
export interface LeafData {
  readonly rows: number;
  readonly values: Values;
  /** Of a flat column with nulls, or of nullable lists or maps. */
  readonly valid: Uint8Array | undefined;
  /** Of lists and maps. */
  readonly offsets: Uint32Array | undefined;
}

/** How pages are made. */
export interface PageSettings {
  /** How large a page may be before compression, in bytes. One row may be larger. */
  readonly pageBytes: number;
  readonly pageRows: number;
  /** Of zstd; `undefined` for no compression. */
  readonly level: number | undefined;
}

/** A chunk that was written, and what its indexes will say. */
export interface WrittenChunk {
  readonly metadata: ChunkMetadata;
  readonly pages: readonly PageLocation[];
  /** For each page; empty if there is nothing to say of every page. */
  readonly pageStatistics: readonly Statistics[];
  readonly sorted: boolean;
  readonly bloomFilter: BloomFilter | undefined;
}

/** Writes one leaf of a row group: a dictionary page if there is a dictionary, then data pages. */
export class ChunkWriter {
  readonly #output: Output;
  readonly #settings: PageSettings;
  readonly #page = new ByteBuffer(64 * 1024);
  readonly #header = new ByteBuffer(128);
  #uncompressed = 0;

  constructor(output: Output, settings: PageSettings) {
    this.#output = output;
    this.#settings = settings;
  }

  /** @param isAscending - whether these are byte strings in ascending order, so that the range follows from the ends */
  write(leaf: Leaf, data: LeafData, isAscending: boolean): WrittenChunk {
    const output = this.#output;
    const start = output.position;
    this.#uncompressed = 0;
    const encoding = encodingOf(leaf, data.values);
    const dictionaryAt = isDictionary(data.values) ? start : undefined;
    if (isDictionary(data.values)) this.#writeDictionary(leaf, data.values.dictionary);
    const dataAt = output.position;
    const pages: PageLocation[] = [];
    const pageStatistics: Statistics[] = [];
    let isComplete = true;
    let valueCount = 0;
    let value = 0;
    for (let row = 0; row < data.rows; ) {
      const end = this.#endOfPage(leaf, data, row, value);
      const valueEnd = value + countValues(data, row, end);
      const offset = output.position;
      const entries = this.#writeDataPage(leaf, data, row, end, value, valueEnd, encoding);
      pages.push({ offset, size: output.position - offset, firstRow: row });
      valueCount += entries;
      if (leaf.statistics) {
        const range = isAscending
          ? ascendingRange(data.values, value, valueEnd)
          : rangeOf(leaf.type, data.values, value, valueEnd);
        pageStatistics.push({ range, nullCount: entries - (valueEnd - value) });
        if (range === undefined && valueEnd > value) isComplete = false;
      }
      row = end;
      value = valueEnd;
    }
    const statistics = leaf.statistics ? summary(leaf, pageStatistics, isComplete) : undefined;
    return {
      metadata: {
        encodings:
          encoding === Encoding.PLAIN ? [encoding, Encoding.RLE] : [encoding, Encoding.PLAIN, Encoding.RLE],
        codec: this.#settings.level === undefined ? Codec.NONE : Codec.ZSTD,
        valueCount,
        uncompressedSize: this.#uncompressed,
        compressedSize: output.position - start,
        dataPageOffset: dataAt,
        dictionaryPageOffset: dictionaryAt,
        statistics,
        bloomFilterOffset: undefined,
        bloomFilterLength: 0,
        offsetIndexOffset: 0,
        offsetIndexLength: 0,
        columnIndexOffset: undefined,
        columnIndexLength: 0,
      },
      pages,
      pageStatistics: isComplete ? pageStatistics : [],
      sorted: isSorted(leaf, pageStatistics),
      bloomFilter: leaf.bloomFilter ? bloomFilterOf(data.values) : undefined,
    };
  }

  /** Where the page ends that begins with `row`, whose first value is number `value`. */
  #endOfPage(leaf: Leaf, data: LeafData, row: number, value: number): number {
    const { pageRows } = this.#settings;
    const pageBytes = leaf.pageBytes ?? this.#settings.pageBytes;
    let rows = Math.min(pageRows, data.rows - row);
    for (;;) {
      const size = sizeOf(data, value, value + countValues(data, row, row + rows));
      if (size <= pageBytes || rows === 1) break;
      // As many as would fit if all were of the same size; fewer and fewer if they are not.
      rows = Math.max(1, Math.min(rows - 1, Math.floor((rows * pageBytes) / size)));
    }
    return row + rows;
  }

  #writeDictionary(leaf: Leaf, dictionary: PlainValues): void {
    const page = this.#page;
    page.length = 0;
    const count = countOf(leaf.type, dictionary);
    writeValues(page, leaf, dictionary, 0, count, Encoding.PLAIN);
    this.#finishPage(leaf, PageType.DICTIONARY, count, Encoding.PLAIN);
  }

  /** Writes the rows `row` to `end`, which have the values `from` to `to`; returns the number of entries. */
  #writeDataPage(
    leaf: Leaf,
    data: LeafData,
    row: number,
    end: number,
    from: number,
    to: number,
    encoding: Encoding,
  ): number {
    const page = this.#page;
    page.length = 0;
    let entries = end - row;
    if (data.offsets !== undefined) {
      entries = writeListLevels(page, leaf, data.offsets, data.valid, row, end);
    } else if (leaf.maxDefinition > 0) {
      const at = openLevels(page);
      if (data.valid === undefined) writeRun(page, entries, 1, 1);
      else writeRle(page, data.valid, row, end, 1);
      closeLevels(page, at);
    }
    writeValues(page, leaf, data.values, from, to, encoding);
    this.#finishPage(leaf, PageType.DATA, entries, encoding);
    return entries;
  }

  #finishPage(leaf: Leaf, type: number, valueCount: number, encoding: Encoding): void {
    const raw = this.#page.written();
    const { level } = this.#settings;
    const body = level === undefined ? raw : compress(raw, leaf.level ?? level);
    const header = this.#header;
    header.length = 0;
    writePageHeader(header, {
      type,
      uncompressedSize: raw.length,
      compressedSize: body.length,
      crc: crc32(body) | 0,
      valueCount,
      encoding,
    });
    this.#output.write(header.written());
    this.#output.write(body);
    this.#uncompressed += header.length + raw.length;
  }
}

function compress(bytes: Uint8Array, level: number): Uint8Array {
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } });
}

function encodingOf({ type, encoding }: Leaf, values: Values): Encoding {
  if (isDictionary(values)) return Encoding.RLE_DICTIONARY;
  const physical = physicalType(type);
  switch (encoding) {
    case 'delta':
      if (physical === PhysicalType.INT32 || physical === PhysicalType.INT64)
        return Encoding.DELTA_BINARY_PACKED;
      break;
    case 'split':
      if (physical === PhysicalType.DOUBLE) return Encoding.BYTE_STREAM_SPLIT;
      break;
    case 'delta-length':
      if (physical === PhysicalType.BYTE_ARRAY) return Encoding.DELTA_LENGTH_BYTE_ARRAY;
      break;
    case 'delta-bytes':
      if (physical === PhysicalType.BYTE_ARRAY) return Encoding.DELTA_BYTE_ARRAY;
      break;
    default:
  }
  return Encoding.PLAIN;
}

function writeValues(
  page: ByteBuffer,
  leaf: Leaf,
  values: Values,
  from: number,
  to: number,
  encoding: Encoding,
): void {
  if (isDictionary(values)) {
    const { codes, dictionary } = values;
    const width = codeWidth(countOf(leaf.type, dictionary));
    page.byte(width);
    writeRle(page, codes, from, to, width);
  } else if (isBytes(values)) {
    if (encoding === Encoding.DELTA_LENGTH_BYTE_ARRAY) writeDeltaLength(page, values, from, to);
    else if (encoding === Encoding.DELTA_BYTE_ARRAY) writeDeltaBytes(page, values, from, to);
    else writePlainBytes(page, values, from, to);
  } else if (values instanceof Uint8Array) {
    writeBooleans(page, values, from, to);
  } else {
    const wide = physicalType(leaf.type) === PhysicalType.INT64;
    if (encoding === Encoding.BYTE_STREAM_SPLIT) {
      writeSplit(page, bytesOf(values), 8, from, to);
    } else if (encoding === Encoding.PLAIN) {
      if (wide) writePlainNumbers(page, values, 2 * from, 2 * to);
      else writePlainNumbers(page, values, from, to);
    } else if (wide) {
      writeDelta64(page, values as Uint32Array, from, to);
    } else {
      writeDelta32(page, values as Int32Array, from, to);
    }
  }
}

/**
 * How many bits a code takes: whole bytes, because zstd finds repetitions of bytes. Attributes of the benchmark's
 * spans take 3 bytes a span less that way, and whole bytes are packed and unpacked faster.
 */
function codeWidth(size: number): number {
  const width = bitWidth(Math.max(0, size - 1));
  return Math.ceil(width / 8) * 8;
}

let definitions = new Uint8Array(4096);

/** Writes both kinds of levels of the lists in some rows; returns the number of entries. */
function writeListLevels(
  page: ByteBuffer,
  leaf: Leaf,
  offsets: Uint32Array,
  valid: Uint8Array | undefined,
  row: number,
  end: number,
): number {
  const repetitionsAt = openLevels(page);
  const entries = writeRepetitions(page, offsets, row, end);
  closeLevels(page, repetitionsAt);
  const definitionsAt = openLevels(page);
  const there = leaf.maxDefinition;
  const width = bitWidth(there);
  if (entries === offsets[end]! - offsets[row]!) {
    writeRun(page, entries, there, width);
  } else {
    if (definitions.length < entries) definitions = new Uint8Array(entries * 2);
    let entry = 0;
    for (let index = row; index < end; index++) {
      const count = offsets[index + 1]! - offsets[index]!;
      if (count === 0)
        definitions[entry++] = valid !== undefined && valid[index] === 0 ? there - 2 : there - 1;
      else for (const next = entry + count; entry < next; entry++) definitions[entry] = there;
    }
    writeRle(page, definitions, 0, entries, width);
  }
  closeLevels(page, definitionsAt);
  return entries;
}

/**
 * Writes repetition levels, 0 where a row begins and 1 elsewhere, as one packed run: all ones, then a bit cleared for
 * each row. Going through the levels one by one took a twentieth of writing a span file.
 */
function writeRepetitions(page: ByteBuffer, offsets: Uint32Array, row: number, end: number): number {
  let entries = 0;
  for (let index = row; index < end; index++) entries += offsets[index + 1]! - offsets[index]! || 1;
  const groups = (entries + 7) >>> 3;
  page.varint(groups * 2 + 1);
  page.reserve(groups);
  const { bytes, length } = page;
  bytes.fill(0xff, length, length + groups);
  let entry = 0;
  for (let index = row; index < end; index++) {
    const at = length + (entry >>> 3);
    bytes[at] = bytes[at]! & ~(1 << (entry & 7));
    entry += offsets[index + 1]! - offsets[index]! || 1;
  }
  page.length = length + groups;
  return entries;
}

function openLevels(page: ByteBuffer): number {
  page.fixed32(0);
  return page.length;
}

function closeLevels(page: ByteBuffer, at: number): void {
  const end = page.length;
  page.length = at - 4;
  page.fixed32(end - at);
  page.length = end;
}

function countValues({ valid, offsets }: LeafData, from: number, to: number): number {
  if (offsets !== undefined) return offsets[to]! - offsets[from]!;
  if (valid === undefined) return to - from;
  let count = 0;
  for (let row = from; row < to; row++) count += valid[row]!;
  return count;
}

/** About how many bytes the values `from` to `to` take in a page. */
function sizeOf({ values }: LeafData, from: number, to: number): number {
  // Reading a page makes four bytes of a code.
  if (isDictionary(values)) return (to - from) * 2;
  if (isBytes(values)) return values.offsets[to]! - values.offsets[from]! + 4 * (to - from);
  return (to - from) * 8;
}

function summary(leaf: Leaf, pages: readonly Statistics[], isComplete: boolean): Statistics {
  let range: Range | undefined;
  let nullCount = 0;
  for (const page of pages) {
    if (page.range !== undefined) range = joinRanges(leaf.type, range, page.range);
    nullCount += page.nullCount;
  }
  return { range: isComplete ? range : undefined, nullCount };
}

/** Whether no value of a page is below one of an earlier page. */
function isSorted(leaf: Leaf, pages: readonly Statistics[]): boolean {
  let before: Range | undefined;
  for (const { range } of pages) {
    if (range === undefined) continue;
    if (before !== undefined && compareBounds(leaf.type, before.max, range.min) > 0) return false;
    before = range;
  }
  return true;
}

function bloomFilterOf(values: Values): BloomFilter | undefined {
  const plain: PlainValues = isDictionary(values) ? values.dictionary : values;
  if (!isBytes(plain)) return undefined;
  const { bytes, offsets } = plain;
  const distinct = distinctNeighbours(plain);
  const filter = BloomFilter.for(distinct.length);
  for (const index of distinct) filter.add(bytes, offsets[index]!, offsets[index + 1]!);
  return filter;
}

/** The values that differ from the one before. */
function distinctNeighbours({ bytes, offsets }: BytesValues): Uint32Array {
  const distinct = new Uint32Array(offsets.length - 1);
  let count = 0;
  for (let index = 0; index < distinct.length; index++) {
    const start = offsets[index]!;
    const length = offsets[index + 1]! - start;
    let same = index > 0 && start - offsets[index - 1]! === length;
    for (let at = start; same && at < start + length; at++) same = bytes[at] === bytes[at - length];
    if (!same) distinct[count++] = index;
  }
  return distinct.subarray(0, count);
}
