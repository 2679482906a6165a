/**
 * Keeps SQL from counting a row twice that was inserted twice.
 *
 * A file has each row once, but two files may have a copy each: an insert was repeated, and the repetition came
 * into another part of the log. Whether that is so is found out once for each file of what is hot, by joining it
 * with the others; DuckDB reads of those only what the statistics say may overlap in time. What is found stands
 * in a table of keys, and only rows with such a key are compared when a query runs. Nearly always there is none,
 * and a view is a plain scan. Files of the cold tier have no copies among themselves.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { type Identity, type RowFiles, readParquet } from './tables.ts';

/** What makes the table of keys, empty. */
export function copiesTable({ signal, identity }: RowFiles): string {
  return `CREATE TABLE ${copiesOf(signal)} (${identity.key.map(({ name, type }) => `${name} ${type}`).join(', ')})`;
}

/** Knows the keys of rows that are in more than one file. */
export class Copies {
  readonly #name: string;
  readonly #identity: Identity;
  readonly #key: string;
  /** Files of what is hot that were compared with all that were known then. */
  #hot = new Set<string>();
  /** Files of the cold tier that those were compared with. */
  #cold = new Set<string>();
  #some = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ signal, identity }: RowFiles) {
    this.#name = copiesOf(signal);
    this.#identity = identity;
    this.#key = identity.key.map((column) => column.name).join(', ');
  }

  /**
   * Where the rows of some files, at least one, are read from, each row once: what stands behind `FROM`.
   *
   * @param connection - for the search for copies
   */
  source(connection: DuckDBConnection, hot: readonly string[], cold: readonly string[]): Promise<string> {
    const run = this.#turn.then(async () => {
      await this.#compare(connection, hot, cold);
      const files = readParquet([...cold, ...hot]);
      return this.#some ? this.#withoutCopies(files) : files;
    });
    this.#turn = run.catch(() => {});
    return run;
  }

  async #compare(
    connection: DuckDBConnection,
    hot: readonly string[],
    cold: readonly string[],
  ): Promise<void> {
    const compared = hot.filter((path) => this.#hot.has(path));
    const newCold = cold.filter((path) => !this.#cold.has(path));
    const known = [...cold, ...compared];
    const pairs: [files: readonly string[], others: readonly string[]][] = [];
    if (newCold.length > 0 && compared.length > 0) pairs.push([compared, newCold]);
    for (const path of hot) {
      if (this.#hot.has(path)) continue;
      if (known.length > 0) pairs.push([[path], [...known]]);
      known.push(path);
    }
    for (const [files, others] of pairs) {
      const { rowsChanged } = await connection.run(
        `INSERT INTO ${this.#name} SELECT DISTINCT ${this.#key} FROM ${readParquet(files)}
           SEMI JOIN (SELECT ${this.#key} FROM ${readParquet(others)}) AS others USING (${this.#key})`,
      );
      this.#some ||= rowsChanged > 0;
    }
    // Only now: a search that was stopped begins again.
    this.#hot = new Set(hot);
    this.#cold = new Set(cold);
  }

  #withoutCopies(files: string): string {
    return `(
      SELECT * FROM ${files} ANTI JOIN ${this.#name} USING (${this.#key})
      UNION ALL
      SELECT * FROM ${files} SEMI JOIN ${this.#name} USING (${this.#key})
        QUALIFY row_number() OVER (PARTITION BY ${this.#key} ORDER BY ${this.#identity.first}) = 1
    )`;
  }
}

function copiesOf(signal: string): string {
  return `${signal}_copies`;
}
