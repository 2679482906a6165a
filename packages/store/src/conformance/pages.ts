import { check, same, shown } from '@tracewell/plugin/conformance';
import type { Store } from '../store.ts';
import type { StoreTrial } from './store-trial.ts';

/** A page, whatever is on it. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly cursor: string | undefined;
}

/** The rows of all pages; checks that each page is as long as it can be. */
export async function allPages<Row>(
  trial: StoreTrial,
  limit: number,
  ask: (cursor: string | undefined) => Promise<Page<Row>>,
): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | undefined;
  for (let page = 1; ; page++) {
    const result = await trial.call('a query', () => ask(cursor));
    rows.push(...result.rows);
    if (result.cursor === undefined) {
      check(
        result.rows.length <= limit,
        `the last page has ${result.rows.length} rows, its limit is ${limit}`,
      );
      return rows;
    }
    same(result.rows.length, limit, `the number of rows on page ${page}, which has a cursor`);
    check(result.cursor !== cursor, `page ${page} has the cursor of the page before`);
    cursor = result.cursor;
  }
}

/** That rows come newest first, and twice in the same order. */
export function checkOrder<Row>(
  rows: readonly Row[],
  again: readonly Row[],
  timeOf: (row: Row) => bigint,
  what: string,
): void {
  for (let at = 1; at < rows.length; at++) {
    const [newer, older] = [timeOf(rows[at - 1]!), timeOf(rows[at]!)];
    check(newer >= older, `of ${what}, one of ${newer} comes before one of ${older}`);
  }
  same(again, rows, `${what} asked for again`);
}

/** That cursors can be kept and handed on, and that other texts are refused. */
export async function checkCursors(
  trial: StoreTrial,
  method: string,
  ask: (store: Store, cursor: string | undefined) => Promise<{ readonly cursor?: string }>,
): Promise<void> {
  const before = await trial.settled();
  const first = await trial.call(`${method}()`, () => ask(before, undefined));
  check(
    typeof first.cursor === 'string',
    `the cursor of a page that is not the last is ${shown(first.cursor)}`,
  );
  const second = await trial.call(`${method}()`, () => ask(before, first.cursor));
  const after = await trial.settled();
  same(
    await trial.call(`${method}()`, () => ask(after, first.cursor)),
    second,
    'the second page, asked for later',
  );
  for (const cursor of ['', 'next', `${first.cursor}A`, first.cursor.slice(1)]) {
    const error = await trial.rejection(`${method}()`, () => ask(after, cursor));
    check(
      error instanceof RangeError && error.message.includes('cursor'),
      `${method} with the cursor ${shown(cursor)} rejected with ${shown(error)}`,
    );
  }
}
