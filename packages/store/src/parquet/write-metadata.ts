import type { ByteBuffer } from './byte-buffer.ts';
import {
  type ChunkMetadata,
  Encoding,
  type FileMetadata,
  type FooterDetails,
  LOGICAL_FIELD,
  type Logical,
  type PageHeader,
  type PageLocation,
  PageType,
  type RowGroupMetadata,
  type SchemaElement,
  type Statistics,
} from './metadata.ts';
import { ThriftType, ThriftWriter } from './thrift/write.ts';

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
