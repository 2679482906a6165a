/**
 * The first of three fences around a statement: what it may be made of.
 *
 * DuckDB's own parser turns the text into a tree, so nothing is guessed from the text, and everything in that
 * tree must be on a list: the kinds of nodes, the tables, the functions. The second fence is DuckDB's
 * configuration (database.ts), locked before the first statement: it opens no file outside the store's and
 * loads nothing. The third is the process (sql-process.ts), which has an empty environment and can be killed.
 */
import { TracewellError } from '@tracewell/plugin';
import { ALLOWED_FUNCTIONS, ALLOWED_TABLE_FUNCTIONS } from './allowed-functions.ts';
import { TABLE_NAMES } from './tables.ts';

/** What DuckDB's `json_serialize_sql` returns. */
interface SerializedStatements {
  readonly error: boolean;
  readonly error_type?: string;
  readonly error_message?: string;
  readonly position?: string;
  readonly statements?: readonly unknown[];
}

/** A node of the tree, whatever kind it is. */
type Node = { readonly [field: string]: unknown };

/** Classes of expressions. Parameters (`?`, `$1`) are none of them: there is nothing to fill them with. */
const EXPRESSIONS: ReadonlySet<string> = new Set([
  'BETWEEN',
  'CASE',
  'CAST',
  'COLLATE',
  'COLUMN_REF',
  'COMPARISON',
  'CONJUNCTION',
  'CONSTANT',
  'FUNCTION',
  'LAMBDA',
  'LAMBDA_REF',
  'OPERATOR',
  'POSITIONAL_REFERENCE',
  'STAR',
  'SUBQUERY',
  'TYPE',
  'WINDOW',
]);

/** Kinds of everything that is no expression: queries, what stands behind FROM, modifiers, details of types. */
const NODES: ReadonlySet<string> = new Set([
  'SELECT_NODE',
  'SET_OPERATION_NODE',
  'RECURSIVE_CTE_NODE',
  'CTE_NODE',
  'BASE_TABLE',
  'EMPTY',
  'EXPRESSION_LIST',
  'JOIN',
  'PIVOT',
  'SHOW_REF',
  'SUBQUERY',
  'TABLE_FUNCTION',
  'DISTINCT_MODIFIER',
  'LIMIT_MODIFIER',
  'LIMIT_PERCENT_MODIFIER',
  'ORDER_MODIFIER',
  'ASCENDING',
  'DESCENDING',
  'ORDER_DEFAULT',
  'ANY_TYPE_INFO',
  'ARRAY_TYPE_INFO',
  'DECIMAL_TYPE_INFO',
  'ENUM_TYPE_INFO',
  'GENERIC_TYPE_INFO',
  'INTEGER_LITERAL_TYPE_INFO',
  'LIST_TYPE_INFO',
  'STRING_TYPE_INFO',
  'STRUCT_TYPE_INFO',
  'UNBOUND_TYPE_INFO',
]);

/** A name that cannot be mistaken for a file by anything behind us. */
const PLAIN_NAME = /^[\p{L}_][\p{L}\p{N}_$]*$/u;

/** The queries that `WITH` has named, visible from a place in the tree. */
interface Scope {
  readonly names: ReadonlySet<string>;
  readonly outer: Scope | undefined;
}

/**
 * Checks a statement.
 *
 * @param json - what `json_serialize_sql` returned for it
 * @returns the names of the tables that it may read
 * @throws {@link TracewellError}: `TW_SQL_INVALID` if it cannot be parsed, `TW_SQL_REFUSED` if it is, or uses,
 * something that is not allowed
 */
export function checkStatement(json: string): ReadonlySet<string> {
  const parsed = JSON.parse(json) as SerializedStatements;
  if (parsed.error) {
    // DuckDB's word for statements that its serializer does not take: all but SELECT.
    if (parsed.error_type !== 'not implemented') {
      const at = parsed.position === undefined ? '' : ` (at character ${Number(parsed.position) + 1})`;
      throw new TracewellError(
        'TW_SQL_INVALID',
        `the statement cannot be parsed: ${parsed.error_message ?? 'unknown'}${at}; correct it`,
      );
    }
    throw refused('it is no SELECT; write SELECT, WITH … SELECT, VALUES, DESCRIBE or SUMMARIZE');
  }
  const count = parsed.statements?.length ?? 0;
  if (count !== 1) throw refused(`there are ${count} statements; send one at a time`);
  const tables = new Set<string>();
  // A stack of our own: how deep a statement is nested is up to whoever wrote it.
  const todo: [value: unknown, scope: Scope | undefined][] = [[parsed.statements?.[0], undefined]];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const [value, scope] = next;
    if (typeof value !== 'object' || value === null) continue;
    if (Array.isArray(value)) {
      for (const element of value) todo.push([element, scope]);
      continue;
    }
    const node = value as Node;
    const inner = scopeOf(node, scope);
    checkNode(node, inner, tables);
    for (const field of Object.values(node)) todo.push([field, inner]);
  }
  return tables;
}

function checkNode(node: Node, scope: Scope | undefined, tables: Set<string>): void {
  const { type } = node;
  const expression = node.class;
  if (expression !== undefined) {
    if (expression === 'PARAMETER') throw refused('it has a parameter; write the value itself');
    if (!EXPRESSIONS.has(String(expression))) throw refused(`${String(expression)} is not allowed`);
  } else if (typeof type === 'string' && !NODES.has(type)) {
    throw refused(`${type} is not allowed`);
  }
  for (const qualifier of ['schema', 'catalog', 'schema_name', 'catalog_name']) {
    const name = node[qualifier];
    if (name === undefined || name === '') continue;
    // The parser itself puts this before the functions that it makes of `[1, 2]` and the like.
    if (name === 'main' && qualifier === 'schema' && 'function_name' in node) continue;
    throw refused(`${quoted(name)} is a schema or database; name tables and functions without one`);
  }
  if (type === 'BASE_TABLE') checkTable(node.table_name, scope, tables);
  if (type === 'SHOW_REF') checkShow(node);
  if (type === 'TABLE_FUNCTION') {
    const name = functionName(node.function as Node | null);
    if (!ALLOWED_TABLE_FUNCTIONS.has(name)) {
      throw refused(
        `the table function ${quoted(name)} is not allowed; there are ${[...ALLOWED_TABLE_FUNCTIONS].join(', ')}`,
      );
    }
  }
  if ('function_name' in node) {
    const name = functionName(node);
    if (!ALLOWED_FUNCTIONS.has(name) && !ALLOWED_TABLE_FUNCTIONS.has(name)) {
      throw refused(`the function ${quoted(name)} is not allowed`);
    }
  }
}

function checkTable(name: unknown, scope: Scope | undefined, tables: Set<string>): void {
  const lower = String(name).toLowerCase();
  if (TABLE_NAMES.has(lower)) {
    tables.add(lower);
    return;
  }
  for (let s = scope; s !== undefined; s = s.outer) if (s.names.has(lower)) return;
  throw refused(`there is no table ${quoted(name)}; there are ${[...TABLE_NAMES].join(', ')}`);
}

/** `DESCRIBE` and `SUMMARIZE` of a query are queries; `SHOW` of anything else is about the database. */
function checkShow(node: Node): void {
  const kind = node.show_type;
  if (node.query !== null && (kind === 'DESCRIBE' || kind === 'SUMMARY')) return;
  throw refused('SHOW is not allowed; DESCRIBE spans tells the columns of a table');
}

function functionName(node: Node | null): string {
  return String(node?.function_name ?? '').toLowerCase();
}

/** The scope inside a node: with the names that it defines, if it has a `WITH`. */
function scopeOf(node: Node, outer: Scope | undefined): Scope | undefined {
  const map = (node.cte_map as { readonly map?: readonly { readonly key: string }[] } | undefined)?.map;
  if (map === undefined || map.length === 0) return outer;
  for (const { key } of map) {
    if (!PLAIN_NAME.test(key)) throw refused(`WITH ${quoted(key)}: name it with letters, digits and _`);
  }
  return { names: new Set(map.map(({ key }) => key.toLowerCase())), outer };
}

function refused(why: string): TracewellError {
  return new TracewellError('TW_SQL_REFUSED', `the statement is refused: ${why}`);
}

/** A name from the statement, in the message about it. */
function quoted(name: unknown): string {
  const text = String(name);
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
