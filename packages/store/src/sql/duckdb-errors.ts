/** What DuckDB and the file system throw, as errors of ours. */
import { TracewellError } from '@tracewell/plugin';
import { FileGone } from './hot-segment.ts';

/** What DuckDB calls the kind of an error: `IO`, `Binder`, `Out of Memory`. */
const KIND = /^([\w ]+?) Error: /;
/** Kinds that say nothing of the statement. */
const NOT_ITS_FAULT: ReadonlySet<string> = new Set(['io', 'internal', 'fatal', 'invalid', 'serialization']);

/** Whether an error may come from a file that is damaged or gone. */
export function mayBeDamage(error: unknown): boolean {
  if (error instanceof TracewellError || error instanceof FileGone) return false;
  const message = String((error as Error).message);
  const kind = kindOf(message);
  if (kind === 'invalid input') return /parquet|magic bytes|Decompression/i.test(message);
  return kind === 'io' || kind === 'invalid' || kind === 'serialization' || kind === 'internal';
}

/**
 * An error with a code, and without what is not the business of whoever may send SQL: where the store lies.
 *
 * @param directories - absolute paths that are not to be shown
 */
export function explain(error: unknown, directories: readonly string[]): unknown {
  if (error instanceof FileGone) return error;
  const { message } = error as Error;
  const shown = withoutPaths(String(message), directories);
  if (error instanceof TracewellError) {
    return error.code.startsWith('TW_SQL_') ? error : new TracewellError('TW_SQL_FAILED', shown);
  }
  const kind = kindOf(shown);
  if (kind === 'out of memory') {
    return new TracewellError(
      'TW_SQL_MEMORY',
      'the query needs more memory than it may have; aggregate, filter by time, or select fewer columns',
    );
  }
  return kind === undefined || NOT_ITS_FAULT.has(kind)
    ? new TracewellError('TW_SQL_FAILED', `the query failed: ${shown}; try again`)
    : new TracewellError('TW_SQL_INVALID', `the query cannot be run: ${shown}`);
}

function kindOf(message: string): string | undefined {
  return KIND.exec(message)?.[1]?.toLowerCase();
}

function withoutPaths(message: string, directories: readonly string[]): string {
  let shown = message;
  // The longest first: one may lie in another.
  for (const directory of [...directories].sort((a, b) => b.length - a.length)) {
    shown = shown.replaceAll(directory, '…');
  }
  // Only the text of the error: the lines behind it show the statement, which its author knows.
  return shown.split('\n\nLINE ')[0]!.trimEnd();
}
