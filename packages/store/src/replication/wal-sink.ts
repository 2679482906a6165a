import type { WalPosition } from './replication-error.ts';

/**
 * Where a leader ships its log: a standby, however it is reached. A store that was opened with `standby` is one, for
 * tests and for two directories of one machine; `tcpWalSink` reaches one over the network.
 *
 * The leader sends the next records of a log while earlier ones are under way, a few at a time: the standby has to get
 * them in the order of the calls. After a failure the leader lets all of them end and begins again with `walPosition`.
 */
export interface WalSink {
  /** Names the standby: in health, and in the tail that keeps the log for it. `a-z`, `0-9`, `_` and `-`. */
  readonly name: string;
  /**
   * Delivers a framed record; resolves when the standby has it durably, with where its copy of that log ends.
   *
   * @param record - valid until the promise settles: the leader uses the memory again
   * @throws `ReplicationError`, as a rejection, as the standby's `applyFramedWal` does. Whatever else is thrown
   * counts as an interruption: the leader tries again.
   */
  applyFramedWal(record: Uint8Array): Promise<WalPosition>;
  /**
   * Where the standby's copy of a log ends; `undefined` if it has none.
   *
   * @param epoch - the leader's
   * @throws `ReplicationError` (`TW_REPLICATION_FENCED`), as a rejection, if that is over
   */
  walPosition(writer: string, epoch: number): Promise<WalPosition | undefined>;
  /** Releases what the sink holds. Called when the leader is closed. */
  close?(): Promise<void>;
}
