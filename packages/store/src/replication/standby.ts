import type { FileSystem } from '../fs/file-system.ts';
import { isWriterName, logDirectory } from '../log/names.ts';
import { readReign, writeReign } from './epoch-file.ts';
import { Replica } from './replica.ts';
import { ReplicationError, type WalPosition } from './replication-error.ts';
import { parseWalRecord } from './wal-record.ts';

/** The standby's side: copies of the logs of all writers of the leader, and the epoch that is in force. */
export class Standby {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #replicas = new Map<string, Replica>();
  #epoch: number;
  #status: 'standby' | 'promoted' | 'closed' = 'standby';
  /** Records are taken one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #recordsTaken = 0;

  /** @param directory - is there, with a directory for logs in it */
  constructor(fs: FileSystem, directory: string) {
    this.#fs = fs;
    this.#directory = directory;
    const reign = readReign(fs, directory);
    this.#epoch = reign?.epoch ?? 0;
    // Before anything is received, so that nobody opens it to write meanwhile, as if it were the leader's.
    if (reign?.role !== 'standby') writeReign(fs, directory, { epoch: this.#epoch, role: 'standby' });
  }

  get epoch(): number {
    return this.#epoch;
  }

  get promoted(): boolean {
    return this.#status === 'promoted';
  }

  /** Records that were taken since opening, those included that were there already. */
  get recordsTaken(): number {
    return this.#recordsTaken;
  }

  /**
   * Takes a framed record: durable when it resolves.
   *
   * @throws `ReplicationError`, as a rejection: `TW_REPLICATION_FENCED`, `TW_REPLICATION_GAP`,
   * `TW_REPLICATION_DAMAGED`, `TW_REPLICATION_DIVERGED`, `TW_REPLICATION_BUSY`
   */
  apply(bytes: Uint8Array): Promise<WalPosition> {
    return this.#inTurn(async () => {
      const record = parseWalRecord(bytes);
      this.#checkEpoch(record.epoch);
      if (!isWriterName(record.writer)) {
        throw new ReplicationError('TW_REPLICATION_DAMAGED', 'the record names no log; send it again');
      }
      if (record.epoch > this.#epoch) this.#setEpoch(record.epoch);
      const position = await this.#replica(record.writer).apply(record);
      this.#recordsTaken++;
      return position;
    });
  }

  /** Where the copy of a log ends. */
  position(writer: string, epoch: number): Promise<WalPosition | undefined> {
    return this.#inTurn(async () => {
      if (!isWriterName(writer)) throw new TypeError('walPosition: writer must be 16 hex digits');
      if (!Number.isSafeInteger(epoch)) throw new TypeError('walPosition: epoch must be a whole number');
      this.#checkEpoch(epoch);
      return this.#replica(writer).position();
    });
  }

  /** Ends the standing by: raises the epoch, so that the leader of now is refused from here on. */
  promote(): Promise<number> {
    return this.#inTurn(async () => {
      if (this.#status === 'standby') {
        writeReign(this.#fs, this.#directory, { epoch: this.#epoch + 1, role: 'leader' });
        this.#epoch++;
        this.#status = 'promoted';
        this.#closeReplicas();
      }
      return this.#epoch;
    });
  }

  /** Lets go of the logs. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#status === 'standby') this.#status = 'closed';
      this.#closeReplicas();
    });
  }

  #inTurn<Result>(run: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(run);
    this.#turn = result.catch(() => {});
    return result;
  }

  #checkEpoch(epoch: number): void {
    if (this.#status === 'closed') {
      throw new ReplicationError('TW_REPLICATION_UNAVAILABLE', 'the standby is being closed; try again');
    }
    if (epoch >= this.#epoch && this.#status === 'standby') return;
    throw new ReplicationError(
      'TW_REPLICATION_FENCED',
      `epoch ${epoch} is over: epoch ${this.#epoch} has begun; make this leader a standby of the new one`,
      { epoch: this.#epoch },
    );
  }

  #setEpoch(epoch: number): void {
    writeReign(this.#fs, this.#directory, { epoch, role: 'standby' });
    this.#epoch = epoch;
  }

  #replica(writer: string): Replica {
    let replica = this.#replicas.get(writer);
    if (replica?.failed) {
      // What the disk has is found out by reading it back, as after a crash.
      replica.close();
      this.#replicas.delete(writer);
      replica = undefined;
    }
    if (replica === undefined) {
      replica = new Replica(this.#fs, logDirectory(this.#directory), writer);
      this.#replicas.set(writer, replica);
    }
    return replica;
  }

  #closeReplicas(): void {
    for (const replica of this.#replicas.values()) replica.close();
    this.#replicas.clear();
  }
}
