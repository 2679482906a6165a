import { SeverityNumber } from '@tracewell/otlp';
import { orderOf } from '../../search/order.ts';
import { parseTextQuery, type TextQuery } from '../../search/text-query.ts';
import { shown } from '../../shown.ts';
import { type WantedAttributes, wantedAttributes } from '../attributes.ts';
import { checkFields, checkLimit, checkStrings, planWindow, type TimeWindow } from '../check.ts';
import { RECORD_KEY_BYTES, type RecordKey, readRecordKey, writeRecordKey } from '../record-key.ts';
import type { LogQuery } from './log-query.ts';

const CALLER = 'queryLogs';
/** The most that one page holds. */
const MAX_LIMIT = 10_000;
const DEFAULT_LIMIT = 100;
const CURSOR_VERSION = 1;

/** A checked query with everything filled in. `undefined` filters nothing. */
export interface LogPlan extends TimeWindow {
  readonly service: string | undefined;
  readonly minSeverity: number;
  /** A part of the body. */
  readonly contains: string | undefined;
  readonly text: TextQuery | undefined;
  readonly order: 'newest' | 'relevance';
  /** 32 lower-case hex digits. */
  readonly traceId: string | undefined;
  /** 16 lower-case hex digits. */
  readonly spanId: string | undefined;
  readonly attributes: WantedAttributes;
  readonly limit: number;
  /** Only records behind this one. */
  readonly after: RecordKey | undefined;
}

/**
 * Checks a query and fills in what it leaves out.
 *
 * @param nowUnixNanos - what `lastSeconds` counts back from
 * @throws TypeError, RangeError naming the field
 */
export function planLogs(query: LogQuery, nowUnixNanos: bigint): LogPlan {
  checkFields(CALLER, 'query', query, FIELDS);
  const { service, minSeverity, contains, text, traceId, spanId, limit = DEFAULT_LIMIT, cursor } = query;
  checkStrings(CALLER, { service, contains, text, traceId, spanId, cursor });
  if (minSeverity !== undefined && !Object.values(SeverityNumber).includes(minSeverity)) {
    throw new RangeError(
      `${CALLER}: minSeverity must be a number of SeverityNumber, got ${shown(minSeverity)}`,
    );
  }
  checkLimit(CALLER, limit, MAX_LIMIT);
  return {
    service,
    minSeverity: minSeverity ?? 0,
    // Every body contains nothing, but not every record has one that is a text.
    contains: contains === '' ? undefined : contains,
    text: text === undefined ? undefined : parseTextQuery(text),
    order: orderOf(CALLER, query),
    traceId: hexDigits('traceId', traceId, 32),
    spanId: hexDigits('spanId', spanId, 16),
    attributes: wantedAttributes(CALLER, 'attributes', query.attributes),
    ...planWindow(CALLER, query, nowUnixNanos),
    limit,
    after: cursor === undefined ? undefined : decodeLogCursor(cursor),
  };
}

const FIELDS: ReadonlySet<string> = new Set<keyof LogQuery>([
  'service',
  'minSeverity',
  'contains',
  'text',
  'order',
  'traceId',
  'spanId',
  'attributes',
  'startTime',
  'endTime',
  'lastSeconds',
  'limit',
  'cursor',
]);

function hexDigits(field: string, id: string | undefined, digits: number): string | undefined {
  if (id === undefined) return undefined;
  if (id.length !== digits || !/^[0-9a-f]+$/i.test(id)) {
    throw new RangeError(`${CALLER}: ${field} must be ${digits} hex digits, got ${shown(id)}`);
  }
  return id.toLowerCase();
}

/** A page's cursor: opaque to who gets it. */
export function encodeLogCursor(key: RecordKey): string {
  const bytes = Buffer.alloc(1 + RECORD_KEY_BYTES);
  bytes[0] = CURSOR_VERSION;
  writeRecordKey(bytes, 1, key);
  return bytes.toString('base64url');
}

/** @throws RangeError if it is no cursor */
function decodeLogCursor(cursor: string): RecordKey {
  const bytes = Buffer.from(cursor, 'base64url');
  if (
    bytes.length !== 1 + RECORD_KEY_BYTES ||
    bytes[0] !== CURSOR_VERSION ||
    bytes.toString('base64url') !== cursor
  ) {
    throw new RangeError(`${CALLER}: cursor must be one that an earlier page returned`);
  }
  return readRecordKey(bytes, 1);
}
