// What the footer of a Parquet file and the headers of its pages say, as far as our own files have it. The numbers are
// those of the format. write-metadata.ts and read-metadata.ts turn it into Thrift and back.
// https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift

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

/** The fields of Thrift's union of annotations. */
export const LOGICAL_FIELD = { string: 1, map: 2, list: 3, timestamp: 8, integer: 10, json: 12 } as const;

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
