/**
 * What the application's process and the process for SQL say to each other, by Node's own channel with
 * structured cloning, so that values cross as they are.
 */
import type { ErrorCode } from '@tracewell/plugin';
import type { HotSegment } from './hot-segment.ts';
import type { SqlColumn, SqlValue } from './types.ts';

/** How the process is set up: its first message. */
export interface SetUp {
  readonly type: 'set-up';
  /** Absolute path of the store. */
  readonly directory: string;
  /** Absolute path of a private directory for the files of what is hot. */
  readonly hotDirectory: string;
  /** Bytes that DuckDB may take for a query's own data. */
  readonly memoryBytes: number;
  readonly threads: number;
}

/** Asks for a query. */
export interface RunQuery {
  readonly type: 'run';
  readonly id: number;
  readonly sql: string;
  readonly maxRows: number;
  readonly snapshot: Snapshot;
}

/** Where the rows of the store are at one moment; each is in one of the two. */
export interface Snapshot {
  /** The cold files of each table, by its name. */
  readonly cold: { readonly [table: string]: ColdPaths };
  readonly hot: readonly HotSegment[];
}

/** The cold files of a table. */
export interface ColdPaths {
  /** Absolute. */
  readonly paths: readonly string[];
  /** How many more there should be, which cannot be read. */
  readonly missing: number;
}

/** Gives a query up. It is answered all the same. */
export interface CancelQuery {
  readonly type: 'cancel';
  readonly id: number;
}

/** From the application. */
export type Request = SetUp | RunQuery | CancelQuery;

/** It is set up. */
export interface Ready {
  readonly type: 'ready';
}

/** It cannot be, and ends. */
export interface Unavailable {
  readonly type: 'unavailable';
  readonly message: string;
}

/** It takes more memory than it may, and ends. */
export interface OutOfMemory {
  readonly type: 'out-of-memory';
  readonly bytes: number;
}

/** What a query found. */
export interface Found {
  readonly type: 'found';
  readonly id: number;
  readonly columns: readonly SqlColumn[];
  readonly rows: readonly (readonly SqlValue[])[];
  readonly truncated: boolean;
  readonly partial: readonly string[];
}

/** A file of the snapshot is not there any more: the query has to be asked with a new one. */
export interface Outdated {
  readonly type: 'outdated';
  readonly id: number;
}

/** Why a query failed. */
export interface Failed {
  readonly type: 'failed';
  readonly id: number;
  readonly code: ErrorCode;
  readonly message: string;
}

/** From the process for SQL. */
export type Answer = Ready | Unavailable | OutOfMemory | Found | Outdated | Failed;
