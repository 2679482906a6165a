/**
 * A comment, and how it stands in the log: one frame each, whose payload is JSON in UTF-8,
 *
 * ```
 * {"id":"4bf92f3577b34da6","traceId":"4bf9…","spanId":"00f0…","author":"ada","text":"…","timeUnixNanos":"1700…"}
 * ```
 *
 * without `spanId` if it is about the whole trace. JSON, because there is no OTLP message for it, comments are
 * few and short, and whoever recovers a log by hand can read them. Fields that a later version adds are kept.
 */
import { randomBytes } from 'node:crypto';
import { TracewellError } from '@tracewell/plugin';
import { checkFields, toNanos, wrongType } from '../query/check.ts';
import { shown } from '../shown.ts';

/** What somebody said about a trace, or about one of its spans. */
export interface Comment {
  /** 16 lower-case hex digits. */
  readonly id: string;
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits; absent if the comment is about the whole trace. */
  readonly spanId?: string;
  /** Who said it. */
  readonly author: string;
  /** What was said. */
  readonly text: string;
  /** When it was said, in nanoseconds since the Unix epoch. */
  readonly timeUnixNanos: bigint;
}

/** What {@link Store.addComment} takes. */
export interface NewComment {
  /** 32 hex digits. The trace need not be there (yet). */
  readonly traceId: string;
  /** 16 hex digits. Default: the comment is about the whole trace. */
  readonly spanId?: string | undefined;
  /** Who says it: 1 to 256 characters. */
  readonly author: string;
  /** What is said: 1 to 65,536 characters. */
  readonly text: string;
  /** When it is said. Nanoseconds since the Unix epoch, or a date. Default now. */
  readonly time?: bigint | Date | undefined;
  /**
   * 16 hex digits that name the comment. Default random. Give it if you repeat a call whose outcome you do not
   * know: the same id counts once.
   */
  readonly id?: string | undefined;
}

const CALLER = 'addComment';
const FIELDS: ReadonlySet<string> = new Set<keyof NewComment>([
  'traceId',
  'spanId',
  'author',
  'text',
  'time',
  'id',
]);
const MAX_AUTHOR = 256;
const MAX_TEXT = 65_536;
const NANOS = /^\d{1,20}$/;

/** Checks a comment and fills in what it leaves out. @throws TypeError, RangeError naming the field */
export function planComment(comment: NewComment, nowUnixNanos: bigint): Comment {
  checkFields(CALLER, 'comment', comment, FIELDS);
  const { traceId, spanId, author, text, time, id } = comment;
  return {
    id: id === undefined ? randomBytes(8).toString('hex') : hexDigits('id', id, 16),
    traceId: hexDigits('traceId', traceId, 32),
    ...(spanId !== undefined && { spanId: hexDigits('spanId', spanId, 16) }),
    author: textOf('author', author, MAX_AUTHOR),
    text: textOf('text', text, MAX_TEXT),
    timeUnixNanos: toNanos(CALLER, 'time', time) ?? nowUnixNanos,
  };
}

/** The payload of a comment's frame. */
export function encodeComment(comment: Comment): Uint8Array {
  return Buffer.from(JSON.stringify({ ...comment, timeUnixNanos: comment.timeUnixNanos.toString() }));
}

/**
 * A comment from the payload of its frame.
 *
 * @throws TracewellError (`TW_DECODE_INVALID`) if it is none
 */
export function decodeComment(payload: Uint8Array): Comment {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString());
  } catch (cause) {
    throw invalid('it is no JSON', cause);
  }
  if (typeof parsed !== 'object' || parsed === null) throw invalid(`it is ${shown(parsed)}`);
  const { id, traceId, spanId, author, text, timeUnixNanos } = parsed as { [field: string]: unknown };
  for (const [field, value] of Object.entries({ id, traceId, author, text, timeUnixNanos })) {
    if (typeof value !== 'string') throw invalid(`${field} is ${shown(value)}`);
  }
  if (spanId !== undefined && typeof spanId !== 'string') throw invalid(`spanId is ${shown(spanId)}`);
  if (!NANOS.test(timeUnixNanos as string)) throw invalid(`timeUnixNanos is ${shown(timeUnixNanos)}`);
  return {
    id: id as string,
    traceId: traceId as string,
    ...(spanId !== undefined && { spanId }),
    author: author as string,
    text: text as string,
    timeUnixNanos: BigInt(timeUnixNanos as string),
  };
}

/** The order of comments: by time, those of the same nanosecond by id. */
export function compareComments(a: Comment, b: Comment): number {
  if (a.timeUnixNanos !== b.timeUnixNanos) return a.timeUnixNanos < b.timeUnixNanos ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function hexDigits(field: string, value: unknown, digits: number): string {
  if (typeof value !== 'string') throw wrongType(CALLER, field, 'a string', value);
  if (value.length !== digits || !/^[0-9a-f]*$/i.test(value)) {
    throw new RangeError(`${CALLER}: ${field} must be ${digits} hex digits, got ${shown(value)}`);
  }
  return value.toLowerCase();
}

function textOf(field: string, value: unknown, max: number): string {
  if (typeof value !== 'string') throw wrongType(CALLER, field, 'a string', value);
  if (value.length >= 1 && value.length <= max) return value.toWellFormed();
  throw new RangeError(`${CALLER}: ${field} must have 1 to ${max} characters, got ${value.length}`);
}

function invalid(why: string, cause?: unknown): TracewellError {
  return new TracewellError(
    'TW_DECODE_INVALID',
    `a frame that should hold a comment does not: ${why}; it was left out`,
    cause === undefined ? undefined : { cause },
  );
}
