import { compareSpanKeys } from '../query/spans/span-order.ts';
import { rowOf, type SearchHit, type SearchRequest } from './search-db.ts';

/** What asks the index. */
export interface HitSource {
  find(request: SearchRequest): Promise<readonly SearchHit[]>;
}

/** What hits are wanted, but for their number and order. */
export type WantedHits = Omit<SearchRequest, 'order' | 'limit'>;

const FIRST_HITS = 200;
const MAX_HITS = 5000;

/** The hits in the order of a query: the newest first, or the best. */
export function hitsFor(
  source: HitSource,
  wanted: WantedHits,
  { order, limit }: { readonly order: 'newest' | 'relevance'; readonly limit: number },
): AsyncGenerator<SearchHit> {
  return order === 'relevance' ? best(source, wanted, limit) : newest(source, wanted, limit);
}

/** The best hits, as many as a page of those that match can need. */
async function* best(source: HitSource, wanted: WantedHits, page: number): AsyncGenerator<SearchHit> {
  const limit = Math.min(MAX_HITS, Math.max(FIRST_HITS, page * 4));
  yield* await source.find({ ...wanted, order: 'relevance', limit });
}

/**
 * The hits in the order of their times, those of the same nanosecond in that of their ids. They come in the order of
 * their rows, and a record's row is its time or a little later; so a hit may go on once a row has come that is older
 * than its time.
 */
async function* newest(source: HitSource, wanted: WantedHits, page: number): AsyncGenerator<SearchHit> {
  let { beforeRow } = wanted;
  let held: SearchHit[] = [];
  const release = function* (until: bigint): Generator<SearchHit> {
    held.sort(compareHits);
    let count = 0;
    while (count < held.length && rowOf(held[count]!.time) >= until) count++;
    yield* held.slice(0, count);
    held = held.slice(count);
  };
  let limit = Math.min(MAX_HITS, Math.max(FIRST_HITS, 2 * page));
  for (;;) {
    const hits = await source.find({ ...wanted, beforeRow, order: 'newest', limit });
    held.push(...hits);
    if (hits.length < limit) break;
    beforeRow = hits.at(-1)!.row;
    yield* release(beforeRow);
    limit = Math.min(MAX_HITS, 2 * limit);
  }
  yield* release(-1n);
}

function compareHits(a: SearchHit, b: SearchHit): number {
  return compareSpanKeys({ startTimeUnixNanos: a.time, ...a }, { startTimeUnixNanos: b.time, ...b });
}
