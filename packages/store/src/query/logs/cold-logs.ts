import type { ColdFile } from '../../meta/catalog.ts';
import { newestFirst } from '../newest-first.ts';
import { compareRecordKeys } from '../record-key.ts';
import type { Snapshot } from '../snapshot.ts';
import { nextTurn, turnIsOver } from '../turn.ts';
import type { KeyedLog, LogSource } from './find-logs.ts';
import type { LogPlan } from './plan.ts';

/** The records of the cold tier. A file that cannot be read makes the result of the snapshot partial. */
export class ColdLogs implements LogSource {
  readonly #snapshot: Snapshot;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  async *logs(plan: LogPlan): AsyncGenerator<KeyedLog> {
    const last = plan.after === undefined ? plan.maxStart : min(plan.after.timeUnixNanos, plan.maxStart);
    if (plan.minStart > last) return;
    const files = this.#snapshot.readable('logs', plan.minStart, last);
    // The records of a partition are older than those of the one behind it, so a page seldom opens two of them.
    const partitions = Map.groupBy(files, ({ partition }) => partition);
    const latest = [...partitions.values()].sort((a, b) => (maxTime(a) > maxTime(b) ? -1 : 1));
    for (const some of latest) {
      yield* newestFirst(
        some.map((file) => this.#logsOf(file, plan)),
        (a, b) => compareRecordKeys(a.key, b.key),
      );
    }
  }

  async *#logsOf(file: ColdFile, plan: LogPlan): AsyncGenerator<KeyedLog> {
    try {
      for (const found of this.#snapshot.files.eachOfLogs(file, (logs) => logs.newest(plan))) {
        if (turnIsOver()) await nextTurn();
        if (found !== undefined) yield found;
      }
    } catch (error) {
      this.#snapshot.skip(error);
    }
  }
}

function maxTime(files: readonly ColdFile[]): bigint {
  return files.reduce((latest, file) => (file.maxTime > latest ? file.maxTime : latest), 0n);
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
