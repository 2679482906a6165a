import type { TextQuery } from './text-query.ts';

/**
 * A search in the language of FTS5. Only words that the parser has taken apart get there, in quotes, so nothing that
 * a caller writes is ever syntax to SQLite.
 *
 * @see https://sqlite.org/fts5.html#full_text_query_syntax
 */
export function ftsQuery(query: TextQuery): string {
  switch (query.kind) {
    case 'phrase':
      return `"${query.words.join(' ')}"${query.prefix ? ' *' : ''}`;
    case 'and':
      return `(${ftsQuery(query.left)} AND ${ftsQuery(query.right)})`;
    case 'or':
      return `(${ftsQuery(query.left)} OR ${ftsQuery(query.right)})`;
    case 'not':
      return `(${ftsQuery(query.left)} NOT ${ftsQuery(query.right)})`;
  }
}
