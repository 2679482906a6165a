import type { RequestId } from './request-id.ts';
import type { RequestRuns } from './request-runs.ts';
import { NO_OWNER, RequestTable } from './request-table.ts';

/** The part of a segment's index that its requests are known by. */
export interface ClaimingIndex {
  readonly serial: number;
  readonly blocks: readonly { readonly requests: RequestRuns }[];
}

/** Whose a request is. */
export type Claim = 'new' | 'own' | "another's";

/**
 * Says of each request which segment counts it: the first that had it. A request that comes again is left out of
 * the same segment. In another one it is kept, since that one may outlive the first, but counts only then; whoever
 * reads meets the two copies of a record side by side, because their place in the order is the same.
 */
export class RequestClaims {
  readonly #table = new RequestTable();
  // Whether the table knows of segments that are gone, and has to be made anew.
  #stale = false;

  /** Claims a request for a segment. */
  claim({ high, low }: RequestId, { serial }: ClaimingIndex): Claim {
    const owner = this.#table.claim(high, low, serial);
    return owner === NO_OWNER ? 'new' : owner === serial ? 'own' : "another's";
  }

  /** Claims all requests of a segment, and marks those that another has already. */
  claimAll({ blocks, serial }: ClaimingIndex): void {
    let copy = false;
    for (const { requests } of blocks) {
      for (let run = 0; run < requests.count; run++) {
        // A request that goes on in another run is what it was in the one before.
        if (requests.isStart(run)) {
          copy = this.#table.claim(requests.high(run), requests.low(run), serial) !== NO_OWNER;
        }
        requests.setCopy(run, copy);
      }
    }
  }

  /** Says that a segment is gone. */
  forget(): void {
    this.#stale = true;
  }

  /** To be called before anything else: lets what was a copy of requests that are gone count. */
  settle(indexes: Iterable<ClaimingIndex>): void {
    if (!this.#stale) return;
    this.#table.clear();
    for (const index of indexes) this.claimAll(index);
    this.#stale = false;
  }

  /** Bytes of memory. */
  get byteLength(): number {
    return this.#table.byteLength;
  }
}
