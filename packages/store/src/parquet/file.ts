import { crc32 } from 'node:zlib';
import { TracewellError } from '@tracewell/plugin';
import type { OpenFile } from '../fs/file-system.ts';
import { BloomFilter } from './bloom.ts';
import { DamagedPage } from './damaged.ts';
import { type DictionaryCache, sharedDictionaries } from './dictionary-cache.ts';
import { joinPages, type LeafRows, toColumn } from './join-pages.ts';
import {
  type ChunkMetadata,
  Codec,
  type FileMetadata,
  type PageLocation,
  type Statistics,
} from './metadata.ts';
import { type DataPage, readDataPage, readDictionaryPage } from './page-reader.ts';
import { readBloomHeader, readColumnIndex, readFileMetadata, readOffsetIndex } from './read-metadata.ts';
import { readSchema } from './read-schema.ts';
import { type ColumnSchema, type Leaf, leavesOf, type ValueType } from './schema.ts';
import { ThriftError } from './thrift/read.ts';
import type { Column, PlainValues } from './values.ts';
import { CREATED_BY, MAGIC } from './writer.ts';

/** What is read with the end of the file in one go; most footers fit. */
const TAIL = 32 * 1024;
/** A footer is read into memory as a whole; one of 100 row groups with 50 columns takes a megabyte. */
const MAX_FOOTER = 64 * 1024 * 1024;
/** What the writer takes for a row group would have to be larger than any that makes sense. */
const MAX_GROUP_ROWS = 1 << 24;

/** The part of an open file that is needed. */
export type ReadableFile = Pick<OpenFile, 'readSync' | 'sizeSync'>;

/**
 * A Parquet file that {@link ParquetWriter} wrote. Opening it reads the footer; whatever is asked for afterwards
 * reads the pages that hold it, and nothing else.
 *
 * Everything throws `TracewellError` (`TW_COLD_DAMAGED`) with the file's path if its bytes are not what was
 * written, and never allocates what only damage asks for.
 *
 * @example
 * ```ts sketch
 * const file = ParquetFile.open(nodeFileSystem.openSync(path, 'read'), path);
 * const { values } = file.readColumn(0, 'id') as FlatColumn;
 * ```
 */
export class ParquetFile {
  /** For messages. */
  readonly path: string;
  readonly schema: readonly ColumnSchema[];
  readonly rows: number;
  /** What the writer's `finish` was given. */
  readonly keyValues: ReadonlyMap<string, string>;
  readonly #file: ReadableFile;
  readonly #metadata: FileMetadata;
  readonly #size: number;
  readonly #dictionaries: DictionaryCache;
  /** By name: the schema of a column, and the number of its first leaf. */
  readonly #columns = new Map<string, { readonly schema: ColumnSchema; readonly first: number }>();
  // By row group and leaf, when they were asked for once.
  readonly #pages = new Map<ChunkMetadata, readonly PageLocation[]>();
  readonly #pageStatistics = new Map<ChunkMetadata, readonly Statistics[]>();
  readonly #filters = new Map<ChunkMetadata, BloomFilter>();

  private constructor(
    file: ReadableFile,
    path: string,
    size: number,
    metadata: FileMetadata,
    dictionaries: DictionaryCache,
  ) {
    this.#dictionaries = dictionaries;
    this.#file = file;
    this.path = path;
    this.#size = size;
    this.#metadata = metadata;
    this.schema = readSchema(metadata.schema);
    this.rows = metadata.rows;
    this.keyValues = metadata.keyValues;
    let first = 0;
    for (const schema of this.schema) {
      this.#columns.set(schema.name, { schema, first });
      first += leavesOf(schema).length;
    }
    checkMetadata(metadata, first, size);
  }

  /**
   * Reads the footer of a file, which stays open and belongs to the caller.
   *
   * @param path - for messages
   * @param dictionaries - keeps those that were read. Default: one of 16 MiB that all files share
   * @throws `TracewellError` (`TW_COLD_DAMAGED`)
   */
  static open(
    file: ReadableFile,
    path: string,
    dictionaries: DictionaryCache = sharedDictionaries,
  ): ParquetFile {
    return guard(path, 'the footer', () => {
      const size = file.sizeSync();
      if (size < 2 * MAGIC.length + 8) throw new DamagedPage(`${size} bytes are too few for a file`);
      let tail = readAt(file, Math.max(0, size - TAIL), Math.min(size, TAIL));
      if (!MAGIC.every((byte, index) => tail[tail.length - 4 + index] === byte))
        throw new DamagedPage('it does not end as a Parquet file does');
      const length = word(tail, tail.length - 8);
      if (length > MAX_FOOTER || length + 12 + MAGIC.length > size)
        throw new DamagedPage(`a footer of ${length} bytes`);
      if (length + 12 > tail.length) tail = readAt(file, size - length - 12, length + 12);
      const start = tail.length - 8 - length;
      const bytes = tail.subarray(start, start + length);
      if (crc32(bytes) !== word(tail, start - 4)) throw new DamagedPage('a wrong checksum');
      const metadata = readFileMetadata(bytes);
      if (metadata.createdBy !== CREATED_BY) throw new DamagedPage(`written by ${metadata.createdBy}`);
      return new ParquetFile(file, path, size, metadata, dictionaries);
    });
  }

  /** How many row groups there are; they are numbered from 0. */
  get rowGroups(): number {
    return this.#metadata.rowGroups.length;
  }

  /** How many rows a row group has. */
  rowsOf(group: number): number {
    return this.#metadata.rowGroups[group]!.rows;
  }

  /** What the values of a column are. */
  typeOf(column: string): ValueType {
    return this.#column(column).schema.type;
  }

  /** What is known of the values of a flat column in a row group. Bounds are in the PLAIN encoding. */
  statistics(group: number, column: string): Statistics | undefined {
    return this.#chunk(group, column).statistics;
  }

  /** As {@link statistics}, for each page; `undefined` if that is not known. {@link pages} says which rows it has. */
  pageStatistics(group: number, column: string): readonly Statistics[] | undefined {
    const chunk = this.#chunk(group, column);
    if (chunk.columnIndexOffset === undefined) return undefined;
    let statistics = this.#pageStatistics.get(chunk);
    if (statistics === undefined) {
      const { columnIndexOffset, columnIndexLength } = chunk;
      statistics = guard(this.path, `an index of ${column}`, () =>
        readColumnIndex(this.#readChecked(columnIndexOffset, columnIndexLength)),
      );
      this.#pageStatistics.set(chunk, statistics);
    }
    return statistics;
  }

  /** Where the pages of a column, or of the keys of a map, are. */
  pages(group: number, column: string): readonly PageLocation[] {
    return this.#pagesOf(group, this.#chunk(group, column), column);
  }

  /** Whether a value may be in a column that has a Bloom filter. A column without one may have any. */
  mayHave(group: number, column: string, value: Uint8Array): boolean {
    const chunk = this.#chunk(group, column);
    if (chunk.bloomFilterOffset === undefined) return true;
    let filter = this.#filters.get(chunk);
    if (filter === undefined) {
      const { bloomFilterOffset, bloomFilterLength } = chunk;
      filter = guard(this.path, `the filter of ${column}`, () => {
        const bytes = this.#readChecked(bloomFilterOffset, bloomFilterLength);
        const { size, bodyAt } = readBloomHeader(bytes);
        if (size !== bytes.length - bodyAt || size % 32 !== 0 || size === 0)
          throw new DamagedPage(`a filter of ${size} bytes`);
        return new BloomFilter(bytes.slice(bodyAt));
      });
      this.#filters.set(chunk, filter);
    }
    return filter.mayHave(value);
  }

  /**
   * Reads the rows `from` to `to` of a column; all by default. The offsets of byte strings need not begin at 0.
   */
  readColumn(group: number, column: string, from = 0, to: number = this.rowsOf(group)): Column {
    const { schema, first } = this.#column(column);
    if (!(from >= 0 && from <= to && to <= this.rowsOf(group)))
      throw new RangeError(`rows ${from} to ${to} of ${this.rowsOf(group)}`);
    return guard(this.path, column, () => {
      const leaves = leavesOf(schema).map((leaf, index) =>
        this.#readLeaf(group, leaf, first + index, from, to),
      );
      return toColumn(leaves);
    });
  }

  /** Reads everything once and throws at the first thing that is damaged. */
  verify(): void {
    for (let group = 0; group < this.rowGroups; group++) {
      for (const { name, shape = 'flat' } of this.schema) {
        this.readColumn(group, name);
        if (shape === 'flat') this.pageStatistics(group, name);
        this.mayHave(group, name, MAGIC);
      }
    }
  }

  #readLeaf(group: number, leaf: Leaf, number: number, from: number, to: number): LeafRows {
    const chunk = this.#metadata.rowGroups[group]!.chunks[number]!;
    const locations = this.#pagesOf(group, chunk, leaf.path.join('.'));
    const dictionary = this.#dictionary(chunk, leaf, locations);
    const firstPage = pageOf(locations, from);
    const lastPage = to > from ? pageOf(locations, to - 1) : firstPage;
    const start = locations[firstPage]!.offset;
    const last = locations[lastPage]!;
    const size = last.offset + last.size - start;
    // What is unpacked from them are other bytes, so the packed ones need not be kept.
    const bytes = chunk.codec === Codec.NONE ? new Uint8Array(size) : scratchOf(size);
    fill(this.#file, bytes, start);
    const pages: DataPage[] = [];
    for (let page = firstPage; page <= lastPage; page++) {
      const { offset, firstRow } = locations[page]!;
      const end = locations[page + 1]?.firstRow ?? this.rowsOf(group);
      pages.push(
        readDataPage(bytes, offset - start, leaf, chunk, dictionary, {
          from: Math.max(0, from - firstRow),
          to: Math.min(to, end) - firstRow,
          count: end - firstRow,
        }),
      );
    }
    return joinPages(leaf, pages, dictionary, to - from);
  }

  #dictionary(chunk: ChunkMetadata, leaf: Leaf, pages: readonly PageLocation[]): PlainValues | undefined {
    const at = chunk.dictionaryPageOffset;
    if (at === undefined) return undefined;
    return this.#dictionaries.get(chunk, () =>
      readDictionaryPage(readAt(this.#file, at, pages[0]!.offset - at), 0, leaf, chunk),
    );
  }

  #pagesOf(group: number, chunk: ChunkMetadata, what: string): readonly PageLocation[] {
    let pages = this.#pages.get(chunk);
    if (pages === undefined) {
      pages = guard(this.path, `an index of ${what}`, () => {
        const read = readOffsetIndex(this.#readChecked(chunk.offsetIndexOffset, chunk.offsetIndexLength));
        checkPages(read, chunk, this.rowsOf(group), this.#size);
        return read;
      });
      this.#pages.set(chunk, pages);
    }
    return pages;
  }

  /** Bytes that have their checksum behind them. */
  #readChecked(offset: number, length: number): Uint8Array {
    if (!(offset >= 0 && length >= 0 && offset + length + 4 <= this.#size))
      throw new DamagedPage(`${length} bytes at ${offset} of ${this.#size}`);
    const bytes = readAt(this.#file, offset, length + 4);
    const body = bytes.subarray(0, length);
    if (crc32(body) !== word(bytes, length)) throw new DamagedPage('a wrong checksum');
    return body;
  }

  #column(name: string): { readonly schema: ColumnSchema; readonly first: number } {
    const column = this.#columns.get(name);
    if (column === undefined) throw new RangeError(`${this.path} has no column ${name}`);
    return column;
  }

  #chunk(group: number, column: string): ChunkMetadata {
    return this.#metadata.rowGroups[group]!.chunks[this.#column(column).first]!;
  }
}

/** Turns what a damaged file makes of its readers into the one error that says which file it is. */
function guard<Result>(path: string, what: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof DamagedPage || cause instanceof ThriftError) {
      throw new TracewellError(
        'TW_COLD_DAMAGED',
        `${path} is damaged (${what}: ${cause.message}); put it back from a copy, or remove it to go on without it`,
        { cause },
      );
    }
    if (cause instanceof Error && 'syscall' in cause) {
      throw new TracewellError('TW_COLD_DAMAGED', `${path} cannot be read: ${cause.message}`, { cause });
    }
    throw cause;
  }
}

function readAt(file: ReadableFile, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  fill(file, bytes, offset);
  return bytes;
}

function fill(file: ReadableFile, bytes: Uint8Array, offset: number): void {
  if (file.readSync(bytes, offset) !== bytes.length) throw new DamagedPage('the file ends too early');
}

const MAX_SCRATCH = 1 << 20;
let scratch = new Uint8Array(64 * 1024);

/** Memory that is used again at the next call. */
function scratchOf(size: number): Uint8Array {
  if (size > MAX_SCRATCH) return new Uint8Array(size);
  if (size > scratch.length) scratch = new Uint8Array(size);
  return scratch.subarray(0, size);
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

function checkMetadata(metadata: FileMetadata, leaves: number, size: number): void {
  let rows = 0;
  for (const group of metadata.rowGroups) {
    if (!(group.rows > 0 && group.rows <= MAX_GROUP_ROWS))
      throw new DamagedPage(`a row group of ${group.rows} rows`);
    if (group.chunks.length !== leaves) throw new DamagedPage(`${group.chunks.length} of ${leaves} columns`);
    for (const { compressedSize, dataPageOffset } of group.chunks) {
      if (!(dataPageOffset >= 0 && compressedSize >= 0 && compressedSize <= size && dataPageOffset <= size))
        throw new DamagedPage('a column outside of the file');
    }
    rows += group.rows;
  }
  if (rows !== metadata.rows) throw new DamagedPage(`${rows} rows instead of ${metadata.rows}`);
}

function checkPages(pages: readonly PageLocation[], chunk: ChunkMetadata, rows: number, size: number): void {
  let offset = chunk.dataPageOffset;
  let row = 0;
  for (const [number, page] of pages.entries()) {
    const inOrder = number === 0 ? page.firstRow === 0 : page.firstRow > row;
    if (!inOrder || page.firstRow >= rows || page.offset !== offset || page.size <= 0)
      throw new DamagedPage(`page ${number} is not where it should be`);
    row = page.firstRow;
    offset += page.size;
  }
  if (pages.length === 0 || offset > size) throw new DamagedPage('pages outside of the file');
}

/** The number of the page that holds a row. */
function pageOf(pages: readonly PageLocation[], row: number): number {
  let low = 0;
  let high = pages.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (pages[middle]!.firstRow <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}
