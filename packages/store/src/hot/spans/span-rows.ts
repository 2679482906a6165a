import type { TraceScanner } from '@tracewell/otlp';
import { GROUP_WORDS, pushGroup } from '../groups.ts';
import type { Operations } from './operations.ts';
import { FLAG_KIND_SHIFT, FLAG_ROOT, GROUP_SHIFT, ROW_WORDS } from './row.ts';

/**
 * What the index keeps of one frame: a row for each span and a group for each pair of resource and scope, with
 * offsets that count from the start of the payload. Made before the frame is written, so that bytes that are
 * not OTLP never reach the log; entered into the index when the frame is durable.
 */
export interface SpanRows {
  readonly spanCount: number;
  /** `ROW_WORDS` words a span; see row.ts. */
  readonly words: Uint32Array;
  /** `GROUP_WORDS` words a group. */
  readonly groups: Uint32Array;
  /** Spans that were left out because an id is none. */
  readonly rejected: number;
  /** What was wrong with them, each once. */
  readonly reasons: readonly string[];
}

// Grows to the largest request and shrinks again, so that one large request does not cost memory for ever.
const KEEP_WORDS = 1 << 18;
let words = new Uint32Array(512 * ROW_WORDS);
let floats = new Float32Array(words.buffer);

/**
 * Walks a payload and makes its rows. It either succeeds or throws, having changed nothing but `operations`,
 * which may have learned names.
 *
 * @param scanner - any scanner that is not in use
 * @throws `TracewellError` (`TW_DECODE_INVALID`, `TW_DECODE_TOO_DEEP`) if the payload is not an OTLP request
 */
export function spanRows(payload: Uint8Array, scanner: TraceScanner, operations: Operations): SpanRows {
  const groups: number[] = [];
  const reasons: string[] = [];
  let count = 0;
  let resourceNumber = -1;
  let scopeNumber = -1;
  let service = 0;
  let rejected = 0;
  scanner.reset(payload);
  while (scanner.next()) {
    if (scanner.resourceNumber !== resourceNumber || scanner.scopeNumber !== scopeNumber) {
      if (scanner.resourceNumber !== resourceNumber) {
        service = operations.service(payload, scanner.serviceNameStart, scanner.serviceNameEnd);
      }
      resourceNumber = scanner.resourceNumber;
      scopeNumber = scanner.scopeNumber;
      pushGroup(groups, scanner);
    }
    if (scanner.invalid !== rejected) {
      rejected = scanner.invalid;
      addReason(reasons, scanner);
    }
    const at = count * ROW_WORDS;
    if (at + ROW_WORDS > words.length) growScratch();
    const group = groups.length / GROUP_WORDS - 1;
    writeRow(scanner, payload, at, operations, service, group);
    count++;
  }
  if (scanner.invalid !== rejected) addReason(reasons, scanner);

  const length = count * ROW_WORDS;
  const rows = words.slice(0, length);
  if (words.length > KEEP_WORDS) {
    words = new Uint32Array(KEEP_WORDS);
    floats = new Float32Array(words.buffer);
  }
  return {
    spanCount: count,
    words: rows,
    groups: Uint32Array.from(groups),
    rejected: scanner.invalid,
    reasons,
  };
}

function writeRow(
  scanner: TraceScanner,
  payload: Uint8Array,
  at: number,
  operations: Operations,
  service: number,
  group: number,
): void {
  const { startHigh, startLow, spanStart, traceIdAt, spanIdAt } = scanner;
  const duration = (scanner.endHigh - startHigh) * 0x1_0000_0000 + (scanner.endLow - startLow);
  words[at] = bigEndian32(payload, traceIdAt + 8);
  words[at + 1] = bigEndian32(payload, traceIdAt + 12);
  words[at + 2] = bigEndian32(payload, spanIdAt + 4);
  words[at + 3] = startHigh;
  words[at + 4] = startLow;
  floats[at + 5] = Math.max(duration, 0);
  words[at + 6] = spanStart;
  words[at + 7] = scanner.spanEnd - spanStart;
  words[at + 8] = operations.operation(service, payload, scanner.nameStart, scanner.nameEnd);
  words[at + 9] =
    (group << GROUP_SHIFT) |
    (scanner.parentIdAt < 0 ? FLAG_ROOT : 0) |
    (scanner.kind << FLAG_KIND_SHIFT) |
    scanner.statusCode;
}

function bigEndian32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

function addReason(reasons: string[], scanner: TraceScanner): void {
  const reason = `invalid ${scanner.invalidReason}`;
  if (!reasons.includes(reason)) reasons.push(reason);
}

function growScratch(): void {
  const larger = new Uint32Array(words.length * 2);
  larger.set(words);
  words = larger;
  floats = new Float32Array(larger.buffer);
}
