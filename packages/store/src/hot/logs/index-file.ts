import { GROUP_WORDS, Groups } from '../groups.ts';
import { REQUEST_WORDS, RequestRuns } from '../request-runs.ts';
import { Runs } from '../runs.ts';
import { ArrayReader, ArrayWriter, CutShortError } from '../saved-arrays.ts';
import type { Services } from '../services.ts';
import { LogBlock, logBlockBytes, ZONE_ROWS } from './block.ts';

/**
 * The index of a segment's log records as bytes. Little-endian; every part starts at a multiple of 8, so that columns
 * are used where they were read.
 *
 * ```
 * header      Uint32 x 6: magic, version, blocks, groups, services, bytes of names
 * services    Uint32 for each: the length of its name (0xFFFFFFFF: stands for several)
 * names       the bytes of those names one after the other
 * groups      Uint32 x GROUP_WORDS for each
 * block       Uint32 x 6: rows, seed, services, runs of groups, runs of requests, 0
 *             Float64 x 2: earliest and latest time
 *             Uint32 x services: index into the services of the file
 *             Uint16, Uint32 x runs of groups: first rows, groups
 *             Uint16, Uint32 x REQUEST_WORDS x runs of requests: first rows, those of request-runs.ts
 *             Float64 x zones: their latest times; Uint8 x zones: their highest severities
 *             the arrays as in block.ts
 * ```
 */
const MAGIC = 0x474c5754;
const VERSION = 1;
const HEADER_WORDS = 6;
const STANDS_FOR_SEVERAL = 0xffff_ffff;

/** The pieces of the file. The blocks must be trimmed. */
export function saveLogIndex(
  blocks: readonly LogBlock[],
  groups: Groups,
  services: Services,
): readonly Uint8Array[] {
  const fileNumbers = new Map<number, number>();
  for (const block of blocks) {
    for (const service of block.services) {
      if (!fileNumbers.has(service)) fileNumbers.set(service, fileNumbers.size);
    }
  }
  const names = [...fileNumbers.keys()].map((service) => services.bytesOf(service));
  const nameBytes = Buffer.concat(names.filter((name) => name !== undefined));

  const file = new ArrayWriter();
  file.push(Uint32Array.of(MAGIC, VERSION, blocks.length, groups.count, names.length, nameBytes.length));
  file.push(Uint32Array.from(names, (name) => name?.length ?? STANDS_FOR_SEVERAL));
  file.push(nameBytes);
  file.push(groups.words);
  for (const block of blocks) {
    const { count, seed, serviceCount, requests } = block;
    file.push(Uint32Array.of(count, seed, serviceCount, block.groups.count, requests.count, 0));
    file.push(Float64Array.of(block.minTime, block.maxTime));
    file.push(block.services.map((service) => fileNumbers.get(service)!));
    file.push(block.groups.rows);
    file.push(block.groups.words);
    file.push(requests.rows);
    file.push(requests.savedWords());
    file.push(block.zoneMaxTime);
    file.push(block.zoneMaxSeverity);
    file.push(new Uint8Array(block.buffer, block.records.byteOffset, logBlockBytes(count)));
  }
  return file.pieces;
}

/**
 * Takes a saved index into use where it lies.
 *
 * @param bytes - aligned to 8; become part of the blocks
 * @returns `undefined` if another version wrote it, or its lengths do not fit
 */
export function loadLogIndex(
  bytes: Uint8Array,
  services: Services,
): { blocks: LogBlock[]; groups: Groups } | undefined {
  try {
    const file = new ArrayReader(bytes);
    const [magic, version, blockCount, groupCount, serviceCount, nameBytes] = file.uint32(HEADER_WORDS);
    if (magic !== MAGIC || version !== VERSION) return undefined;
    const numbers = readServices(file.uint32(serviceCount!), file.uint8(nameBytes!), services);
    const groups = Groups.from(file.uint32(groupCount! * GROUP_WORDS));
    const blocks: LogBlock[] = [];
    for (let index = 0; index < blockCount!; index++) blocks.push(readBlock(file, numbers));
    return { blocks, groups };
  } catch (error) {
    if (error instanceof CutShortError) return undefined;
    throw error;
  }
}

function readServices(lengths: Uint32Array, names: Uint8Array, services: Services): Uint32Array {
  const numbers = new Uint32Array(lengths.length);
  let at = 0;
  for (const [index, length] of lengths.entries()) {
    if (length === STANDS_FOR_SEVERAL) continue;
    numbers[index] = services.fromBytes(names.subarray(at, at + length));
    at += length;
  }
  return numbers;
}

function readBlock(file: ArrayReader, services: Uint32Array): LogBlock {
  const [rows, seed, serviceCount, groupRuns, requestRuns] = file.uint32(HEADER_WORDS);
  const [minTime, maxTime] = file.float64(2);
  const ownServices = file.uint32(serviceCount!);
  const groups = new Runs(1, file.uint16(groupRuns!), file.uint32(groupRuns!), groupRuns);
  const requests = new RequestRuns(
    file.uint16(requestRuns!),
    file.uint32(requestRuns! * REQUEST_WORDS),
    requestRuns,
  );
  const zones = Math.ceil(rows! / ZONE_ROWS);
  const zoneMaxTime = file.float64(zones);
  const zoneMaxSeverity = file.uint8(zones);
  const { buffer, byteOffset } = file.block(logBlockBytes(rows!));

  const block = new LogBlock(seed!, rows, buffer, byteOffset);
  block.count = rows!;
  block.minTime = minTime!;
  block.maxTime = maxTime!;
  block.zoneMaxTime = zoneMaxTime;
  block.zoneMaxSeverity = zoneMaxSeverity;
  block.services = ownServices;
  block.serviceCount = serviceCount!;
  for (let own = 0; own < ownServices.length; own++) ownServices[own] = services[ownServices[own]!]!;
  block.groups = groups;
  block.requests = requests;
  return block;
}
