/**
 * What is hot, as files that DuckDB can read.
 *
 * Segments of the log are turned into files of the same kind as the cold ones, in a private directory, each part
 * of them once: a query pays only for what came since the last one of its signals. A sealed segment becomes one
 * file. One that still grows becomes a row of them; a new part takes in those before it that are not much larger
 * than itself, so that there are few, and each frame is written anew only some times.
 *
 * ```
 * <directory>/<segment id>-<signal>-<from>-<to>.parquet   rows of the frames from one offset to another
 *                                            .done      this part is complete; it may have no rows and no file
 * ```
 *
 * The directory outlives the process when that has to be killed: what is done is found again.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { writeHotRows } from './hot-rows.ts';
import { type HotSegment, payloadsOf } from './hot-segment.ts';
import type { RowFiles } from './tables.ts';

/** A stretch of a segment, as a file. */
interface Part {
  readonly from: number;
  readonly to: number;
  /** Without its ending. */
  readonly path: string;
  readonly hasRows: boolean;
}

/** Files that a query reads, until it releases them. */
export interface HeldFiles {
  readonly paths: readonly string[];
  release(): void;
  /** Whether somebody else has removed some of them. They are made again when they are asked for again. */
  forgetLost(): boolean;
}

/** A part takes in the one before it unless that is so many times as large. */
const MERGE_RATIO = 4;
/** No part is of more than so many bytes of log, unless a single frame is: one step takes a fraction of a second. */
const MAX_PART_BYTES = 64 * 1024 * 1024;

const NAME = /^([0-9a-f]{16}-\w+)-(\d+)-(\d+)\.done$/;

/** Keeps the files of hot segments. */
export class HotFiles {
  readonly #directory: string;
  /** By segment and signal. In the order of the offsets, and without gaps. */
  readonly #parts = new Map<string, Part[]>();
  readonly #held = new Map<string, number>();
  /** Replaced or retired, and still held. */
  readonly #doomed = new Set<string>();
  #turn: Promise<unknown> = Promise.resolve();

  /** @param directory - private to this process and those before it */
  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#adopt();
  }

  /**
   * The files of some segments' rows, complete up to where the segments say, made where they are not there yet.
   *
   * @param isWanted - asked between two steps; what is done stays done
   * @throws `FileGone`
   */
  files(rows: RowFiles, segments: readonly HotSegment[], isWanted: () => boolean): Promise<HeldFiles> {
    const run = this.#turn.then(async () => {
      const paths: string[] = [];
      for (const segment of segments) {
        const parts = await this.#partsOf(rows, segment, isWanted);
        paths.push(...parts.filter(({ hasRows }) => hasRows).map(({ path }) => `${path}.parquet`));
      }
      return this.#hold(paths);
    });
    this.#turn = run.catch(() => {});
    return run;
  }

  /** Removes what is of other segments than these; not while files are being gathered. */
  retain(segments: readonly HotSegment[]): void {
    const ids = new Set(segments.map(({ id }) => id));
    this.#turn = this.#turn.then(() => {
      for (const [key, parts] of this.#parts) {
        if (ids.has(key.slice(0, 16))) continue;
        this.#parts.delete(key);
        for (const part of parts) this.#remove(part);
      }
    });
  }

  async #partsOf(rows: RowFiles, segment: HotSegment, isWanted: () => boolean): Promise<readonly Part[]> {
    const key = `${segment.id}-${rows.signal}`;
    let parts = this.#parts.get(key);
    if (parts === undefined) {
      parts = [];
      this.#parts.set(key, parts);
    }
    for (;;) {
      const done = parts.at(-1)?.to ?? 0;
      if (done >= segment.bytes) return parts;
      if (!isWanted()) throw new Error('not wanted any more');
      const to = Math.min(segment.bytes, done + MAX_PART_BYTES);
      let first = parts.length;
      while (
        first > 0 &&
        to - parts[first - 1]!.from <= Math.min(MAX_PART_BYTES, MERGE_RATIO * (to - parts[first - 1]!.to))
      ) {
        first--;
      }
      const part = this.#convert(rows, segment, parts[first]?.from ?? done, to);
      for (const replaced of parts.splice(first, parts.length, part)) this.#remove(replaced);
      // Others want to know whether they are still wanted, too.
      await nextTurn();
    }
  }

  #convert(rows: RowFiles, segment: HotSegment, from: number, to: number): Part {
    const path = join(this.#directory, `${segment.id}-${rows.signal}-${from}-${to}`);
    const file = openSync(`${path}.tmp`, 'w', 0o600);
    let hasRows: boolean;
    try {
      hasRows = writeHotRows(rows.signal, payloadsOf(segment, rows.content, from, to), {
        write: (bytes) => writeFully(file, bytes),
      });
    } catch (error) {
      rmSync(`${path}.tmp`);
      throw error;
    } finally {
      closeSync(file);
    }
    if (hasRows) renameSync(`${path}.tmp`, `${path}.parquet`);
    else rmSync(`${path}.tmp`);
    closeSync(openSync(`${path}.done`, 'w', 0o600));
    return { from, to, path, hasRows };
  }

  #hold(paths: readonly string[]): HeldFiles {
    for (const path of paths) this.#held.set(path, (this.#held.get(path) ?? 0) + 1);
    const release = (): void => {
      for (const path of paths) {
        const count = (this.#held.get(path) ?? 0) - 1;
        if (count > 0) this.#held.set(path, count);
        else {
          this.#held.delete(path);
          if (this.#doomed.delete(path)) rmSync(path, { force: true });
        }
      }
    };
    return { paths, release, forgetLost: () => this.#forgetLost(paths) };
  }

  #forgetLost(paths: readonly string[]): boolean {
    const lost = paths.filter((path) => !existsSync(path));
    if (lost.length === 0) return false;
    for (const [key, parts] of this.#parts) {
      if (!parts.some(({ path }) => lost.includes(`${path}.parquet`))) continue;
      this.#parts.delete(key);
      for (const part of parts) this.#remove(part);
    }
    return true;
  }

  /** The mark goes first, so that a file without it is never taken for a part. */
  #remove({ path, hasRows }: Part): void {
    rmSync(`${path}.done`, { force: true });
    if (!hasRows) return;
    const file = `${path}.parquet`;
    if (this.#held.has(file)) this.#doomed.add(file);
    else rmSync(file, { force: true });
  }

  /** Takes over what a process before this one has done. */
  #adopt(): void {
    const names = readdirSync(this.#directory);
    const there = new Set(names);
    const kept = new Set<string>();
    for (const name of names) {
      const match = NAME.exec(name);
      if (match === null) continue;
      const key = match[1]!;
      const base = name.slice(0, -'.done'.length);
      const hasRows = there.has(`${base}.parquet`);
      const part = {
        from: Number(match[2]),
        to: Number(match[3]),
        path: join(this.#directory, base),
        hasRows,
      };
      this.#parts.set(key, [...(this.#parts.get(key) ?? []), part]);
    }
    for (const [key, parts] of this.#parts) {
      this.#parts.set(key, chained(parts));
      for (const { path } of this.#parts.get(key)!) kept.add(`${path}.done`).add(`${path}.parquet`);
    }
    for (const name of names) {
      const path = join(this.#directory, name);
      if (!kept.has(path)) rmSync(path, { force: true });
    }
  }
}

/** Those parts that follow one another from the start on, the longest ones where they overlap. */
function chained(parts: readonly Part[]): Part[] {
  const chain: Part[] = [];
  for (;;) {
    const end = chain.at(-1)?.to ?? 0;
    const next = parts.filter(({ from }) => from === end).sort((a, b) => b.to - a.to)[0];
    if (next === undefined) return chain;
    chain.push(next);
  }
}

function writeFully(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}
