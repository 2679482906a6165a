import { nextTurn, turnIsOver } from './turn.ts';

/**
 * Records in the order of their keys, from as many sources as there are: each hands out its own in that order, and no
 * further than it is asked. Of copies with the same key the first source's is taken.
 *
 * @param compare - negative if the first comes before the second, 0 if they are copies
 */
export async function* newestFirst<Row>(
  sources: readonly AsyncIterable<Row>[],
  compare: (a: Row, b: Row) => number,
): AsyncGenerator<Row> {
  if (sources.length === 1) {
    yield* sources[0]!;
    return;
  }
  const iterators = sources.map((source) => source[Symbol.asyncIterator]());
  try {
    const heads = await Promise.all(iterators.map((iterator) => iterator.next()));
    for (;;) {
      let best: Row | undefined;
      for (const { done, value } of heads) {
        if (!done && (best === undefined || compare(value, best) < 0)) best = value;
      }
      if (best === undefined) return;
      yield best;
      for (const [at, { done, value }] of heads.entries()) {
        if (!done && compare(value, best) === 0) heads[at] = await iterators[at]!.next();
      }
    }
  } finally {
    await Promise.all(iterators.map((iterator) => iterator.return?.()));
  }
}

/** The first `limit` rows, and whether there are more. */
export async function firstRows<Row>(
  rows: AsyncIterable<Row>,
  limit: number,
): Promise<{ readonly rows: Row[]; readonly more: boolean }> {
  const first: Row[] = [];
  for await (const row of rows) {
    if (first.length === limit) return { rows: first, more: true };
    first.push(row);
    if (first.length % 64 === 0 && turnIsOver()) await nextTurn();
  }
  return { rows: first, more: false };
}
