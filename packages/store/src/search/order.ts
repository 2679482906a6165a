import { shown } from '../shown.ts';

/**
 * In which order a query returns what it finds.
 *
 * @throws TypeError, RangeError naming the field
 */
export function orderOf(
  caller: string,
  {
    order = 'newest',
    text,
    cursor,
  }: {
    readonly order?: 'newest' | 'relevance' | undefined;
    readonly text?: string | undefined;
    readonly cursor?: string | undefined;
  },
): 'newest' | 'relevance' {
  if (order !== 'newest' && order !== 'relevance') {
    throw new RangeError(`${caller}: order must be 'newest' or 'relevance', got ${shown(order)}`);
  }
  if (order === 'relevance' && (text === undefined || cursor !== undefined)) {
    throw new TypeError(
      `${caller}: order 'relevance' needs a text, and has no cursor: it returns the best only`,
    );
  }
  return order;
}
