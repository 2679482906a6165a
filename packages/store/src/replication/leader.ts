import { resolve } from 'node:path';
import { nodeFileSystem } from '../fs/node-file-system.ts';
import type { Log } from '../log/types.ts';
import type { FrameSignal } from '../tails/frame-signal.ts';
import { type Position, segmentsOf } from '../tails/position.ts';
import { readReign, writeReign } from './epoch-file.ts';
import { Feed, type FeedState } from './feed.ts';
import { ReplicationError } from './replication-error.ts';
import type { WalSink } from './wal-sink.ts';

/** How a store ships its log to standbys. */
export interface ReplicationOptions {
  /** The standbys. */
  readonly sinks: readonly WalSink[];
  /**
   * How many of them must have an insert durably before it is acknowledged; 0 to all. With 0 a standby lags behind a
   * little, and what it has not got yet is lost with the leader. Default 1.
   */
  readonly requiredAcks?: number;
  /**
   * Milliseconds that an insert waits for them. Then it rejects with `TW_REPLICATION_UNAVAILABLE`, which may be tried
   * again: it is in the log here, and shipped as soon as that is possible. Default 10,000.
   */
  readonly ackTimeoutMs?: number;
  /**
   * Bytes of the log that each standby may keep from compaction while it is away. One that needs what is gone has to
   * be made anew from a copy of the directory. Default 1 GiB.
   */
  readonly retainBytes?: number;
}

/** How replication is. */
export interface ReplicationHealth {
  /** The reign that this directory belongs to; it grows with every promotion. */
  readonly epoch: number;
  readonly role: 'leader' | 'standby';
  /** A leader's standbys. */
  readonly sinks: readonly SinkHealth[];
  /** Records that a standby has taken since it was opened. */
  readonly recordsTaken: number;
}

/** How shipping to one standby is. */
export interface SinkHealth {
  readonly name: string;
  /**
   * `shipping`: it has everything, or gets it; `connecting`: not reached yet; `failing`: tried again; `refused`: not
   * tried again before the store is reopened.
   */
  readonly state: FeedState;
  /** Bytes that it does not have yet, of our own log and of those whose writers have died. */
  readonly lagBytes: number;
  /** Why it fails, if it does. */
  readonly lastError?: unknown;
}

/** What a leader needs of the log. */
type ShippedLog = Pick<Log, 'writer' | 'segments' | 'health'>;

/** What takes frames. */
export type Appends<Prepared> = Pick<Log<Prepared>, 'append' | 'appendSync'>;

/** What keeps the log for whoever has not had it. */
export interface Retention {
  keep(name: string, retainBytes: number, positions: readonly Position[]): void;
}

/** How often logs of the dead are looked for, and positions noted. */
const TEND_MS = 1000;

/** Somebody who waits until enough standbys have our log up to a place. */
interface Waiting {
  readonly segment: number;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  readonly deadline: number;
}

/** The leader's side: a feed for each standby, and who waits for them. */
export class Leader {
  readonly #log: ShippedLog;
  readonly #signal: FrameSignal;
  readonly #options: ReplicationOptions;
  /** Feeds of logs whose writers have died: nobody else ships what is left in them. */
  readonly #others = new Map<string, Feed[]>();
  readonly #requiredAcks: number;
  readonly #ackTimeoutMs: number;
  readonly #feeds: Feed[];
  readonly #epoch: number;
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #tending: NodeJS.Timeout | undefined;
  #fenced: ReplicationError | undefined;

  constructor(directory: string, log: ShippedLog, signal: FrameSignal, options: ReplicationOptions) {
    const { sinks, requiredAcks = 1, ackTimeoutMs = 10_000 } = options;
    this.#log = log;
    this.#signal = signal;
    this.#options = options;
    this.#requiredAcks = requiredAcks;
    this.#ackTimeoutMs = ackTimeoutMs;
    this.#epoch = beginReign(directory);
    this.#feeds = sinks.map(
      (sink) => new Feed(sink, log, signal, this.#epoch, { changed: (feed) => this.#changed(feed) }),
    );
  }

  /**
   * The same appends, acknowledged when enough standbys have them too. `appendSync` cannot wait for anybody: what is
   * stored at process exit is durable here, and shipped by whoever takes the log over.
   */
  replicated<Prepared>(log: Appends<Prepared>): Appends<Prepared> {
    return {
      append: async (kind, payload, prepared) => {
        if (this.#fenced !== undefined) throw this.#fenced;
        await log.append(kind, payload, prepared);
        await this.#acknowledged();
      },
      appendSync: (kind, payload, prepared) => {
        if (this.#fenced !== undefined) throw this.#fenced;
        log.appendSync(kind, payload, prepared);
      },
    };
  }

  /** Ships the logs of the dead too, and has the log kept for standbys that are away. */
  tend(retention: Retention): void {
    this.#tend(retention);
    this.#tending = setInterval(() => this.#tend(retention), TEND_MS);
    this.#tending.unref();
  }

  #tend(retention: Retention): void {
    const { retainBytes = 1024 ** 3 } = this.#options;
    try {
      this.#tendOthers();
      for (const feed of this.#feeds) {
        const { name } = feed.sink;
        const others = [...this.#others.values()].flat().filter(({ sink }) => sink === feed.sink);
        const positions = [feed, ...others]
          .map(({ shipped }) => shipped)
          .filter((some) => some !== undefined);
        retention.keep(`standby-${name}`, retainBytes, positions);
      }
    } catch {
      // A full disk, a directory that is gone: the next time may do better, and nothing waits for this.
    }
  }

  #tendOthers(): void {
    const dead = new Set<string>();
    for (const { writer, state } of this.#log.health().writers) if (state === 'dead') dead.add(writer);
    for (const [writer, feeds] of this.#others) {
      if (dead.has(writer)) continue;
      // Taken over, and shipped by whoever did.
      this.#others.delete(writer);
      for (const feed of feeds) void feed.stop();
    }
    for (const writer of dead) {
      if (this.#others.has(writer)) continue;
      const log = { writer, segments: () => this.#log.segments() };
      const feeds = this.#options.sinks.map(
        (sink) => new Feed(sink, log, this.#signal, this.#epoch, { changed: () => {} }),
      );
      this.#others.set(writer, feeds);
    }
  }

  /** How it is going. */
  health(): ReplicationHealth {
    const others = [...this.#others.values()].flat();
    return {
      epoch: this.#epoch,
      role: 'leader',
      recordsTaken: 0,
      sinks: this.#feeds.map((feed) => {
        const { sink, state, lastError } = feed;
        const all = [feed, ...others.filter((other) => other.sink === sink)];
        const lagBytes = all.reduce((sum, one) => sum + one.lagBytes, 0);
        return { name: sink.name, state, lagBytes, ...(lastError !== undefined && { lastError }) };
      }),
    };
  }

  /** Stops shipping. Whoever still waits is told that it is unknown. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    clearInterval(this.#tending);
    const feeds = [...this.#feeds, ...[...this.#others.values()].flat()];
    const stopped = feeds.map((feed) => feed.stop());
    await Promise.all(this.#options.sinks.map((sink) => sink.close?.()));
    await Promise.all(stopped);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#unavailable('the store was closed'));
  }

  /** Waits until enough standbys have what our log holds now. */
  #acknowledged(): Promise<void> {
    if (this.#requiredAcks === 0) return Promise.resolve();
    const last = segmentsOf(this.#log.segments(), this.#log.writer).at(-1)!;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const deadline = Date.now() + this.#ackTimeoutMs;
    this.#waiting.push({ segment: last.number, bytes: last.bytes, resolve, reject, deadline });
    this.#timer ??= setInterval(() => this.#settle(), Math.min(100, this.#ackTimeoutMs));
    this.#settle();
    return promise;
  }

  #changed(feed: Feed): void {
    const { lastError } = feed;
    if (lastError instanceof ReplicationError && lastError.code === 'TW_REPLICATION_FENCED') {
      this.#fenced = lastError;
    }
    this.#settle();
  }

  #settle(): void {
    const failing = this.#feeds.filter(({ state }) => state === 'failing' || state === 'refused');
    const hopeless = this.#feeds.length - failing.length < this.#requiredAcks;
    const now = Date.now();
    this.#waiting = this.#waiting.filter((waiting) => {
      const { segment, bytes, resolve, reject, deadline } = waiting;
      const acks = this.#feeds.filter((feed) => feed.has(segment, bytes)).length;
      if (this.#fenced !== undefined) reject(this.#fenced);
      else if (acks >= this.#requiredAcks) resolve();
      else if (hopeless) reject(this.#unavailable('too few standbys can be reached', failing[0]?.lastError));
      else if (now >= deadline) reject(this.#unavailable(`no answer within ${this.#ackTimeoutMs} ms`));
      else return true;
      return false;
    });
    if (this.#waiting.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #unavailable(why: string, cause?: unknown): ReplicationError {
    return new ReplicationError(
      'TW_REPLICATION_UNAVAILABLE',
      `not acknowledged by ${this.#requiredAcks} standbys: ${why}; it is in the log here and will be shipped; try again`,
      { cause },
    );
  }
}

/** The epoch of a directory that leads. @throws `ReplicationError` if it stands by, or its file is damaged */
function beginReign(directory: string): number {
  const path = resolve(directory);
  const reign = readReign(nodeFileSystem, path);
  if (reign !== undefined) return reign.epoch;
  writeReign(nodeFileSystem, path, { epoch: 1, role: 'leader' });
  return 1;
}

/**
 * That a directory may be written to.
 *
 * @throws `ReplicationError` (`TW_REPLICATION_STANDBY`) if it stands by and was not promoted
 */
export function checkLeads(directory: string): void {
  if (readReign(nodeFileSystem, resolve(directory))?.role !== 'standby') return;
  throw new ReplicationError(
    'TW_REPLICATION_STANDBY',
    `${directory} is a standby; open it with standby: true, and promote it if it is to lead`,
  );
}
