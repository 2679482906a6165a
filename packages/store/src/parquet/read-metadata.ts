import {
  type ChunkMetadata,
  Codec,
  type Encoding,
  type FileMetadata,
  LOGICAL_FIELD,
  type Logical,
  type PageHeader,
  type PageLocation,
  type RowGroupMetadata,
  type SchemaElement,
  type Statistics,
} from './metadata.ts';
import { ThriftReader } from './thrift/read.ts';
import { ThriftType } from './thrift/write.ts';

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
