import { RequestRuns } from '../request-runs.ts';
import { Runs } from '../runs.ts';
import {
  WORD_LENGTH,
  WORD_OFFSET,
  WORD_SEVERITY,
  WORD_TIME_HIGH,
  WORD_TIME_LOW,
  WORD_TRACE_KEY,
} from './row.ts';

/**
 * Up to 65,535 log records of one segment as numbers. They lie in one buffer, so that a block is saved and loaded as
 * it is:
 *
 * ```
 * Uint32 x 6 x capacity  records        the first 6 words of row.ts: time, ids, place
 * Uint16 x capacity      service        index into the block's own list of service numbers
 *                        nextInTrace    the row before this one of the same trace, plus 1; 0 at the end
 * Uint16 x table         traceTable     hash table: the last row of a trace, plus 1; 0 is a free slot
 * Uint8 x capacity       severity
 * ```
 *
 * Service and severity are columns, since a filter runs over those of every row. A row takes 29 bytes and its slot
 * in the table 3 to 4; a full block is followed by a new one, so that nothing large is copied while records come in.
 *
 * The numbers are a filter and not the truth: they may say "perhaps" (ids in part), never a wrong "no".
 */

/** The most rows of a block: a row plus 1 fits 16 bits. */
export const BLOCK_ROWS = 0xffff;
/** 32-bit words of a record. */
export const RECORD_WORDS = 6;
/** Rows of which the latest time and the highest severity are kept, so that a search can pass over them. */
export const ZONE_ROWS = 1024;
const ZONE_SHIFT = 10;
const ZONES = Math.ceil(BLOCK_ROWS / ZONE_ROWS);
const CAPACITIES = [512, 8192, BLOCK_ROWS];

/** The numbers described above, and what belongs to the block as a whole. */
export class LogBlock {
  /** Rows in use. */
  count = 0;
  /** Bounds of the times, as doubles: rounded alike, so that comparing them never excludes a record wrongly. */
  minTime = Number.POSITIVE_INFINITY;
  maxTime = Number.NEGATIVE_INFINITY;
  /** The latest time in each ZONE_ROWS rows, as a double, and the highest severity. */
  zoneMaxTime: Float64Array = new Float64Array(ZONES).fill(Number.NEGATIVE_INFINITY);
  zoneMaxSeverity: Uint8Array = new Uint8Array(ZONES);

  /** The services of the block: `service[row]` is an index into it. */
  services: Uint32Array = new Uint32Array(4);
  serviceCount = 0;
  /** Which group of the segment resource and scope are, from a row on. */
  groups = new Runs(1);
  /** Which requests the rows came with. */
  requests = new RequestRuns();

  // Initialised by #layOut.
  capacity!: number;
  tableSize!: number;
  buffer!: ArrayBuffer;
  records!: Uint32Array;
  service!: Uint16Array;
  nextInTrace!: Uint16Array;
  traceTable!: Uint16Array;
  severity!: Uint8Array;

  /** Mixed into the hashes, so that nobody can choose ids that all fall on one slot. */
  readonly seed: number;

  constructor(seed: number, capacity: number = CAPACITIES[0]!, buffer?: ArrayBuffer, byteOffset = 0) {
    this.seed = seed;
    this.#layOut(capacity, buffer ?? new ArrayBuffer(logBlockBytes(capacity)), byteOffset);
  }

  #layOut(capacity: number, buffer: ArrayBuffer, byteOffset: number): void {
    let at = byteOffset;
    const narrow = (length: number): Uint16Array => {
      const column = new Uint16Array(buffer, at, length);
      at += length * 2;
      return column;
    };
    this.capacity = capacity;
    this.tableSize = tableSizeFor(capacity);
    this.buffer = buffer;
    this.records = new Uint32Array(buffer, at, capacity * RECORD_WORDS);
    at += capacity * RECORD_WORDS * 4;
    this.service = narrow(capacity);
    this.nextInTrace = narrow(capacity);
    this.traceTable = narrow(this.tableSize);
    this.severity = new Uint8Array(buffer, at, capacity);
  }

  /** Whether there is room for one more row, having grown if need be. */
  makeRoom(): boolean {
    if (this.count < this.capacity) return true;
    if (this.capacity >= BLOCK_ROWS) return false;
    this.#resize(CAPACITIES.find((capacity) => capacity > this.capacity) ?? BLOCK_ROWS);
    return true;
  }

  /** Gives back the memory of rows that will never come. */
  trim(): void {
    if (this.count < this.capacity) this.#resize(this.count);
    const zones = Math.ceil(this.count / ZONE_ROWS);
    this.zoneMaxTime = this.zoneMaxTime.slice(0, zones);
    this.zoneMaxSeverity = this.zoneMaxSeverity.slice(0, zones);
    this.services = this.services.slice(0, this.serviceCount);
    this.groups.trim();
    this.requests.trim();
  }

  #resize(capacity: number): void {
    const { count, tableSize, traceTable, records, service, nextInTrace, severity } = this;
    this.#layOut(capacity, new ArrayBuffer(logBlockBytes(capacity)), 0);
    this.records.set(records.subarray(0, count * RECORD_WORDS));
    this.service.set(service.subarray(0, count));
    this.severity.set(severity.subarray(0, count));
    this.nextInTrace.set(nextInTrace.subarray(0, count));
    if (this.tableSize === tableSize) this.traceTable.set(traceTable);
    else for (let row = 0; row < count; row++) linkTrace(this, row);
  }

  /** The last row of a trace, by the key of its id; -1 if it has none here. `nextInTrace` leads to the others. */
  lastRowOfTrace(traceKey: number): number {
    const mask = this.tableSize - 1;
    for (let slot = hashTrace(this.seed, traceKey) & mask; ; slot = (slot + 1) & mask) {
      const row = this.traceTable[slot]! - 1;
      if (row < 0 || this.records[row * RECORD_WORDS + WORD_TRACE_KEY] === traceKey) return row;
    }
  }

  /** Says that the rows from the next one on belong to a group. */
  setGroup(group: number): void {
    const { groups } = this;
    if (groups.count > 0 && groups.words[groups.count - 1] === group) return;
    const at = groups.begin(this.count);
    groups.words[at] = group;
  }

  /** The group of a row. */
  groupOf(row: number): number {
    return this.groups.words[this.groups.runOf(row)]!;
  }

  /** Puts a service into the block's list and returns its index. */
  addService(service: number): number {
    const index = this.serviceCount;
    if (index === this.services.length) {
      const services = new Uint32Array(Math.min(index * 4, BLOCK_ROWS));
      services.set(this.services);
      this.services = services;
    }
    this.services[index] = service;
    this.serviceCount++;
    return index;
  }

  /**
   * Appends one row, which `words` holds at `at`. There must be room.
   *
   * @param base - what the row's offset counts from, in the segment
   * @param service - index into `services`
   */
  append(words: Uint32Array, at: number, base: number, service: number): void {
    const row = this.count;
    const { records } = this;
    const to = row * RECORD_WORDS;
    for (let word = 0; word < RECORD_WORDS; word++) records[to + word] = words[at + word]!;
    records[to + WORD_OFFSET] = base + words[at + WORD_OFFSET]!;
    this.service[row] = service;
    const severity = words[at + WORD_SEVERITY]! & 0xff;
    this.severity[row] = severity;
    const time = words[at + WORD_TIME_HIGH]! * 0x1_0000_0000 + words[at + WORD_TIME_LOW]!;
    if (time < this.minTime) this.minTime = time;
    if (time > this.maxTime) this.maxTime = time;
    const zone = row >>> ZONE_SHIFT;
    if (time > this.zoneMaxTime[zone]!) this.zoneMaxTime[zone] = time;
    if (severity > this.zoneMaxSeverity[zone]!) this.zoneMaxSeverity[zone] = severity;
    linkTrace(this, row);
    this.count = row + 1;
  }

  /** Where a row's LogRecord message starts in the segment. */
  offsetOf(row: number): number {
    return this.records[row * RECORD_WORDS + WORD_OFFSET]!;
  }

  /** How long a row's LogRecord message is. */
  lengthOf(row: number): number {
    return this.records[row * RECORD_WORDS + WORD_LENGTH]!;
  }

  /** Bytes of memory that the block holds. */
  get byteLength(): number {
    return (
      logBlockBytes(this.capacity) +
      this.zoneMaxTime.byteLength +
      this.zoneMaxSeverity.byteLength +
      this.services.byteLength +
      this.groups.byteLength +
      this.requests.byteLength
    );
  }
}

/** Bytes of the columns of a block with room for so many rows. */
export function logBlockBytes(capacity: number): number {
  const narrow = (capacity * 2 + tableSizeFor(capacity)) * 2;
  return (capacity * 4 * RECORD_WORDS + narrow + capacity + 7) & ~7;
}

/** A power of two with at most three quarters of the slots in use. */
function tableSizeFor(capacity: number): number {
  let size = 8;
  while (size * 3 < capacity * 4) size *= 2;
  return size;
}

function linkTrace(block: LogBlock, row: number): void {
  const { traceTable, records } = block;
  const key = records[row * RECORD_WORDS + WORD_TRACE_KEY]!;
  if (key === 0) {
    block.nextInTrace[row] = 0;
    return;
  }
  const mask = block.tableSize - 1;
  for (let slot = hashTrace(block.seed, key) & mask; ; slot = (slot + 1) & mask) {
    const last = traceTable[slot]!;
    if (last === 0 || records[(last - 1) * RECORD_WORDS + WORD_TRACE_KEY] === key) {
      block.nextInTrace[row] = last;
      traceTable[slot] = row + 1;
      return;
    }
  }
}

/** The finaliser of MurmurHash3: a bit of the id changes half the bits of the hash. */
function hashTrace(seed: number, key: number): number {
  let hash = seed ^ key;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
