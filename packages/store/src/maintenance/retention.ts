import { dirname } from 'node:path';
import type { CollectedBlobs } from '../blobs/blob-store.ts';
import { coldPath } from '../cold/partition.ts';
import { removeFile } from '../cold/publish.ts';
import type { JobRunner } from '../cold/worker-pool.ts';
import type { FileSystem, OpenFile } from '../fs/file-system.ts';
import type { Catalog, ColdFile, ColdSignal } from '../meta/catalog.ts';
import { ParquetFile } from '../parquet/file.ts';
import { collectPayloads } from './collect-payloads.ts';
import { rollUpDropped } from './roll-up-dropped.ts';

/** How long the cold tier keeps something, and how much of it. */
export interface ColdLimits {
  /** Partitions whose last row is older go. Default: none do. */
  readonly maxAgeMs?: number | undefined;
  /** When the files together are larger, the oldest partitions go. Default: none do. */
  readonly maxBytes?: number | undefined;
}

/** What of a partition was dropped, or would be. */
export interface DroppedPartition {
  readonly signal: ColdSignal;
  /** Such as `date=2026-11-20/hour=18`. */
  readonly partition: string;
  readonly files: number;
  readonly rows: number;
  readonly bytes: number;
  readonly reason: 'age' | 'size';
}

/** What `maintain` did, or would do. */
export interface RetentionReport {
  readonly dryRun: boolean;
  /** Files that cannot be read any more and were renamed to `….damaged`. */
  readonly setAside: readonly string[];
  readonly dropped: readonly DroppedPartition[];
  /** What became of the payloads; not on every scheduled run, since it looks at all of them. */
  readonly payloads?: CollectedBlobs;
}

/** How long the cold tier keeps what; payloads also go with the last row that names them. */
export type RetentionLimits = Readonly<Partial<Record<ColdSignal | 'payloads', ColdLimits>>>;

/** What of it is to be done: to say what would be; what is due by now; all of it. */
export type RetentionRun = 'dry' | 'due' | 'all';

const NANOS_PER_MS = 1_000_000n;
/** Between two scheduled collections of payloads. */
const COLLECT_MS = 60 * 60 * 1000;

/** A partition with its files. */
interface Partition {
  readonly signal: ColdSignal;
  readonly partition: string;
  readonly files: readonly ColdFile[];
  readonly maxTime: bigint;
  readonly bytes: number;
}

/** Which partitions are to go: whole ones, the oldest first. */
export function planRetention(
  files: readonly ColdFile[],
  limits: RetentionLimits,
  nowMs: number,
): { readonly partition: DroppedPartition; readonly files: readonly ColdFile[] }[] {
  const dropped: { partition: DroppedPartition; files: readonly ColdFile[] }[] = [];
  for (const [signal, ofSignal] of Map.groupBy(files, ({ signal }) => signal)) {
    const { maxAgeMs, maxBytes = Number.POSITIVE_INFINITY } = limits[signal] ?? {};
    const oldest = maxAgeMs === undefined ? 0n : BigInt(Math.max(0, nowMs - maxAgeMs)) * NANOS_PER_MS;
    let bytes = ofSignal.reduce((sum, file) => sum + file.bytes, 0);
    for (const { partition, files: ofPartition, maxTime, bytes: own } of partitionsOf(signal, ofSignal)) {
      const reason = maxTime < oldest ? 'age' : bytes > maxBytes ? 'size' : undefined;
      if (reason === undefined) continue;
      bytes -= own;
      const rows = ofPartition.reduce((sum, file) => sum + file.rows, 0);
      dropped.push({
        partition: { signal, partition, files: ofPartition.length, rows, bytes: own, reason },
        files: ofPartition,
      });
    }
  }
  return dropped;
}

/** What {@link Retention} works with. */
export interface RetentionContext {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly catalog: Catalog;
  /** Rolls metrics up before they go. */
  readonly runner: JobRunner;
}

/** Sets aside what is damaged, and drops what is too old or too much; of metrics the rollups stay. */
export class Retention {
  readonly #context: RetentionContext;
  readonly #limits: RetentionLimits;
  readonly #suspects: ReadonlyMap<string, string>;
  #collectedMs = Number.NEGATIVE_INFINITY;

  /** @param suspects - files that could not be read, by their ids */
  constructor(context: RetentionContext, limits: RetentionLimits, suspects: ReadonlyMap<string, string>) {
    this.#context = context;
    this.#limits = limits;
    this.#suspects = suspects;
  }

  /** Does it, under the maintenance lock; or says what it would do. */
  async apply(run: RetentionRun): Promise<RetentionReport> {
    const { fs, directory, catalog } = this.#context;
    const dryRun = run === 'dry';
    const setAside = this.#damaged();
    const dropped = planRetention(catalog.state().files, this.#limits, Date.now());
    if (!dryRun) {
      setAsideFiles(fs, directory, catalog, setAside);
      for (const { partition, files } of dropped) {
        if (partition.signal === 'metrics') await this.#rollUp(files, setAside);
      }
      const there = new Set(catalog.state().files.map(({ id }) => id));
      await dropFiles(
        fs,
        directory,
        catalog,
        dropped.flatMap(({ files }) => files).filter(({ id }) => there.has(id)),
      );
    }
    const gone = new Set(dropped.flatMap(({ files }) => files.map(({ id }) => id)));
    const payloads = await this.#collect(run, gone);
    return {
      dryRun,
      setAside: [...setAside.keys()].map((file) => coldPath(directory, file)),
      dropped: dropped.map(({ partition }) => partition),
      ...(payloads !== undefined && { payloads }),
    };
  }

  /** @param setAside - gets the files that turn out to be damaged: those cannot be rolled up */
  async #rollUp(files: readonly ColdFile[], setAside: Map<ColdFile, string>): Promise<void> {
    const { fs, directory, catalog } = this.#context;
    const sound = files.filter((file) => file.damage === undefined && !setAside.has(file));
    try {
      await rollUpDropped(this.#context, sound);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'TW_COLD_DAMAGED') throw error;
      const damaged = new Map<ColdFile, string>();
      for (const file of catalog.state().files) {
        const isMetric = file.signal === 'metrics' || file.signal === 'metrics_5m';
        if (!isMetric || file.damage !== undefined || setAside.has(file)) continue;
        const why = damageOf(fs, coldPath(directory, file));
        if (why !== undefined) damaged.set(file, why);
      }
      if (damaged.size === 0) throw error;
      setAsideFiles(fs, directory, catalog, damaged);
      for (const [file, why] of damaged) setAside.set(file, why);
      await this.#rollUp(files, setAside);
    }
  }

  /** @param gone - ids of files that go, if they have not gone yet */
  async #collect(run: RetentionRun, gone: ReadonlySet<string>): Promise<CollectedBlobs | undefined> {
    const { fs, directory, catalog } = this.#context;
    const now = Date.now();
    if (run === 'due' && now - this.#collectedMs < COLLECT_MS) return undefined;
    const files = catalog.state().files.filter(({ id }) => !gone.has(id));
    const { payloads = {} } = this.#limits;
    const collected = await collectPayloads(fs, directory, files, payloads, run === 'dry');
    if (run !== 'dry') this.#collectedMs = now;
    return collected;
  }

  /** The suspects that are damaged indeed, and why: a disk that failed once may not fail again. */
  #damaged(): Map<ColdFile, string> {
    const { fs, directory, catalog } = this.#context;
    const damaged = new Map<ColdFile, string>();
    for (const file of catalog.state().files) {
      if (file.damage !== undefined || !this.#suspects.has(file.id)) continue;
      const why = damageOf(fs, coldPath(directory, file));
      if (why !== undefined) damaged.set(file, why);
    }
    return damaged;
  }
}

function damageOf(fs: FileSystem, path: string): string | undefined {
  let file: OpenFile | undefined;
  try {
    file = fs.openSync(path, 'read');
    ParquetFile.open(file, path).verify();
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'TW_COLD_DAMAGED' || code === 'ENOENT' ? message : undefined;
  } finally {
    file?.closeSync();
  }
}

function setAsideFiles(
  fs: FileSystem,
  directory: string,
  catalog: Catalog,
  damaged: ReadonlyMap<ColdFile, string>,
): void {
  if (damaged.size === 0) return;
  catalog.publish({ damaged: new Map([...damaged].map(([{ id }, why]) => [id, why])) });
  for (const file of damaged.keys()) {
    const path = coldPath(directory, file);
    if (fs.statSync(path) === undefined) continue;
    fs.renameSync(path, `${path}.damaged`);
    fs.syncDirectorySync(dirname(path));
  }
}

async function dropFiles(
  fs: FileSystem,
  directory: string,
  catalog: Catalog,
  files: readonly ColdFile[],
): Promise<void> {
  if (files.length === 0) return;
  catalog.publish({ remove: files.map(({ id }) => id) });
  for (const file of files) {
    const path = coldPath(directory, file);
    await removeFile(
      fs,
      file.damage !== undefined && fs.statSync(path) === undefined ? `${path}.damaged` : path,
    );
  }
}

/** Oldest first. */
function partitionsOf(signal: ColdSignal, files: readonly ColdFile[]): Partition[] {
  return [...Map.groupBy(files, ({ partition }) => partition)]
    .map(([partition, own]) => ({
      signal,
      partition,
      files: own,
      maxTime: own.reduce((max, { maxTime }) => (maxTime > max ? maxTime : max), 0n),
      bytes: own.reduce((sum, file) => sum + file.bytes, 0),
    }))
    .sort((a, b) => (a.partition < b.partition ? -1 : 1));
}
