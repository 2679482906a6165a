// The structures of a Parquet file's footer and of its page headers, as far as our own files have them, and
// how they stand as Thrift. The numbers are those of the format.
// https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
import type { ByteBuffer } from './byte-buffer.ts';
import { ThriftReader } from './thrift/read.ts';
import { ThriftType, ThriftWriter } from './thrift/write.ts';

/** Parquet's encodings, by their numbers. */
export const Encoding = {
  PLAIN: 0,
  RLE: 3,
  DELTA_BINARY_PACKED: 5,
  DELTA_LENGTH_BYTE_ARRAY: 6,
  DELTA_BYTE_ARRAY: 7,
  RLE_DICTIONARY: 8,
  BYTE_STREAM_SPLIT: 9,
} as const;
/** One of the numbers of {@link Encoding}. */
export type Encoding = (typeof Encoding)[keyof typeof Encoding];

/** Parquet's compressions, by their numbers. */
export const Codec = { NONE: 0, ZSTD: 6 } as const;
/** One of the numbers of {@link Codec}. */
export type Codec = (typeof Codec)[keyof typeof Codec];

/** The kinds of pages, by their numbers. */
export const PageType = { DATA: 0, DICTIONARY: 2 } as const;

/** The smallest and the largest of some values, as bytes in their PLAIN encoding. */
export interface Range {
  readonly min: Uint8Array;
  readonly max: Uint8Array;
  /** Whether they are values themselves, and not cut to a bound of them. */
  readonly exact: boolean;
}

/** What is known of the values of a chunk or a page. */
export interface Statistics {
  /** Of the values that are not null; absent if there are none, or none was computed. */
  readonly range: Range | undefined;
  readonly nullCount: number;
}

/** Where a page lies. */
export interface PageLocation {
  readonly offset: number;
  /** With its header. */
  readonly size: number;
  /** Its first row, counted from that of the row group. */
  readonly firstRow: number;
}

/** One leaf of one row group. */
export interface ChunkMetadata {
  readonly encodings: readonly Encoding[];
  readonly codec: Codec;
  /** Nulls, and the places of lists and maps without entries, count too. */
  readonly valueCount: number;
  readonly uncompressedSize: number;
  readonly compressedSize: number;
  readonly dataPageOffset: number;
  readonly dictionaryPageOffset: number | undefined;
  readonly statistics: Statistics | undefined;
  readonly bloomFilterOffset: number | undefined;
  readonly bloomFilterLength: number;
  readonly offsetIndexOffset: number;
  readonly offsetIndexLength: number;
  readonly columnIndexOffset: number | undefined;
  readonly columnIndexLength: number;
}

/** Some rows. */
export interface RowGroupMetadata {
  readonly rows: number;
  /** In the order of the schema's leaves. */
  readonly chunks: readonly ChunkMetadata[];
}

/** One element of the schema, which is a tree in depth-first order. */
export interface SchemaElement {
  readonly name: string;
  /** 0 required, 1 optional, 2 repeated; absent at the root. */
  readonly repetition?: number | undefined;
  /** The physical type; absent where there are children. */
  readonly type?: number | undefined;
  readonly children?: number | undefined;
  /** The older annotation, which some readers know only. */
  readonly converted?: number | undefined;
  readonly logical?: Logical | undefined;
}

/** The annotations that our files use. */
export type Logical =
  | 'string'
  | 'json'
  | 'map'
  | 'list'
  | 'timestamp-nanos'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64';

/** What a file says of itself in its footer. */
export interface FileMetadata {
  readonly schema: readonly SchemaElement[];
  readonly rows: number;
  readonly rowGroups: readonly RowGroupMetadata[];
  readonly keyValues: ReadonlyMap<string, string>;
  readonly createdBy: string;
}

/** What else the footer says to other readers. */
export interface FooterDetails {
  /** The path and the physical type of each leaf. */
  readonly leaves: readonly { readonly path: readonly string[]; readonly physical: number }[];
  /** The leaves by which all rows are sorted, ascending, most significant first. */
  readonly sortedBy: readonly number[];
}

const LOGICAL_FIELD = { string: 1, map: 2, list: 3, timestamp: 8, integer: 10, json: 12 } as const;

/** Writes the `FileMetaData` of a footer. */
export function writeFileMetadata(target: ByteBuffer, file: FileMetadata, details: FooterDetails): void {
  const thrift = new ThriftWriter(target);
  thrift.i32(1, 2);
  thrift.list(2, ThriftType.STRUCT, file.schema.length);
  for (const element of file.schema) writeSchemaElement(thrift, element);
  thrift.i64(3, file.rows);
  thrift.list(4, ThriftType.STRUCT, file.rowGroups.length);
  for (const [number, group] of file.rowGroups.entries()) writeRowGroup(thrift, group, number, details);
  thrift.list(5, ThriftType.STRUCT, file.keyValues.size);
  for (const [key, value] of file.keyValues) {
    thrift.structElement();
    thrift.string(1, key);
    thrift.string(2, value);
    thrift.end();
  }
  thrift.string(6, file.createdBy);
  // Every leaf's smallest and largest value are meant in the order of its type.
  thrift.list(7, ThriftType.STRUCT, details.leaves.length);
  for (let leaf = 0; leaf < details.leaves.length; leaf++) {
    thrift.structElement();
    thrift.struct(1);
    thrift.end();
    thrift.end();
  }
  thrift.end();
}

function writeSchemaElement(thrift: ThriftWriter, element: SchemaElement): void {
  thrift.structElement();
  if (element.type !== undefined) thrift.i32(1, element.type);
  if (element.repetition !== undefined) thrift.i32(3, element.repetition);
  thrift.string(4, element.name);
  if (element.children !== undefined) thrift.i32(5, element.children);
  if (element.converted !== undefined) thrift.i32(6, element.converted);
  if (element.logical !== undefined) {
    thrift.struct(10);
    writeLogical(thrift, element.logical);
    thrift.end();
  }
  thrift.end();
}

function writeLogical(thrift: ThriftWriter, logical: Logical): void {
  switch (logical) {
    case 'timestamp-nanos':
      thrift.struct(LOGICAL_FIELD.timestamp);
      // Not "adjusted to UTC": DuckDB reads such nanoseconds as microseconds. They are UTC all the same.
      thrift.bool(1, false);
      thrift.struct(2);
      thrift.struct(3);
      thrift.end();
      thrift.end();
      break;
    case 'int32':
    case 'uint32':
    case 'int64':
    case 'uint64':
      thrift.struct(LOGICAL_FIELD.integer);
      thrift.byte(1, logical.endsWith('32') ? 32 : 64);
      thrift.bool(2, !logical.startsWith('u'));
      break;
    default:
      thrift.struct(LOGICAL_FIELD[logical]);
  }
  thrift.end();
}

function writeRowGroup(
  thrift: ThriftWriter,
  group: RowGroupMetadata,
  number: number,
  details: FooterDetails,
): void {
  const { chunks } = group;
  thrift.structElement();
  thrift.list(1, ThriftType.STRUCT, chunks.length);
  for (const [leaf, chunk] of chunks.entries()) writeChunk(thrift, chunk, details.leaves[leaf]!);
  thrift.i64(
    2,
    chunks.reduce((sum, chunk) => sum + chunk.uncompressedSize, 0),
  );
  thrift.i64(3, group.rows);
  if (details.sortedBy.length > 0) {
    thrift.list(4, ThriftType.STRUCT, details.sortedBy.length);
    for (const leaf of details.sortedBy) {
      thrift.structElement();
      thrift.i32(1, leaf);
      thrift.bool(2, false);
      thrift.bool(3, false);
      thrift.end();
    }
  }
  const first = chunks[0];
  if (first !== undefined) thrift.i64(5, first.dictionaryPageOffset ?? first.dataPageOffset);
  thrift.i64(
    6,
    chunks.reduce((sum, chunk) => sum + chunk.compressedSize, 0),
  );
  if (number < 0x8000) thrift.i16(7, number);
  thrift.end();
}

function writeChunk(
  thrift: ThriftWriter,
  chunk: ChunkMetadata,
  leaf: { readonly path: readonly string[]; readonly physical: number },
): void {
  thrift.structElement();
  thrift.i64(2, 0);
  thrift.struct(3);
  thrift.i32(1, leaf.physical);
  thrift.list(2, ThriftType.I32, chunk.encodings.length);
  for (const encoding of chunk.encodings) thrift.intElement(encoding);
  thrift.list(3, ThriftType.BINARY, leaf.path.length);
  for (const name of leaf.path) thrift.stringElement(name);
  thrift.i32(4, chunk.codec);
  thrift.i64(5, chunk.valueCount);
  thrift.i64(6, chunk.uncompressedSize);
  thrift.i64(7, chunk.compressedSize);
  thrift.i64(9, chunk.dataPageOffset);
  if (chunk.dictionaryPageOffset !== undefined) thrift.i64(11, chunk.dictionaryPageOffset);
  if (chunk.statistics !== undefined) {
    const { range, nullCount } = chunk.statistics;
    thrift.struct(12);
    thrift.i64(3, nullCount);
    if (range !== undefined) {
      thrift.binary(5, range.max);
      thrift.binary(6, range.min);
      thrift.bool(7, range.exact);
      thrift.bool(8, range.exact);
    }
    thrift.end();
  }
  if (chunk.bloomFilterOffset !== undefined) {
    thrift.i64(14, chunk.bloomFilterOffset);
    thrift.i32(15, chunk.bloomFilterLength);
  }
  thrift.end();
  thrift.i64(4, chunk.offsetIndexOffset);
  thrift.i32(5, chunk.offsetIndexLength);
  if (chunk.columnIndexOffset !== undefined) {
    thrift.i64(6, chunk.columnIndexOffset);
    thrift.i32(7, chunk.columnIndexLength);
  }
  thrift.end();
}

/** Writes the `OffsetIndex` of a chunk: where its pages are. */
export function writeOffsetIndex(target: ByteBuffer, pages: readonly PageLocation[]): void {
  const thrift = new ThriftWriter(target);
  thrift.list(1, ThriftType.STRUCT, pages.length);
  for (const page of pages) {
    thrift.structElement();
    thrift.i64(1, page.offset);
    thrift.i32(2, page.size);
    thrift.i64(3, page.firstRow);
    thrift.end();
  }
  thrift.end();
}

/** Reads an `OffsetIndex`. */
export function readOffsetIndex(bytes: Uint8Array): PageLocation[] {
  const thrift = new ThriftReader(bytes);
  const pages: PageLocation[] = [];
  while (thrift.next()) {
    if (thrift.field !== 1) {
      thrift.skip();
      continue;
    }
    const count = thrift.list(ThriftType.STRUCT);
    for (let page = 0; page < count; page++) {
      let offset = 0;
      let size = 0;
      let firstRow = 0;
      thrift.structElement();
      while (thrift.next()) {
        if (thrift.field === 1) offset = thrift.int();
        else if (thrift.field === 2) size = thrift.int();
        else if (thrift.field === 3) firstRow = thrift.int();
        else thrift.skip();
      }
      pages.push({ offset, size, firstRow });
    }
  }
  return pages;
}

/** Writes the `ColumnIndex` of a chunk: what is known of the values of each page. */
export function writeColumnIndex(target: ByteBuffer, pages: readonly Statistics[], sorted: boolean): void {
  const thrift = new ThriftWriter(target);
  const nothing = new Uint8Array(0);
  thrift.list(1, ThriftType.TRUE, pages.length);
  for (const page of pages) thrift.boolElement(page.range === undefined);
  thrift.list(2, ThriftType.BINARY, pages.length);
  for (const page of pages) thrift.binaryElement(page.range?.min ?? nothing);
  thrift.list(3, ThriftType.BINARY, pages.length);
  for (const page of pages) thrift.binaryElement(page.range?.max ?? nothing);
  thrift.i32(4, sorted ? 1 : 0);
  thrift.list(5, ThriftType.I64, pages.length);
  for (const page of pages) thrift.intElement(page.nullCount);
  thrift.end();
}

/** Reads a `ColumnIndex`. Bounds of it may be cut, and are never called exact. */
export function readColumnIndex(bytes: Uint8Array): Statistics[] {
  const thrift = new ThriftReader(bytes);
  const empty: boolean[] = [];
  const mins: Uint8Array[] = [];
  const maxs: Uint8Array[] = [];
  const nulls: number[] = [];
  while (thrift.next()) {
    switch (thrift.field) {
      case 1:
        for (let left = thrift.list(ThriftType.TRUE); left > 0; left--) empty.push(thrift.boolElement());
        break;
      case 2:
        for (let left = thrift.list(ThriftType.BINARY); left > 0; left--) mins.push(thrift.binaryElement());
        break;
      case 3:
        for (let left = thrift.list(ThriftType.BINARY); left > 0; left--) maxs.push(thrift.binaryElement());
        break;
      case 5:
        for (let left = thrift.list(ThriftType.I64); left > 0; left--) nulls.push(thrift.intElement());
        break;
      default:
        thrift.skip();
    }
  }
  return empty.map((isEmpty, page) => {
    const min = mins[page];
    const max = maxs[page];
    const range = isEmpty || min === undefined || max === undefined ? undefined : { min, max, exact: false };
    return { range, nullCount: nulls[page] ?? 0 };
  });
}

/** The header of a page. */
export interface PageHeader {
  readonly type: number;
  readonly uncompressedSize: number;
  readonly compressedSize: number;
  /** CRC-32 of the page as it lies in the file, without this header; as a signed integer. */
  readonly crc: number | undefined;
  readonly valueCount: number;
  readonly encoding: number;
}

/** Writes the header of a data page (version 1) or of a dictionary page. */
export function writePageHeader(target: ByteBuffer, page: PageHeader): void {
  const thrift = new ThriftWriter(target);
  thrift.i32(1, page.type);
  thrift.i32(2, page.uncompressedSize);
  thrift.i32(3, page.compressedSize);
  if (page.crc !== undefined) thrift.i32(4, page.crc);
  thrift.struct(page.type === PageType.DICTIONARY ? 7 : 5);
  thrift.i32(1, page.valueCount);
  thrift.i32(2, page.encoding);
  if (page.type === PageType.DATA) {
    thrift.i32(3, Encoding.RLE);
    thrift.i32(4, Encoding.RLE);
  }
  thrift.end();
  thrift.end();
}

/** Reads the header of a page and says where the page begins. */
export function readPageHeader(bytes: Uint8Array, start: number): { header: PageHeader; bodyAt: number } {
  const thrift = new ThriftReader(bytes, start);
  let type = -1;
  let uncompressedSize = -1;
  let compressedSize = -1;
  let crc: number | undefined;
  let details: readonly [number, number] = [-1, -1];
  while (thrift.next()) {
    switch (thrift.field) {
      case 1:
        type = thrift.int();
        break;
      case 2:
        uncompressedSize = thrift.int();
        break;
      case 3:
        compressedSize = thrift.int();
        break;
      case 4:
        crc = thrift.int();
        break;
      case 5:
      case 7:
        thrift.struct();
        details = readTwoInts(thrift);
        break;
      default:
        thrift.skip();
    }
  }
  const [valueCount, encoding] = details;
  return { header: { type, uncompressedSize, compressedSize, crc, valueCount, encoding }, bodyAt: thrift.at };
}

/** The rest of a struct whose first two fields are integers. */
function readTwoInts(thrift: ThriftReader): readonly [number, number] {
  let first = -1;
  let second = -1;
  while (thrift.next()) {
    if (thrift.field === 1) first = thrift.int();
    else if (thrift.field === 2) second = thrift.int();
    else thrift.skip();
  }
  return [first, second];
}

/** Writes the header of a Bloom filter of so many bytes. */
export function writeBloomHeader(target: ByteBuffer, size: number): void {
  const thrift = new ThriftWriter(target);
  thrift.i32(1, size);
  // The only algorithm, hash and compression that there are.
  for (const field of [2, 3, 4]) {
    thrift.struct(field);
    thrift.struct(1);
    thrift.end();
    thrift.end();
  }
  thrift.end();
}

/** Reads the header of a Bloom filter: how many bytes follow, and where. */
export function readBloomHeader(bytes: Uint8Array): { size: number; bodyAt: number } {
  const thrift = new ThriftReader(bytes);
  let size = -1;
  while (thrift.next()) {
    if (thrift.field === 1) size = thrift.int();
    else thrift.skip();
  }
  return { size, bodyAt: thrift.at };
}

/** Reads the `FileMetaData` of a footer. */
export function readFileMetadata(bytes: Uint8Array): FileMetadata {
  const thrift = new ThriftReader(bytes);
  const schema: SchemaElement[] = [];
  const rowGroups: RowGroupMetadata[] = [];
  const keyValues = new Map<string, string>();
  let rows = 0;
  let createdBy = '';
  while (thrift.next()) {
    switch (thrift.field) {
      case 2:
        for (let left = thrift.list(ThriftType.STRUCT); left > 0; left--)
          schema.push(readSchemaElement(thrift));
        break;
      case 3:
        rows = thrift.int();
        break;
      case 4:
        for (let left = thrift.list(ThriftType.STRUCT); left > 0; left--)
          rowGroups.push(readRowGroup(thrift));
        break;
      case 5:
        for (let left = thrift.list(ThriftType.STRUCT); left > 0; left--) readKeyValue(thrift, keyValues);
        break;
      case 6:
        createdBy = thrift.string();
        break;
      default:
        thrift.skip();
    }
  }
  return { schema, rows, rowGroups, keyValues, createdBy };
}

function readKeyValue(thrift: ThriftReader, keyValues: Map<string, string>): void {
  let key = '';
  let value = '';
  thrift.structElement();
  while (thrift.next()) {
    if (thrift.field === 1) key = thrift.string();
    else if (thrift.field === 2) value = thrift.string();
    else thrift.skip();
  }
  keyValues.set(key, value);
}

function readSchemaElement(thrift: ThriftReader): SchemaElement {
  let name = '';
  let repetition: number | undefined;
  let type: number | undefined;
  let children: number | undefined;
  let converted: number | undefined;
  let logical: Logical | undefined;
  thrift.structElement();
  while (thrift.next()) {
    switch (thrift.field) {
      case 1:
        type = thrift.int();
        break;
      case 3:
        repetition = thrift.int();
        break;
      case 4:
        name = thrift.string();
        break;
      case 5:
        children = thrift.int();
        break;
      case 6:
        converted = thrift.int();
        break;
      case 10:
        logical = readLogical(thrift);
        break;
      default:
        thrift.skip();
    }
  }
  return { name, repetition, type, children, converted, logical };
}

function readLogical(thrift: ThriftReader): Logical | undefined {
  let logical: Logical | undefined;
  thrift.struct();
  while (thrift.next()) {
    switch (thrift.field) {
      case LOGICAL_FIELD.timestamp:
        thrift.skip();
        logical = 'timestamp-nanos';
        break;
      case LOGICAL_FIELD.integer:
        logical = readIntegerType(thrift);
        break;
      default: {
        const { field } = thrift;
        thrift.skip();
        if (field === LOGICAL_FIELD.string) logical = 'string';
        else if (field === LOGICAL_FIELD.json) logical = 'json';
        else if (field === LOGICAL_FIELD.map) logical = 'map';
        else if (field === LOGICAL_FIELD.list) logical = 'list';
      }
    }
  }
  return logical;
}

function readIntegerType(thrift: ThriftReader): Logical {
  let width = 0;
  let signed = true;
  thrift.struct();
  while (thrift.next()) {
    if (thrift.field === 1) width = thrift.byte();
    else if (thrift.field === 2) signed = thrift.bool();
    else thrift.skip();
  }
  return `${signed ? '' : 'u'}int${width === 32 ? 32 : 64}`;
}

function readRowGroup(thrift: ThriftReader): RowGroupMetadata {
  const chunks: ChunkMetadata[] = [];
  let rows = 0;
  thrift.structElement();
  while (thrift.next()) {
    if (thrift.field === 1) {
      for (let left = thrift.list(ThriftType.STRUCT); left > 0; left--) chunks.push(readChunk(thrift));
    } else if (thrift.field === 3) rows = thrift.int();
    else thrift.skip();
  }
  return { rows, chunks };
}

type Mutable<Shape> = { -readonly [Key in keyof Shape]: Shape[Key] };

function readChunk(thrift: ThriftReader): ChunkMetadata {
  const chunk: Mutable<ChunkMetadata> = {
    encodings: [],
    codec: Codec.NONE,
    valueCount: 0,
    uncompressedSize: 0,
    compressedSize: 0,
    dataPageOffset: 0,
    dictionaryPageOffset: undefined,
    statistics: undefined,
    bloomFilterOffset: undefined,
    bloomFilterLength: 0,
    offsetIndexOffset: 0,
    offsetIndexLength: 0,
    columnIndexOffset: undefined,
    columnIndexLength: 0,
  };
  thrift.structElement();
  while (thrift.next()) {
    switch (thrift.field) {
      case 3:
        thrift.struct();
        readChunkMetadata(thrift, chunk);
        break;
      case 4:
        chunk.offsetIndexOffset = thrift.int();
        break;
      case 5:
        chunk.offsetIndexLength = thrift.int();
        break;
      case 6:
        chunk.columnIndexOffset = thrift.int();
        break;
      case 7:
        chunk.columnIndexLength = thrift.int();
        break;
      default:
        thrift.skip();
    }
  }
  return chunk;
}

function readChunkMetadata(thrift: ThriftReader, chunk: Mutable<ChunkMetadata>): void {
  while (thrift.next()) {
    switch (thrift.field) {
      case 2: {
        const encodings: Encoding[] = [];
        for (let left = thrift.list(ThriftType.I32); left > 0; left--)
          encodings.push(thrift.intElement() as Encoding);
        chunk.encodings = encodings;
        break;
      }
      case 4:
        chunk.codec = thrift.int() as Codec;
        break;
      case 5:
        chunk.valueCount = thrift.int();
        break;
      case 6:
        chunk.uncompressedSize = thrift.int();
        break;
      case 7:
        chunk.compressedSize = thrift.int();
        break;
      case 9:
        chunk.dataPageOffset = thrift.int();
        break;
      case 11:
        chunk.dictionaryPageOffset = thrift.int();
        break;
      case 12:
        chunk.statistics = readStatistics(thrift);
        break;
      case 14:
        chunk.bloomFilterOffset = thrift.int();
        break;
      case 15:
        chunk.bloomFilterLength = thrift.int();
        break;
      default:
        thrift.skip();
    }
  }
}

function readStatistics(thrift: ThriftReader): Statistics {
  let nullCount = 0;
  let min: Uint8Array | undefined;
  let max: Uint8Array | undefined;
  let exact = true;
  thrift.struct();
  while (thrift.next()) {
    switch (thrift.field) {
      case 3:
        nullCount = thrift.int();
        break;
      case 5:
        max = thrift.binary();
        break;
      case 6:
        min = thrift.binary();
        break;
      case 7:
      case 8:
        if (!thrift.bool()) exact = false;
        break;
      default:
        thrift.skip();
    }
  }
  return { nullCount, range: min === undefined || max === undefined ? undefined : { min, max, exact } };
}
