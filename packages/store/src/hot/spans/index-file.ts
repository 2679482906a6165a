import { GROUP_WORDS, Groups } from '../groups.ts';
import { Block, blockBytes, ZONE_ROWS } from './block.ts';
import type { Operations } from './operations.ts';
import { FLAG_COPY_ELSEWHERE } from './row.ts';
import { TRACE_FILTER_BYTES, TraceFilter } from './trace-filter.ts';

/**
 * The index of a segment as bytes. Little-endian; every part starts at a multiple of 8, so that columns are
 * used where they were read. The log adds a checksum and the segment's identity around it.
 *
 * ```
 * header      Uint32 x 8: magic, version, blocks, groups, operations, bytes of names, bytes of the
 *             trace filter, 0
 * operations  for each: Uint32 length of the service's name, Uint32 length of the name (0xFFFFFFFF: stands for several)
 * names       the bytes of those names one after the other
 * groups      Uint32 x GROUP_WORDS for each
 * filter      the slots of trace-filter.ts; none if there is one block
 * block       Uint32 x 8: rows, failing rows, seed, operations, groups, rows hidden as copies, 0, 0
 *             Float64 x 2: earliest and latest start
 *             Uint32 x operations: index into the operations of the file
 *             Uint32 x groups: group numbers; then Uint16 x groups: their first rows
 *             Uint32 x failing rows; Float64 x zones: their latest starts
 *             the arrays as in block.ts
 * ```
 */
const MAGIC = 0x58495754;
const VERSION = 2;
const HEADER_BYTES = 32;
const BLOCK_HEADER_BYTES = 48;
/** What of a segment's index is saved. */
interface SavedParts {
  readonly blocks: Block[];
  readonly groups: Groups;
  readonly traceFilter: TraceFilter | undefined;
}

const STANDS_FOR_SEVERAL = 0xffff_ffff;

/** The pieces of the file, to be written one after the other. The index must be trimmed. */
export function saveIndex({ blocks, groups, traceFilter }: SavedParts, operations: Operations): Uint8Array[] {
  const fileNumbers = new Map<number, number>();
  for (const block of blocks) {
    for (let index = 0; index < block.operationCount; index++) {
      const operation = block.operations[index]!;
      if (!fileNumbers.has(operation)) fileNumbers.set(operation, fileNumbers.size);
    }
  }
  const lengths = new Uint32Array(fileNumbers.size * 2);
  const names: Uint8Array[] = [];
  for (const [operation, number] of fileNumbers) {
    const { service, name } = operations.bytesOf(operation);
    lengths[number * 2] = service?.length ?? STANDS_FOR_SEVERAL;
    lengths[number * 2 + 1] = name?.length ?? STANDS_FOR_SEVERAL;
    if (service !== undefined) names.push(service);
    if (name !== undefined) names.push(name);
  }
  const nameBytes = Buffer.concat(names);
  const header = Uint32Array.of(
    MAGIC,
    VERSION,
    blocks.length,
    groups.count,
    fileNumbers.size,
    nameBytes.length,
    traceFilter?.slots.length ?? 0,
    0,
  );

  const pieces = [bytesOf(header), bytesOf(lengths), padded(nameBytes), bytesOf(groups.words)];
  if (traceFilter !== undefined) pieces.push(traceFilter.slots);
  for (const block of blocks) {
    const { count, failingCount, seed, operationCount, groupCount, copies } = block;
    const numbers = Uint32Array.of(count, failingCount, seed, operationCount, groupCount, copies, 0, 0);
    pieces.push(bytesOf(numbers), bytesOf(Float64Array.of(block.minStart, block.maxStart)));
    pieces.push(padded(bytesOf(block.operations.map((operation) => fileNumbers.get(operation)!))));
    pieces.push(padded(bytesOf(block.groupNumbers)), padded(bytesOf(block.groupRows)));
    pieces.push(padded(bytesOf(block.failing)), bytesOf(block.zoneMaxStart));
    // The flags are the last column and the only one that can change from now on: they are copied.
    const columns = new Uint8Array(block.buffer, block.records.byteOffset, blockBytes(count));
    const flagsAt = block.flags.byteOffset - block.records.byteOffset;
    const flags = columns.slice(flagsAt);
    for (let row = 0; row < count; row++) flags[row]! &= ~FLAG_COPY_ELSEWHERE;
    pieces.push(columns.subarray(0, flagsAt), flags);
  }
  return pieces;
}

/**
 * Takes a saved index into use where it lies.
 *
 * @param bytes - aligned to 8; become part of the blocks
 * @returns `undefined` if another version wrote it, or its lengths do not fit
 */
export function loadIndex(bytes: Uint8Array, operations: Operations): SavedParts | undefined {
  const buffer = bytes.buffer as ArrayBuffer;
  const end = bytes.byteOffset + bytes.length;
  let at = bytes.byteOffset;
  // Whether so many more bytes are there; `at` is then behind them, rounded up to 8.
  const take = (length: number): boolean => {
    at += padding(length);
    return at <= end;
  };

  if (at % 8 !== 0 || bytes.length < HEADER_BYTES) return undefined;
  const header = new Uint32Array(buffer, at, HEADER_BYTES / 4);
  const [magic, version, blockCount, groupCount, operationCount, nameBytes, filterBytes] = header;
  if (magic !== MAGIC || version !== VERSION) return undefined;
  take(HEADER_BYTES);

  const lengthsAt = at;
  if (!take(operationCount! * 8)) return undefined;
  const lengths = new Uint32Array(buffer, lengthsAt, operationCount! * 2);
  let nameAt = at;
  if (!take(nameBytes!)) return undefined;
  const nameEnd = nameAt + nameBytes!;
  const nextName = (length: number): Uint8Array | undefined => {
    if (length === STANDS_FOR_SEVERAL) return undefined;
    nameAt += length;
    return new Uint8Array(buffer, nameAt - length, length);
  };
  const numbers = new Uint32Array(operationCount!);
  for (let index = 0; index < numbers.length; index++) {
    const service = lengths[index * 2]!;
    const name = lengths[index * 2 + 1]!;
    const needed = (service === STANDS_FOR_SEVERAL ? 0 : service) + (name === STANDS_FOR_SEVERAL ? 0 : name);
    if (nameAt + needed > nameEnd) return undefined;
    const serviceBytes = nextName(service);
    numbers[index] = operations.fromBytes(serviceBytes, nextName(name));
  }

  const groupsAt = at;
  if (!take(groupCount! * GROUP_WORDS * 4)) return undefined;
  const groups = Groups.from(new Uint32Array(buffer, groupsAt, groupCount! * GROUP_WORDS));

  const filterAt = at;
  if ((filterBytes !== 0 && filterBytes !== TRACE_FILTER_BYTES) || !take(filterBytes)) return undefined;
  const slots = new Uint8Array(buffer, filterAt, filterBytes);
  const traceFilter = filterBytes === 0 ? undefined : new TraceFilter(slots, blockCount);

  const blocks: Block[] = [];
  for (let index = 0; index < blockCount!; index++) {
    const headerAt = at;
    if (!take(BLOCK_HEADER_BYTES)) return undefined;
    const [rows, failing, seed, ownOperations, runs, copies] = new Uint32Array(buffer, headerAt, 8);
    const [minStart, maxStart] = new Float64Array(buffer, headerAt + 32, 2);
    const operationsAt = at;
    const numbersAt = operationsAt + padding(ownOperations! * 4);
    const rowsAt = numbersAt + padding(runs! * 4);
    const failingAt = rowsAt + padding(runs! * 2);
    const zonesAt = failingAt + padding(failing! * 4);
    const zones = Math.ceil(rows! / ZONE_ROWS);
    const columnsAt = zonesAt + zones * 8;
    at = columnsAt;
    if (!take(blockBytes(rows!))) return undefined;

    const block = new Block(seed!, rows, buffer, columnsAt);
    block.count = rows!;
    block.failing = new Uint32Array(buffer, failingAt, failing);
    block.failingCount = failing!;
    block.zoneMaxStart = new Float64Array(buffer, zonesAt, zones);
    block.copies = copies!;
    block.minStart = minStart!;
    block.maxStart = maxStart!;
    block.operations = new Uint32Array(buffer, operationsAt, ownOperations);
    block.operationCount = ownOperations!;
    for (let own = 0; own < ownOperations!; own++) block.operations[own] = numbers[block.operations[own]!]!;
    block.groupNumbers = new Uint32Array(buffer, numbersAt, runs);
    block.groupRows = new Uint16Array(buffer, rowsAt, runs);
    block.groupCount = runs!;
    blocks.push(block);
  }
  return { blocks, groups, traceFilter };
}

function padding(length: number): number {
  return Math.ceil(length / 8) * 8;
}

function bytesOf(numbers: Uint32Array | Uint16Array | Float64Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

function padded(bytes: Uint8Array): Uint8Array {
  if (bytes.length % 8 === 0) return bytes;
  const result = new Uint8Array(padding(bytes.length));
  result.set(bytes);
  return result;
}
