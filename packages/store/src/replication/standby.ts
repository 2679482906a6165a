import type { FileSystem } from '../fs/file-system.ts';
import { isWriterName, logDirectory } from '../log/names.ts';
import { readReign, writeReign } from './epoch-file.ts';
import { Replica } from './replica.ts';
import { ReplicationError, type WalPosition } from './replication-error.ts';
import { parseWalRecord } from './wal-record.ts';

/** A record that waits to be taken. */
interface Waiting {
  readonly bytes: Uint8Array;
  readonly resolve: (position: WalPosition) => void;
  readonly reject: (error: unknown) => void;
}

/** The standby's side: copies of the logs of all writers of the leader, and the epoch that is in force. */
export class Standby {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #replicas = new Map<string, Replica>();
  #epoch: number;
  #status: 'standby' | 'promoted' | 'closed' = 'standby';
  readonly #waiting: Waiting[] = [];
  /** Calls are answered one after the other. */
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
   * Takes a framed record: durable when it resolves. Records that wait at the same time share a sync.
   *
   * @throws `ReplicationError`, as a rejection: `TW_REPLICATION_FENCED`, `TW_REPLICATION_GAP`,
   * `TW_REPLICATION_DAMAGED`, `TW_REPLICATION_DIVERGED`, `TW_REPLICATION_BUSY`
   */
  apply(bytes: Uint8Array): Promise<WalPosition> {
    const { promise, resolve, reject } = Promise.withResolvers<WalPosition>();
    this.#waiting.push({ bytes, resolve, reject });
    if (this.#waiting.length === 1) void this.#inTurn(() => this.#applyWaiting());
    return promise;
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

  async #applyWaiting(): Promise<void> {
    const records = this.#waiting.splice(0);
    const written: { record: Waiting; position: WalPosition; replica: Replica }[] = [];
    for (const record of records) {
      try {
        const parsed = parseWalRecord(record.bytes);
        this.#checkEpoch(parsed.epoch);
        if (parsed.epoch > this.#epoch) this.#setEpoch(parsed.epoch);
        const replica = this.#replica(parsed.writer);
        written.push({ record, position: await replica.write(parsed), replica });
      } catch (error) {
        record.reject(error);
      }
    }
    for (const { record, position, replica } of written) {
      try {
        // The first of a log does it for all.
        await replica.sync();
        this.#recordsTaken++;
        record.resolve(position);
      } catch (error) {
        record.reject(error);
      }
    }
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
