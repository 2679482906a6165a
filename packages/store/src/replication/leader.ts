import { resolve } from 'node:path';
import { nodeFileSystem } from '../fs/node-file-system.ts';
import type { Log } from '../log/types.ts';
import type { FrameSignal } from '../tails/frame-signal.ts';
import { segmentsOf } from '../tails/position.ts';
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
  /** Bytes of our own log that it does not have yet. */
  readonly lagBytes: number;
  /** Why it fails, if it does. */
  readonly lastError?: unknown;
}

/** What takes frames. */
export type Appends<Prepared> = Pick<Log<Prepared>, 'append' | 'appendSync'>;

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
  readonly #log: Pick<Log, 'writer' | 'segments'>;
  readonly #requiredAcks: number;
  readonly #ackTimeoutMs: number;
  readonly #feeds: Feed[];
  readonly #epoch: number;
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #fenced: ReplicationError | undefined;

  constructor(
    directory: string,
    log: Pick<Log, 'writer' | 'segments'>,
    signal: FrameSignal,
    { sinks, requiredAcks = 1, ackTimeoutMs = 10_000 }: ReplicationOptions,
  ) {
    this.#log = log;
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

  /** How it is going. */
  health(): ReplicationHealth {
    const segments = segmentsOf(this.#log.segments(), this.#log.writer);
    return {
      epoch: this.#epoch,
      role: 'leader',
      recordsTaken: 0,
      sinks: this.#feeds.map((feed) => ({
        name: feed.sink.name,
        state: feed.state,
        lagBytes: segments.reduce((lag, { number, bytes }) => {
          const { position } = feed;
          if (position === undefined || position.segment < number) return lag + bytes;
          return position.segment > number ? lag : lag + Math.max(0, bytes - position.offset);
        }, 0),
        ...(feed.lastError !== undefined && { lastError: feed.lastError }),
      })),
    };
  }

  /** Stops shipping. Whoever still waits is told that it is unknown. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#feeds.map((feed) => feed.close()));
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
