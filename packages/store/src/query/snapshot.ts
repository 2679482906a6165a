/**
 * What a query reads: the segments of the hot tier that are not retired, and the files of the cold tier that are
 * visible, both of one moment, so that each row is in exactly one of them (but for one that was inserted again).
 *
 * A segment that is retired leaves the hot tier when the next query begins. A query that is running then has perhaps
 * seen too little of it, or fails to read a file that is gone; it is run again, on what is there now.
 */
import { TracewellError } from '@tracewell/plugin';
import { type ColdFiles, UnreadableFile } from '../cold/cold-files.ts';
import type { HotTier } from '../hot/hot-tier.ts';
import type { Segment } from '../log/types.ts';
import type { Catalog, CatalogState, ColdFile, ColdSignal } from '../meta/catalog.ts';

/**
 * How often a query is begun again because compaction took away what it read. Many times: while a gigabyte goes cold,
 * a segment leaves every second or two, and an analysis of millions of spans takes as long as that.
 */
const MAX_ATTEMPTS = 100;

/** Takes snapshots. */
export class Snapshots {
  readonly #segments: () => Iterable<Segment>;
  readonly #hot: HotTier;
  readonly #catalog: Pick<Catalog, 'state' | 'refresh'>;
  readonly #files: ColdFiles;
  /** Files that this process could not read, and why. */
  readonly #damage = new Map<string, string>();
  #state: CatalogState | undefined;
  #removals = -1;

  constructor(
    segments: () => Iterable<Segment>,
    hot: HotTier,
    catalog: Pick<Catalog, 'state' | 'refresh'>,
    files: ColdFiles,
  ) {
    this.#segments = segments;
    this.#hot = hot;
    this.#catalog = catalog;
    this.#files = files;
  }

  /** Files that could not be read since opening, and why. */
  get damage(): ReadonlyMap<string, string> {
    return this.#damage;
  }

  /**
   * What is visible now. Cheap when nothing has changed. To be called after the log was refreshed.
   *
   * @param isFresh - whether that was so lately that what was visible then is good enough: it saves two system calls,
   * a tenth of finding a trace of eight spans
   */
  take(isFresh = false): Snapshot {
    const isKnown = isFresh && this.#state !== undefined && this.#removals === this.#hot.removals;
    const state = isKnown ? this.#state! : this.#catalog.state();
    if (state !== this.#state) {
      this.#state = state;
      this.#hot.retire(state.retired, this.#segments());
      this.#files.retain(state.files);
    }
    this.#removals = this.#hot.removals;
    return new Snapshot(state, this.#segments, this.#files, this.#damage, this.#hot);
  }

  /**
   * Runs a query on a snapshot, again if what it read was taken away meanwhile.
   *
   * @param refresh - to be awaited before each attempt but the first
   * @param isFresh - as for {@link Snapshots.take}, for the first attempt
   * @throws `TracewellError` (`TW_QUERY_OVERTAKEN`) if that happens again and again
   */
  async run<Result>(
    query: (snapshot: Snapshot) => Promise<Result>,
    refresh: () => Promise<void>,
    isFresh = false,
  ): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      const snapshot = this.take(isFresh && attempt === 1);
      try {
        const result = await query(snapshot);
        if (snapshot.isWhole) return result;
      } catch (error) {
        if (snapshot.isWhole && !(await this.#isOvertaken(snapshot, error, refresh))) throw error;
      }
      if (attempt === MAX_ATTEMPTS) {
        throw new TracewellError(
          'TW_QUERY_OVERTAKEN',
          `compaction took away what the query read, ${attempt} times in a row; ask again, or for less at a time`,
        );
      }
      await refresh();
    }
  }

  /** Whether something could not be read because it is not where the snapshot says any more. */
  async #isOvertaken(snapshot: Snapshot, error: unknown, refresh: () => Promise<void>): Promise<boolean> {
    const isGone = error instanceof UnreadableFile && error.isGone;
    const isReadError = error instanceof TracewellError && error.code === 'TW_LOG_READ_FAILED';
    if (!isGone && !isReadError) return false;
    await refresh();
    this.#catalog.refresh();
    if (this.take().state !== snapshot.state || !snapshot.isWhole) return true;
    if (!isGone) return false;
    // Nobody has replaced it: it was removed from outside, and the result without it is partial.
    this.#damage.set(error.file.id, error.message);
    return true;
  }
}

/** What one attempt of a query reads. */
export class Snapshot {
  readonly state: CatalogState;
  readonly files: ColdFiles;
  readonly #segments: () => Iterable<Segment>;
  readonly #damage: Map<string, string>;
  readonly #hot: HotTier;
  readonly #removals: number;
  readonly #missing = new Map<string, string>();

  constructor(
    state: CatalogState,
    segments: () => Iterable<Segment>,
    files: ColdFiles,
    damage: Map<string, string>,
    hot: HotTier,
  ) {
    this.state = state;
    this.files = files;
    this.#segments = segments;
    this.#damage = damage;
    this.#hot = hot;
    this.#removals = hot.removals;
  }

  /** How often rows had left the hot tier when the snapshot was taken. */
  get removals(): number {
    return this.#removals;
  }

  /** Whether the hot tier still has all that it had when the snapshot was taken. */
  get isWhole(): boolean {
    return this.#hot.removals === this.#removals;
  }

  /** The segments that hold rows of the snapshot. */
  *segments(): Generator<Segment> {
    for (const segment of this.#segments()) if (!this.state.retired.has(segment.id)) yield segment;
  }

  /** The files of a signal that may have rows of a time, whether or not they can be read. */
  cold(signal: ColdSignal, minTime = 0n, maxTime = 0xffff_ffff_ffff_ffffn): ColdFile[] {
    return this.state.files.filter(
      (file) => file.signal === signal && file.minTime <= maxTime && file.maxTime >= minTime,
    );
  }

  /** As {@link Snapshot.cold}, those that can be read; the others make the result partial. */
  readable(signal: ColdSignal, minTime?: bigint, maxTime?: bigint): ColdFile[] {
    return this.cold(signal, minTime, maxTime).filter((file) => {
      const damage = file.damage ?? this.#damage.get(file.id);
      if (damage === undefined) return true;
      this.#missing.set(file.id, damage);
      return false;
    });
  }

  /**
   * Takes note that a file could not be read: the result is partial.
   *
   * @throws the error if it is none of that, or if the file is gone, so that the query is run again
   */
  skip(error: unknown): void {
    if (!(error instanceof UnreadableFile)) throw error;
    if (error.isGone) throw error;
    this.#damage.set(error.file.id, error.message);
    this.#missing.set(error.file.id, error.message);
  }

  /** Why the result lacks rows, if it does. */
  get partial(): readonly string[] | undefined {
    return this.#missing.size === 0 ? undefined : [...this.#missing.values()];
  }
}
