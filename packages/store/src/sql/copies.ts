/**
 * Keeps SQL from counting a span twice that was inserted twice.
 *
 * A file has each span once, but two files may have a copy each: an insert was repeated, and the repetition came
 * into another part of the log. Whether that is so is found out once for each file of what is hot, by joining it
 * with the others; DuckDB reads of those only what the statistics say may overlap in time. What is found stands
 * in a table of keys, and only rows with such a key are compared when a query runs. Nearly always there is none,
 * and a view is a plain scan. Files of the cold tier have no copies among themselves.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { UNFINISHED } from '../hot/spans/same-span.ts';
import { readParquet, text } from './tables.ts';

/** What a span is known by. */
const KEY = 'trace_id, span_id, start_time';

/** What makes the table of keys. */
export const COPIES_TABLE =
  'CREATE TABLE span_copies (trace_id VARCHAR, span_id VARCHAR, start_time TIMESTAMP_NS)';

/** Knows the keys of spans that are in more than one file. */
export class Copies {
  /** Files of what is hot that were compared with all that were known then. */
  #hot = new Set<string>();
  /** Files of the cold tier that those were compared with. */
  #cold = new Set<string>();
  #some = false;
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * Where the spans of some files are read from, each once: what stands behind `FROM`.
   *
   * @param connection - for the search for copies
   */
  source(connection: DuckDBConnection, hot: readonly string[], cold: readonly string[]): Promise<string> {
    const run = this.#turn.then(async () => {
      await this.#compare(connection, hot, cold);
      const files = readParquet([...cold, ...hot]);
      return this.#some ? withoutCopies(files) : files;
    });
    this.#turn = run.catch(() => {});
    return run;
  }

  async #compare(
    connection: DuckDBConnection,
    hot: readonly string[],
    cold: readonly string[],
  ): Promise<void> {
    const compared = new Set(hot.filter((path) => this.#hot.has(path)));
    const newCold = cold.filter((path) => !this.#cold.has(path));
    const pairs: [files: readonly string[], others: readonly string[]][] = [];
    if (newCold.length > 0 && compared.size > 0) pairs.push([[...compared], newCold]);
    const known = [...cold, ...compared];
    for (const path of hot) {
      if (compared.has(path)) continue;
      if (known.length > 0) pairs.push([[path], [...known]]);
      known.push(path);
    }
    for (const [files, others] of pairs) {
      const { rowsChanged } = await connection.run(
        `INSERT INTO span_copies SELECT DISTINCT ${KEY} FROM ${readParquet(files)}
           SEMI JOIN (SELECT ${KEY} FROM ${readParquet(others)}) AS others USING (${KEY})`,
      );
      this.#some ||= rowsChanged > 0;
    }
    // Only now: a search that was stopped begins again.
    this.#hot = new Set(hot);
    this.#cold = new Set(cold);
  }
}

/** As `preferredCopy` of the index chooses: the finished one, else the one that ended later. */
function withoutCopies(files: string): string {
  const unfinished = `coalesce(attributes[${text(UNFINISHED)}] = 'true', false)`;
  return `(
    SELECT * FROM ${files} ANTI JOIN span_copies USING (${KEY})
    UNION ALL
    SELECT * FROM ${files} SEMI JOIN span_copies USING (${KEY})
      QUALIFY row_number() OVER (PARTITION BY ${KEY} ORDER BY ${unfinished}, duration_ns DESC) = 1
  )`;
}
