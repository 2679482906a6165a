import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { nodeFileSystem } from '../fs/node-file-system.ts';
import { logDirectory } from '../log/names.ts';
import type { Log } from '../log/types.ts';
import type { FrameSignal } from '../tails/frame-signal.ts';
import {
  type Appends,
  checkLeads,
  Leader,
  type ReplicationHealth,
  type ReplicationOptions,
  type Retention,
} from './leader.ts';
import { ReplicationError, type WalPosition } from './replication-error.ts';
import { Standby } from './standby.ts';

/** What a store is told of replication. */
export interface ReplicationSettings {
  readonly standby: boolean;
  /** The standbys of a leader. */
  readonly replication: ReplicationOptions | undefined;
}

/** The part that a store plays in replication: leader, standby, or none. */
export class Replication {
  readonly #directory: string;
  readonly #standby: Standby | undefined;
  #leader: Leader | undefined;

  /**
   * To be made before the log is opened, which would take over the logs that a standby has copied.
   *
   * @throws `ReplicationError`: `TW_REPLICATION_STANDBY`, `TW_REPLICATION_DAMAGED`
   */
  constructor(directory: string, { standby }: ReplicationSettings, readOnly: boolean) {
    this.#directory = resolve(directory);
    if (standby) {
      mkdirSync(logDirectory(this.#directory), { recursive: true });
      this.#standby = new Standby(nodeFileSystem, this.#directory);
    } else if (!readOnly) {
      checkLeads(this.#directory);
    }
  }

  /** Begins to ship a log, and returns what its frames are to be appended with. */
  begin<Prepared>(
    log: Log<Prepared>,
    signal: FrameSignal,
    { replication }: ReplicationSettings,
  ): Appends<Prepared> {
    if (replication === undefined) return log;
    this.#leader = new Leader(this.#directory, log, signal, replication);
    return this.#leader.replicated(log);
  }

  /** Has the log kept for standbys that are away. */
  tend(retention: Retention): void {
    this.#leader?.tend(retention);
  }

  /** See `TraceStore.applyFramedWal`. */
  async applyFramedWal(record: Uint8Array): Promise<WalPosition> {
    return this.#asStandby().apply(record);
  }

  /** See `TraceStore.walPosition`. */
  async walPosition(writer: string, epoch: number): Promise<WalPosition | undefined> {
    return this.#asStandby().position(writer, epoch);
  }

  /** See `TraceStore.promote`. */
  async promote(): Promise<number> {
    return this.#asStandby().promote();
  }

  /** How it is; `undefined` for a store that takes no part. */
  health(): ReplicationHealth | undefined {
    if (this.#standby === undefined) return this.#leader?.health();
    const { epoch, promoted, recordsTaken } = this.#standby;
    return { epoch, role: promoted ? 'leader' : 'standby', sinks: [], recordsTaken };
  }

  /** Stops shipping and receiving. */
  async close(): Promise<void> {
    await this.#leader?.close();
    await this.#standby?.close();
  }

  #asStandby(): Standby {
    if (this.#standby !== undefined) return this.#standby;
    throw new ReplicationError(
      'TW_REPLICATION_STANDBY',
      `${this.#directory} was not opened as a standby; open it with standby: true`,
    );
  }
}
