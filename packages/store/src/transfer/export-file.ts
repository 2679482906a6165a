/**
 * Takes what a store holds into a file of OTLP JSON lines: one request in JSON a line, as the file exporters of
 * OpenTelemetry and of `@tracewell/sdk` write it, so every tool that reads those can read this.
 *
 * The file is written under another name and renamed when it is whole.
 *
 * Format: https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { encodeLogsJson, encodeTracesJson } from '@tracewell/otlp';
import { TracewellError } from '@tracewell/plugin';
import { checkFields, planWindow, wrongType } from '../query/check.ts';
import { shown } from '../shown.ts';
import type { Store } from '../store.ts';

/** What {@link TraceStore.export} takes. */
export interface ExportFileOptions {
  /** What to export. Default `'traces'`. */
  readonly signal?: 'traces' | 'logs' | undefined;
  /** Only what this service recorded. Default: everything. */
  readonly service?: string | undefined;
  /** Only what started then or later. Nanoseconds since the Unix epoch, or a date. */
  readonly startTime?: bigint | Date | undefined;
  /** Only what started before that. Nanoseconds since the Unix epoch, or a date. */
  readonly endTime?: bigint | Date | undefined;
  /** Only what started within the last so many seconds. Not together with `startTime`. */
  readonly lastSeconds?: number | undefined;
  /** Whether a file that is there already may be replaced. Default `false`. */
  readonly overwrite?: boolean | undefined;
  /** Called now and then with how far it is. */
  readonly onProgress?: ((progress: ExportedFile) => void) | undefined;
  /** Stops the export; there is no file then. */
  readonly abortSignal?: AbortSignal | undefined;
}

/** What was exported. */
export interface ExportedFile {
  /** Spans or log records. */
  readonly rows: number;
  /** Bytes of the file. */
  readonly bytes: number;
}

const CALLER = 'export';
const FIELDS: ReadonlySet<string> = new Set<keyof ExportFileOptions>([
  'signal',
  'service',
  'startTime',
  'endTime',
  'lastSeconds',
  'overwrite',
  'onProgress',
  'abortSignal',
]);

/** Rows of a line: enough that resource and scope cost little, few enough that a line fits any reader. */
const ROWS_OF_LINE = 500;

/** Where the rows come from: the queries of the store, page by page, newest first. */
type Pages = AsyncGenerator<{ readonly json: string; readonly rows: number }>;

/**
 * Writes the file.
 *
 * @throws `TracewellError` (`TW_TRANSFER_FAILED`) if the file is there already or cannot be written
 * @throws TypeError, RangeError naming an argument that is none
 */
export async function exportFile(
  store: Pick<Store, 'queryTraces' | 'queryLogs'>,
  path: string,
  options: ExportFileOptions,
  nowUnixNanos: bigint,
): Promise<ExportedFile> {
  if (typeof path !== 'string' || path === '') throw wrongType(CALLER, 'path', 'a path', path);
  checkFields(CALLER, 'options', options, FIELDS);
  const { signal = 'traces', service, overwrite = false, onProgress, abortSignal } = options;
  if (signal !== 'traces' && signal !== 'logs') {
    throw new RangeError(`${CALLER}: signal must be 'traces' or 'logs', got ${shown(signal)}`);
  }
  const { minStart, maxStart } = planWindow(CALLER, options, nowUnixNanos);
  // A window that is fixed now, so that the pages are those of one answer.
  const query = {
    service,
    startTime: minStart,
    ...(maxStart < 2n ** 64n - 1n && { endTime: maxStart + 1n }),
    limit: ROWS_OF_LINE,
  };
  const pages = signal === 'traces' ? tracePages(store, query) : logPages(store, query);
  return writeWhole(path, overwrite, async (file) => {
    let [rows, bytes] = [0, 0];
    for await (const page of pages) {
      abortSignal?.throwIfAborted();
      const line = Buffer.from(`${page.json}\n`);
      await file.writeFile(line);
      rows += page.rows;
      bytes += line.length;
      onProgress?.({ rows, bytes });
    }
    abortSignal?.throwIfAborted();
    return { rows, bytes };
  });
}

async function* tracePages(store: Pick<Store, 'queryTraces'>, query: object): Pages {
  let cursor: string | undefined;
  do {
    const page = await store.queryTraces({ ...query, cursor });
    if (page.spans.length > 0) yield { json: encodeTracesJson(page.spans), rows: page.spans.length };
    cursor = page.cursor;
  } while (cursor !== undefined);
}

async function* logPages(store: Pick<Store, 'queryLogs'>, query: object): Pages {
  let cursor: string | undefined;
  do {
    const page = await store.queryLogs({ ...query, cursor });
    if (page.logs.length > 0) yield { json: encodeLogsJson(page.logs), rows: page.logs.length };
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** Writes a file so that it is there whole or not at all. */
async function writeWhole<Result>(
  path: string,
  overwrite: boolean,
  write: (file: FileHandle) => Promise<Result>,
): Promise<Result> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  let file: FileHandle;
  try {
    file = await open(temporary, 'wx');
  } catch (error) {
    throw failed(path, error);
  }
  try {
    const result = await write(file);
    await file.sync().catch((error: unknown) => {
      throw failed(path, error);
    });
    await file.close();
    await (overwrite ? rename(temporary, path) : moveUnlessThere(temporary, path));
    return result;
  } catch (error) {
    await file.close();
    await rm(temporary, { force: true });
    throw error;
  }
}

/** A rename would replace what is there; a second name for the same file does not. */
async function moveUnlessThere(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw failed(to, error);
    throw new TracewellError(
      'TW_TRANSFER_FAILED',
      `${to} is there already; remove it, choose another name, or export with overwrite: true`,
      { cause: error },
    );
  }
  await rm(from);
}

function failed(path: string, cause: unknown): TracewellError {
  const { message } = cause as Error;
  return new TracewellError(
    'TW_TRANSFER_FAILED',
    `cannot write ${path}: ${message}; see to that path, and that there is room`,
    { cause },
  );
}
