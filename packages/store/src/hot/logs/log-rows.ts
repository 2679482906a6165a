import type { LogScanner } from '@tracewell/otlp';
import { GROUP_WORDS, pushGroup } from '../groups.ts';
import { type RequestId, requestId } from '../request-id.ts';
import type { Services } from '../services.ts';
import { GROUP_SHIFT, ROW_WORDS } from './row.ts';

/**
 * What the index keeps of one frame: a row for each log record and a group for each pair of resource and scope, with
 * offsets that count from the start of the payload.
 */
export interface LogRows {
  readonly count: number;
  /** What the records are known by, together with their places. */
  readonly request: RequestId;
  /** `ROW_WORDS` words a record; see row.ts. */
  readonly words: Uint32Array;
  /** `GROUP_WORDS` words a group. */
  readonly groups: Uint32Array;
}

// Grows to the largest request and shrinks again, so that one large request does not cost memory for ever.
const KEEP_WORDS = 1 << 18;
let words = new Uint32Array(512 * ROW_WORDS);

/**
 * Walks a payload and makes its rows. It either succeeds or throws, having changed nothing but `services`, which
 * may have learned names.
 *
 * @param scanner - any scanner that is not in use
 * @throws `TracewellError` (`TW_DECODE_INVALID`, `TW_DECODE_TOO_DEEP`) if the payload is not an OTLP request
 */
export function logRows(payload: Uint8Array, scanner: LogScanner, services: Services): LogRows {
  const groups: number[] = [];
  let count = 0;
  let resourceNumber = -1;
  let scopeNumber = -1;
  let service = 0;
  scanner.reset(payload);
  while (scanner.next()) {
    if (scanner.resourceNumber !== resourceNumber || scanner.scopeNumber !== scopeNumber) {
      if (scanner.resourceNumber !== resourceNumber) {
        service = services.number(payload, scanner.serviceNameStart, scanner.serviceNameEnd);
      }
      resourceNumber = scanner.resourceNumber;
      scopeNumber = scanner.scopeNumber;
      pushGroup(groups, scanner);
    }
    const at = count * ROW_WORDS;
    if (at + ROW_WORDS > words.length) growScratch();
    writeRow(scanner, payload, at, service, groups.length / GROUP_WORDS - 1);
    count++;
  }
  const rows = words.slice(0, count * ROW_WORDS);
  if (words.length > KEEP_WORDS) words = new Uint32Array(KEEP_WORDS);
  return { count, request: requestId(payload), words: rows, groups: Uint32Array.from(groups) };
}

function writeRow(
  scanner: LogScanner,
  payload: Uint8Array,
  at: number,
  service: number,
  group: number,
): void {
  const { timeHigh, timeLow, recordStart, traceIdAt, spanIdAt } = scanner;
  // A source that does not know when it happened leaves the time at 0.
  const hasTime = timeHigh !== 0 || timeLow !== 0;
  words[at] = hasTime ? timeHigh : scanner.observedTimeHigh;
  words[at + 1] = hasTime ? timeLow : scanner.observedTimeLow;
  words[at + 2] = traceIdAt < 0 ? 0 : idKey(payload, traceIdAt + 12);
  words[at + 3] = spanIdAt < 0 ? 0 : idKey(payload, spanIdAt + 4);
  words[at + 4] = recordStart;
  words[at + 5] = scanner.recordEnd - recordStart;
  words[at + 6] = (group << GROUP_SHIFT) | scanner.severityNumber;
  words[at + 7] = service;
}

/** 4 bytes of an id as a number that is not 0, big-endian. */
function idKey(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]! || 1;
}

function growScratch(): void {
  const larger = new Uint32Array(words.length * 2);
  larger.set(words);
  words = larger;
}
