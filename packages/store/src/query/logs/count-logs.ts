import { readFlat } from '../../cold/flat-column.ts';
import { LOG_TIME_KEYS } from '../../cold/logs/columns.ts';
import type { LogFile } from '../../cold/logs/log-file.ts';
import { readRowKeys } from '../../cold/row-keys.ts';
import { equalTo } from '../../cold/text-filter.ts';
import { RECORD_WORDS } from '../../hot/logs/block.ts';
import type { LogIndex } from '../../hot/logs/log-index.ts';
import { WORD_TIME_HIGH, WORD_TIME_LOW } from '../../hot/logs/row.ts';
import type { TimeWindow } from '../check.ts';
import { highHalf, lowHalf } from '../halves.ts';
import type { Snapshot } from '../snapshot.ts';
import { nextTurn, turnIsOver } from '../turn.ts';

/** Severities are 0 to 24; larger numbers, which OTLP does not have, count as the largest. */
const SEVERITIES = 25;

/** Which records are counted. */
export interface LogCountPlan extends TimeWindow {
  readonly service: string | undefined;
}

/** How many log records of a snapshot there are of each severity number, hot and cold, each counted once. */
export async function countLogs(
  index: LogIndex,
  snapshot: Snapshot,
  plan: LogCountPlan,
): Promise<Uint32Array> {
  const counts = new Uint32Array(SEVERITIES);
  if (plan.minStart > plan.maxStart) return counts;
  const hotRequests = await countHot(index, plan, counts);
  for (const file of snapshot.readable('logs', plan.minStart, plan.maxStart)) {
    try {
      for (const _ of snapshot.files.eachOfLogs(file, (logs) => countFile(logs, plan, counts, hotRequests))) {
        if (turnIsOver()) await nextTurn();
      }
    } catch (error) {
      snapshot.skip(error);
    }
  }
  return counts;
}

/** Counts the records of the hot tier; returns the requests that they came with. */
async function countHot(
  index: LogIndex,
  plan: LogCountPlan,
  counts: Uint32Array,
): Promise<ReadonlySet<bigint>> {
  // Finds out which requests came twice.
  index.stats();
  const found = new Set<bigint>();
  const minHigh = highHalf(plan.minStart);
  const minLow = lowHalf(plan.minStart);
  const maxHigh = highHalf(plan.maxStart);
  const maxLow = lowHalf(plan.maxStart);
  const selected = plan.service === undefined ? undefined : index.services.select(plan.service);
  for (const { block } of index.blocksByTime()) {
    if (block.minTime > Number(plan.maxStart) || block.maxTime < Number(plan.minStart)) continue;
    const { records, requests, service, services, severity } = block;
    for (let run = 0; run < requests.count; run++) {
      if (requests.isCopy(run)) continue;
      found.add((BigInt(requests.high(run)) << 32n) | BigInt(requests.low(run)));
      const end = requests.endOf(run, block.count);
      for (let row = requests.rows[run]!; row < end; row++) {
        if (selected !== undefined && selected[services[service[row]!]!] === 0) continue;
        const high = records[row * RECORD_WORDS + WORD_TIME_HIGH]!;
        const low = records[row * RECORD_WORDS + WORD_TIME_LOW]!;
        if (high < minHigh || (high === minHigh && low < minLow)) continue;
        if (high > maxHigh || (high === maxHigh && low > maxLow)) continue;
        counts[Math.min(severity[row]!, SEVERITIES - 1)]!++;
      }
    }
    if (turnIsOver()) await nextTurn();
  }
  return found;
}

/** Counts the records of a file, but for those of requests that the hot tier has. Yields after each row group. */
function* countFile(
  { parquet }: LogFile,
  plan: LogCountPlan,
  counts: Uint32Array,
  hotRequests: ReadonlySet<bigint>,
): Generator<void> {
  for (let group = 0; group < parquet.rowGroups; group++) {
    const count = parquet.rowsOf(group);
    const keys = readRowKeys(parquet, group, 0, count, LOG_TIME_KEYS);
    const severities = readFlat(parquet, group, 'severity_number', 0, count).values as Int32Array;
    const isOfService =
      plan.service === undefined
        ? undefined
        : equalTo(readFlat(parquet, group, 'service_name', 0, count), plan.service);
    for (let row = 0; row < count; row++) {
      if (isOfService !== undefined && !isOfService(row)) continue;
      const time = keys.time(row);
      if (time < plan.minStart || time > plan.maxStart) continue;
      if (hotRequests.size > 0 && hotRequests.has(keys.key(row).request)) continue;
      counts[Math.max(0, Math.min(severities[row]!, SEVERITIES - 1))]!++;
    }
    yield;
  }
}
