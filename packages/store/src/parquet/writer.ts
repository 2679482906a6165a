import { crc32 } from 'node:zlib';
import { ByteBuffer } from './byte-buffer.ts';
import { ChunkWriter, type LeafData, type PageSettings, type WrittenChunk } from './chunk-writer.ts';
import type { ChunkMetadata, RowGroupMetadata, SchemaElement } from './metadata.ts';
import { Output, type Sink } from './output.ts';
import { type ColumnSchema, type Leaf, leavesOf, physicalType, type ValueType } from './schema.ts';
import { type Column, isBytes, isDictionary, type PlainValues, type Values } from './values.ts';
import { writeBloomHeader, writeColumnIndex, writeFileMetadata, writeOffsetIndex } from './write-metadata.ts';

/** What every Parquet file begins and ends with. */
export const MAGIC = Uint8Array.of(0x50, 0x41, 0x52, 0x31);

/** What the footers of our files name as their writer. */
export const CREATED_BY = 'tracewell version 1';

/** How a file is written. */
export interface WriterOptions {
  /**
   * The columns by which the rows are sorted, ascending, most significant first, for readers that make use of
   * it. Flat columns only. Default none.
   */
  readonly sortedBy?: readonly string[];
  /** The level of zstd, or `'none'` for no compression. Default 1. */
  readonly compression?: number | 'none';
  /** How large a page may be before compression, in bytes; a row that is larger has a page of its own. Default 64 KiB. */
  readonly pageBytes?: number;
  /** How many rows a page has at most. Default 65,536. */
  readonly pageRows?: number;
}

/**
 * Writes a Parquet file from columns in typed arrays, one row group after the other; in memory are a page and
 * the indexes of what was written.
 *
 * Pages are of version 1 and carry a CRC-32. There are statistics of chunks, an offset index of every
 * leaf and a column index of flat ones. What Parquet has no checksums for has ours, in bytes that other readers
 * never look at: the CRC-32 of each index and filter stands behind it, that of the footer before it.
 *
 * @see https://parquet.apache.org/docs/file-format/
 *
 * @example
 * ```ts sketch
 * const writer = new ParquetWriter(sink, [{ name: 'id', type: 'int32' }]);
 * writer.writeRowGroup(3, { id: { values: Int32Array.of(1, 2, 3) } });
 * writer.finish(new Map([['made-from', 'nothing']]));
 * ```
 */
export class ParquetWriter {
  readonly #output: Output;
  readonly #schema: readonly ColumnSchema[];
  readonly #leaves: readonly Leaf[];
  readonly #sortedBy: readonly number[];
  readonly #chunks: ChunkWriter;
  readonly #groups: { readonly rows: number; readonly chunks: readonly WrittenChunk[] }[] = [];
  #rows = 0;

  constructor(sink: Sink, schema: readonly ColumnSchema[], options: WriterOptions = {}) {
    const { sortedBy = [], compression = 1, pageBytes = 64 * 1024, pageRows = 65_536 } = options;
    this.#output = new Output(sink);
    this.#schema = schema;
    this.#leaves = schema.flatMap(leavesOf);
    this.#sortedBy = sortedBy.map((name) => {
      const leaf = this.#leaves.findIndex(({ path }) => path.length === 1 && path[0] === name);
      if (leaf < 0) throw new RangeError(`sortedBy: there is no flat column ${name}`);
      return leaf;
    });
    const settings: PageSettings = {
      pageBytes,
      pageRows,
      level: compression === 'none' ? undefined : compression,
    };
    this.#chunks = new ChunkWriter(this.#output, settings);
    this.#output.write(MAGIC);
  }

  /** How many bytes the file has so far. */
  get size(): number {
    return this.#output.position;
  }

  /** How many rows were written. */
  get rows(): number {
    return this.#rows;
  }

  /**
   * Writes some rows; nothing for none.
   *
   * @param columns - one for each column of the schema, by name. Arrays may be longer than the rows need.
   * @throws RangeError, TypeError if a column is missing or does not have the form that its type asks for
   */
  writeRowGroup(rows: number, columns: Readonly<Record<string, Column>>): void {
    if (rows === 0) return;
    const chunks: WrittenChunk[] = [];
    for (const column of this.#schema) {
      const given = columns[column.name];
      if (given === undefined) throw new RangeError(`column ${column.name} is missing`);
      const leaves = leavesOf(column);
      for (const [index, data] of leafData(column, given, rows).entries()) {
        const isAscending = chunks.length === this.#sortedBy[0] && isBytes(data.values);
        chunks.push(this.#chunks.write(leaves[index]!, data, isAscending));
      }
    }
    this.#groups.push({ rows, chunks });
    this.#rows += rows;
  }

  /** Writes the indexes and the footer, which holds `keyValues`. Nothing may follow. */
  finish(keyValues: ReadonlyMap<string, string> = new Map()): {
    readonly bytes: number;
    readonly rows: number;
  } {
    const output = this.#output;
    const rowGroups: RowGroupMetadata[] = this.#groups.map(({ rows, chunks }) => ({
      rows,
      chunks: chunks.map((chunk) => this.#writeIndexes(chunk)),
    }));
    const footer = new ByteBuffer();
    writeFileMetadata(
      footer,
      {
        schema: schemaElements(this.#schema),
        rows: this.#rows,
        rowGroups,
        keyValues,
        createdBy: CREATED_BY,
      },
      {
        leaves: this.#leaves.map(({ path, type }) => ({ path, physical: physicalType(type) })),
        sortedBy: this.#sortedBy,
      },
    );
    this.#writeChecksum(footer.written());
    output.write(footer.written());
    const tail = new ByteBuffer(8);
    tail.fixed32(footer.length);
    tail.append(MAGIC);
    output.write(tail.written());
    output.flush();
    return { bytes: output.position, rows: this.#rows };
  }

  #writeIndexes(chunk: WrittenChunk): ChunkMetadata {
    const buffer = new ByteBuffer(1024);
    let metadata = chunk.metadata;
    if (chunk.bloomFilter !== undefined) {
      writeBloomHeader(buffer, chunk.bloomFilter.bytes.length);
      buffer.append(chunk.bloomFilter.bytes);
      metadata = {
        ...metadata,
        bloomFilterOffset: this.#writeIndex(buffer),
        bloomFilterLength: buffer.length,
      };
    }
    if (chunk.pageStatistics.length > 0) {
      buffer.length = 0;
      writeColumnIndex(buffer, chunk.pageStatistics, chunk.sorted);
      metadata = {
        ...metadata,
        columnIndexOffset: this.#writeIndex(buffer),
        columnIndexLength: buffer.length,
      };
    }
    buffer.length = 0;
    writeOffsetIndex(buffer, chunk.pages);
    return { ...metadata, offsetIndexOffset: this.#writeIndex(buffer), offsetIndexLength: buffer.length };
  }

  #writeIndex(buffer: ByteBuffer): number {
    const at = this.#output.position;
    this.#output.write(buffer.written());
    this.#writeChecksum(buffer.written());
    return at;
  }

  #writeChecksum(bytes: Uint8Array): void {
    const checksum = new ByteBuffer(4);
    checksum.fixed32(crc32(bytes));
    this.#output.write(checksum.written());
  }
}

/** A column's leaves without their nulls. */
function leafData(schema: ColumnSchema, column: Column, rows: number): LeafData[] {
  const { valid } = column;
  const hasNulls = valid?.includes(0) === true && valid.indexOf(0) < rows;
  if (hasNulls && schema.nullable !== true)
    throw new RangeError(`column ${schema.name}: a null in a column without`);
  if (schema.shape === undefined || schema.shape === 'flat') {
    if ('offsets' in column)
      throw new TypeError(`column ${schema.name}: a list where there is one value a row`);
    const values = hasNulls ? withoutNulls(schema.type, column.values, valid, rows) : column.values;
    return [{ rows, values, valid: hasNulls ? valid : undefined, offsets: undefined }];
  }
  if (!('offsets' in column)) throw new TypeError(`column ${schema.name}: no offsets`);
  const { offsets } = column;
  const data = (values: Values): LeafData => ({ rows, values, valid: hasNulls ? valid : undefined, offsets });
  if ('elements' in column) {
    if (schema.shape === 'list') return [data(column.elements)];
  } else if (schema.shape === 'map') return [data(column.keys), data(column.values)];
  throw new TypeError(`column ${schema.name}: a list for a map, or a map for a list`);
}

function withoutNulls(type: ValueType, values: Values, valid: Uint8Array, rows: number): Values {
  if (isDictionary(values)) {
    const codes = values.codes.slice(0, rows);
    let count = 0;
    for (let row = 0; row < rows; row++) if (valid[row] !== 0) codes[count++] = codes[row]!;
    return { codes: codes.subarray(0, count), dictionary: values.dictionary };
  }
  if (isBytes(values)) {
    // The bytes of nulls stay where they are only if there are none.
    const offsets = new Uint32Array(rows + 1);
    const bytes = new Uint8Array(values.offsets[rows]! - values.offsets[0]!);
    let count = 0;
    let at = 0;
    for (let row = 0; row < rows; row++) {
      if (valid[row] === 0) continue;
      const end = values.offsets[row + 1]!;
      for (let from = values.offsets[row]!; from < end; from++) bytes[at++] = values.bytes[from]!;
      offsets[++count] = at;
    }
    return { bytes: bytes.subarray(0, at), offsets: offsets.subarray(0, count + 1) };
  }
  return compactNumbers(values, valid, rows, isHalves(type) ? 2 : 1);
}

function compactNumbers(
  values: Exclude<PlainValues, { offsets: Uint32Array }>,
  valid: Uint8Array,
  rows: number,
  width: number,
): PlainValues {
  const dense = values.slice(0, rows * width);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    if (valid[row] === 0) continue;
    for (let part = 0; part < width; part++) dense[at++] = dense[row * width + part]!;
  }
  return dense.subarray(0, at);
}

function isHalves(type: ValueType): boolean {
  return type === 'int64' || type === 'uint64' || type === 'timestamp';
}

const UTF8 = 0;
const MAP = 1;
const LIST = 3;
const UINT_32 = 13;
const UINT_64 = 14;
const INT_32 = 17;
const INT_64 = 18;
const JSON_TEXT = 19;

/** The schema as the footer says it. */
export function schemaElements(schema: readonly ColumnSchema[]): SchemaElement[] {
  const elements: SchemaElement[] = [{ name: 'schema', children: schema.length }];
  for (const column of schema) {
    const repetition = column.nullable === true ? 1 : 0;
    const { name, type } = column;
    if (column.shape === 'list') {
      elements.push({ name, repetition, children: 1, converted: LIST, logical: 'list' });
      elements.push({ name: 'list', repetition: 2, children: 1 });
      elements.push({ name: 'element', repetition: 0, ...valueElement(type) });
    } else if (column.shape === 'map') {
      elements.push({ name, repetition, children: 1, converted: MAP, logical: 'map' });
      elements.push({ name: 'key_value', repetition: 2, children: 2 });
      elements.push({ name: 'key', repetition: 0, ...valueElement('string') });
      elements.push({ name: 'value', repetition: 0, ...valueElement(type) });
    } else {
      elements.push({ name, repetition, ...valueElement(type) });
    }
  }
  return elements;
}

function valueElement(type: ValueType): Pick<SchemaElement, 'type' | 'converted' | 'logical'> {
  const physical = physicalType(type);
  switch (type) {
    case 'string':
      return { type: physical, converted: UTF8, logical: 'string' };
    case 'json':
      return { type: physical, converted: JSON_TEXT, logical: 'json' };
    case 'timestamp':
      return { type: physical, logical: 'timestamp-nanos' };
    case 'int32':
      return { type: physical, converted: INT_32, logical: 'int32' };
    case 'uint32':
      return { type: physical, converted: UINT_32, logical: 'uint32' };
    case 'int64':
      return { type: physical, converted: INT_64, logical: 'int64' };
    case 'uint64':
      return { type: physical, converted: UINT_64, logical: 'uint64' };
    default:
      return { type: physical };
  }
}
