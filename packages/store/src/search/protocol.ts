import type { FrameContent } from '../tails/follower.ts';
import type { Position } from '../tails/position.ts';
import type { SearchHit, SearchRequest } from './search-db.ts';

/** What a search thread can do. One thread indexes, another one searches, so that neither waits for the other. */
export interface SearchCalls {
  /** Opens the index to add to it, made anew if it must be; returns how far the logs are indexed. */
  open(attributes: readonly string[]): readonly Position[];
  /** Enters what frames hold. */
  index(frames: readonly IndexedFrame[], positions: readonly Position[]): void;
  /** Searches; nothing is found while there is no index. */
  find(request: SearchRequest): readonly SearchHit[];
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
