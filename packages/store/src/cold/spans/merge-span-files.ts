import { compareCopies } from '../../hot/spans/same-span.ts';
import { ByteBuffer } from '../../parquet/byte-buffer.ts';
import type { Sink } from '../../parquet/output.ts';
import type { BytesValues, Values } from '../../parquet/values.ts';
import { OriginNumbers } from '../origin-messages.ts';
import { writeSpanMessage } from './rebuild.ts';
import type { SpanFile } from './span-file.ts';
import { readSpanRows, type SpanRows } from './span-rows.ts';
import { type SpanFileSummary, SpanFileWriter } from './write-span-file.ts';

/** Rows of each file that are in memory at once. */
const BATCH_ROWS = 4096;

/**
 * Merges span files into one: all spans of all of them, in order, and of copies of a span only the one that stands
 * for it. In memory are a few thousand rows of each file and one row group of the result.
 *
 * @param keyValues - what the footer is to say beside its own
 * @returns `undefined` if there are no spans; then there is no file either
 * @throws `TracewellError` (`TW_COLD_DAMAGED`) naming the file that cannot be read
 */
export function mergeSpanFiles(
  files: readonly SpanFile[],
  sink: Sink,
  keyValues?: ReadonlyMap<string, string>,
): SpanFileSummary | undefined {
  const cursors = files.map((file) => new Cursor(file)).filter((cursor) => !cursor.isDone);
  if (cursors.length === 0) return undefined;
  const writer = new SpanFileWriter(sink);
  const origins = new OriginNumbers();
  const write = ({ message, rows, row }: Cursor): void => {
    const { group } = writer;
    const resource = origins.resource(group.origins, rows.resources, row);
    const scope = origins.scope(group.origins, rows.scopes, row);
    group.add(message.bytes, 0, message.length, resource, scope);
    if (writer.endRow()) origins.clear();
  };
  while (cursors.length > 0) {
    let first = cursors[0]!;
    for (let index = 1; index < cursors.length; index++) {
      if (compareRows(cursors[index]!, first) < 0) first = cursors[index]!;
    }
    first.rebuild();
    const best = preferred(first, cursors);
    write(best);
    // Those that it stands for have had their turn too.
    for (let index = cursors.length - 1; index >= 0; index--) {
      const cursor = cursors[index]!;
      if (cursor !== first && !cursor.isTaken) continue;
      cursor.next();
      if (cursor.isDone) cursors.splice(index, 1);
    }
  }
  return writer.finish(keyValues);
}

/** Of a span and its copies in other files, the one that stands for it; all of these are marked as taken. */
function preferred(first: Cursor, cursors: readonly Cursor[]): Cursor {
  let best = first;
  for (const cursor of cursors) {
    if (cursor === first || compareRows(cursor, first) !== 0) continue;
    cursor.rebuild();
    const verdict = compareCopies(best.message.written(), cursor.message.written());
    if (verdict === 'different') continue;
    cursor.isTaken = true;
    if (verdict === 'second') best = cursor;
  }
  return best;
}

/** A place in a file. */
class Cursor {
  /** The span at the place, once {@link rebuild} was called. */
  readonly message = new ByteBuffer(1024);
  isDone = false;
  isTaken = false;
  rows!: SpanRows;
  row = 0;
  readonly #file: SpanFile;
  #group = 0;
  /** Where the next batch of the group begins. */
  #from = 0;

  constructor(file: SpanFile) {
    this.#file = file;
    this.#load();
  }

  next(): void {
    this.isTaken = false;
    if (++this.row === this.rows.count) this.#load();
  }

  rebuild(): void {
    this.message.length = 0;
    writeSpanMessage(this.message, this.rows, this.row);
  }

  #load(): void {
    const { parquet } = this.#file;
    if (this.#group < parquet.rowGroups && this.#from === parquet.rowsOf(this.#group)) {
      this.#group++;
      this.#from = 0;
    }
    if (this.#group === parquet.rowGroups) {
      this.isDone = true;
      return;
    }
    const to = Math.min(this.#from + BATCH_ROWS, parquet.rowsOf(this.#group));
    this.rows = readSpanRows(parquet, this.#group, this.#from, to);
    this.row = 0;
    this.#from = to;
  }
}

/** In the order of files: trace id, start, span id. */
function compareRows(a: Cursor, b: Cursor): number {
  return (
    compareTexts(a.rows.traceIds, a.row, b.rows.traceIds, b.row) ||
    a.rows.starts[2 * a.row + 1]! - b.rows.starts[2 * b.row + 1]! ||
    a.rows.starts[2 * a.row]! - b.rows.starts[2 * b.row]! ||
    compareTexts(a.rows.spanIds, a.row, b.rows.spanIds, b.row)
  );
}

function compareTexts(left: Values, leftRow: number, right: Values, rightRow: number): number {
  const [a, aIndex] = textsOf(left, leftRow);
  const [b, bIndex] = textsOf(right, rightRow);
  let at = a.offsets[aIndex]!;
  let other = b.offsets[bIndex]!;
  const end = a.offsets[aIndex + 1]!;
  for (; at < end; at++, other++) {
    const order = a.bytes[at]! - b.bytes[other]!;
    if (order !== 0) return order;
  }
  return 0;
}

function textsOf(values: Values, row: number): readonly [BytesValues, number] {
  return 'codes' in values
    ? [values.dictionary as BytesValues, values.codes[row]!]
    : [values as BytesValues, row];
}
