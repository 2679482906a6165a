import { type ErrorCode, TracewellError } from '@tracewell/plugin';

/** Where a copy of a writer's log ends. */
export interface WalPosition {
  /** The number of the last segment. */
  readonly segment: number;
  /** Its id: 16 hex digits. */
  readonly segmentId: string;
  /** Bytes of it that are there: whole groups. */
  readonly offset: number;
  /** The sequence number of the last frame. */
  readonly sequence: number;
  /** Where the last frame starts, and the CRC-32 in its header: what tells a copy from something as long. */
  readonly last: { readonly offset: number; readonly checksum: number };
}

type ReplicationCode = Extract<ErrorCode, `TW_REPLICATION_${string}`>;

/** Why a standby did not take a record, or a leader could not acknowledge. */
export class ReplicationError extends TracewellError {
  override readonly name = 'ReplicationError';
  declare readonly code: ReplicationCode;
  /** Where the standby's copy ends, if it wants what comes there. */
  readonly position: WalPosition | undefined;
  /** The epoch that is in force, if that is the reason. */
  readonly epoch: number | undefined;

  constructor(
    code: ReplicationCode,
    message: string,
    details: {
      readonly position?: WalPosition | undefined;
      readonly epoch?: number;
      readonly cause?: unknown;
    } = {},
  ) {
    super(code, message, details.cause === undefined ? undefined : { cause: details.cause });
    this.position = details.position;
    this.epoch = details.epoch;
  }
}
