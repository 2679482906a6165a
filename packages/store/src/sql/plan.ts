import { checkFields, wrongType } from '../query/check.ts';
import { shown } from '../shown.ts';
import type { SqlOptions } from './types.ts';

/** A statement with its limits, checked. */
export interface SqlPlan {
  readonly sql: string;
  readonly timeoutMs: number;
  readonly maxRows: number;
}

/** Far more than people write; what is built by programs fits too. */
const MAX_SQL_LENGTH = 100_000;

const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_TIMEOUT_MS = 600_000;
const DEFAULT_MAX_ROWS = 10_000;
const MAX_MAX_ROWS = 1_000_000;

const FIELDS: ReadonlySet<string> = new Set(['timeoutMs', 'maxRows']);

/**
 * Checks what `querySql` was given and fills in the defaults.
 *
 * @throws TypeError, RangeError naming the field, what came and what is allowed
 */
export function planSql(sql: string, options: SqlOptions): SqlPlan {
  if (typeof sql !== 'string') throw wrongType('querySql', 'sql', 'a string', sql);
  if (sql.trim() === '') throw new RangeError('querySql: sql is empty; give it a SELECT');
  if (sql.length > MAX_SQL_LENGTH) {
    throw new RangeError(
      `querySql: sql has ${sql.length} characters; a statement may have ${MAX_SQL_LENGTH}`,
    );
  }
  checkFields('querySql', 'options', options, FIELDS);
  const { timeoutMs = DEFAULT_TIMEOUT_MS, maxRows = DEFAULT_MAX_ROWS } = options;
  checkWhole('timeoutMs', timeoutMs, MAX_TIMEOUT_MS);
  checkWhole('maxRows', maxRows, MAX_MAX_ROWS);
  return { sql, timeoutMs, maxRows };
}

function checkWhole(field: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return;
  throw new RangeError(`querySql: ${field} must be a whole number from 1 to ${max}, got ${shown(value)}`);
}
