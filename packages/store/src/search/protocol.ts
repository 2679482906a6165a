import type { FrameContent } from '../tails/follower.ts';
import type { Position } from '../tails/position.ts';
import type { SearchHit, SearchRecord, SearchRequest, SearchSignal } from './search-db.ts';

/** What a search thread can do. One thread indexes, another one searches, so that neither waits for the other. */
export interface SearchCalls {
  /**
   * Opens the index to add to it, made anew if it must be.
   *
   * @param coldFiles - the ids of the files of the cold tier: what a new index lacks
   */
  open(attributes: readonly string[], coldFiles: readonly string[]): IndexState;
  /** Enters what frames hold. */
  index(frames: readonly IndexedFrame[], positions: readonly Position[]): void;
  /** Enters records of the cold tier. */
  enter(records: readonly SearchRecord[]): void;
  /** Notes which files of the cold tier are still to be entered. */
  setMissingFiles(files: readonly string[]): void;
  /** Forgets some of what is older than the store; returns whether there is more. */
  forget(oldest: Readonly<Record<SearchSignal, bigint | undefined>>): boolean;
  /** Searches; nothing is found while there is no index. */
  find(request: SearchRequest): readonly SearchHit[];
}

/** How far an index is. */
export interface IndexState {
  /** How far the logs are indexed. */
  readonly positions: readonly Position[];
  /** Files of the cold tier that are still to be entered. */
  readonly missingFiles: readonly string[];
}

/** A frame to be indexed. */
export interface IndexedFrame {
  readonly content: FrameContent;
  readonly payload: Uint8Array;
}

/** A call on its way to the thread. */
export interface Call {
  readonly id: number;
  readonly name: keyof SearchCalls;
  readonly args: readonly unknown[];
}

/** What became of a call. */
export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  /** Set if it failed. */
  readonly error?: { readonly message: string; readonly damaged: boolean };
}
