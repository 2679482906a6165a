import { NUMBERS_AN_ITEM } from '../decode/number-lists.ts';
import { invalidAt, tooDeep, tooLarge } from '../decode-error.ts';
import { type DecodeLimits, resolveLimits } from '../decode-limits.ts';
import { fixedEnd, keyAt, lengthAt, skipUnknown, varintEnd } from '../wire/checked.ts';
import { ANY_BOOL, ANY_DOUBLE, ANY_INT, ANY_STRING, KEY_VALUE_KEY, KEY_VALUE_VALUE } from '../wire/fields.ts';
import { WIRE_BYTES, WIRE_FIXED32, WIRE_VARINT } from '../wire/wire-types.ts';
import {
  keyValue,
  logsRequest,
  type MessageType,
  metricsRequest,
  PACKED,
  traceRequest,
} from './message-types.ts';

/**
 * Checks an OTLP trace request to its last attribute without making anything of it: what passes can be
 * scanned, and each of its spans decoded at any later time under the same limits. For bytes that come from
 * outside and are kept as they are.
 *
 * It does not judge ids; the scanner and the decoder report spans whose ids OTLP calls invalid.
 *
 * @throws `TracewellError`: `TW_DECODE_INVALID` with the offset where the bytes stop making sense,
 * `TW_DECODE_TOO_DEEP`, `TW_DECODE_TOO_LARGE`
 *
 * @example
 * ```ts
 * import { validateTraces } from '@tracewell/otlp';
 *
 * try {
 *   validateTraces(Uint8Array.of(0x0a, 0x05, 0x12));
 * } catch (error) {
 *   console.log((error as Error).message.slice(0, 32)); // Invalid OTLP protobuf at byte 1:
 * }
 * ```
 */
export function validateTraces(bytes: Uint8Array, limits?: DecodeLimits): void {
  validateRequest('validateTraces', bytes, traceRequest, limits);
}

/**
 * Checks an OTLP logs request to its last attribute, as {@link validateTraces} checks spans: what passes can be
 * scanned, and each of its records decoded at any later time under the same limits.
 *
 * @throws `TracewellError`: `TW_DECODE_INVALID` with the offset where the bytes stop making sense,
 * `TW_DECODE_TOO_DEEP`, `TW_DECODE_TOO_LARGE`
 *
 * @example
 * ```ts
 * import { validateLogs } from '@tracewell/otlp';
 *
 * validateLogs(new Uint8Array()); // nothing is a request without records
 * ```
 */
export function validateLogs(bytes: Uint8Array, limits?: DecodeLimits): void {
  validateRequest('validateLogs', bytes, logsRequest, limits);
}

/**
 * Checks an OTLP metrics request to its last exemplar, as {@link validateTraces} checks spans: what passes can be
 * scanned, and each of its data points decoded at any later time under the same limits.
 *
 * @throws `TracewellError`: `TW_DECODE_INVALID` with the offset where the bytes stop making sense,
 * `TW_DECODE_TOO_DEEP`, `TW_DECODE_TOO_LARGE`
 *
 * @example
 * ```ts
 * import { validateMetrics } from '@tracewell/otlp';
 *
 * validateMetrics(new Uint8Array()); // nothing is a request without metrics
 * ```
 */
export function validateMetrics(bytes: Uint8Array, limits?: DecodeLimits): void {
  validateRequest('validateMetrics', bytes, metricsRequest, limits);
}

function validateRequest(
  caller: string,
  bytes: Uint8Array,
  request: MessageType,
  limits: DecodeLimits | undefined,
): void {
  const resolved = resolveLimits(limits);
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`${caller}: bytes must be a Uint8Array`);
  if (bytes.length > resolved.maxBytes)
    throw tooLarge(`${bytes.length} bytes`, 'maxBytes', resolved.maxBytes);
  new Validator(bytes, resolved).message(request, 0, bytes.length, 0);
}

class Validator {
  readonly #bytes: Uint8Array;
  readonly #maxDepth: number;
  readonly #maxItems: number;
  #items = 0;

  constructor(bytes: Uint8Array, limits: Required<DecodeLimits>) {
    this.#bytes = bytes;
    this.#maxDepth = limits.maxDepth;
    this.#maxItems = limits.maxItems;
  }

  // Recursion is bounded: maxDepth is, and so is the nesting of everything else.
  message(type: MessageType, start: number, end: number, above: number): void {
    const bytes = this.#bytes;
    if (type.counts) this.#countItem();
    const depth = type.nests ? above + 1 : above;
    if (depth > this.#maxDepth) throw tooDeep(`byte ${start}`, this.#maxDepth);
    let hadOnce = false;
    for (let at = start; at < end; ) {
      const key = keyAt(bytes, at, end);
      at = varintEnd(bytes, at, end);
      const field = type.fields[key >>> 3];
      if (typeof field === 'object' && (key & 7) === WIRE_BYTES) {
        const body = varintEnd(bytes, at, end);
        const next = body + lengthAt(bytes, at, end);
        if (field === keyValue && isPlainAttribute(bytes, body, next)) {
          this.#countItem();
          at = next;
          continue;
        }
        if (field.once) {
          if (hadOnce) throw invalidAt(at, 'a resource, scope, body or data of a metric comes twice');
          hadOnce = true;
        }
        this.message(field, body, next, depth);
        at = next;
      } else if (field === (key & 7)) {
        at = this.#skip(field, at, end);
      } else if (typeof field === 'number' && (field & PACKED) !== 0) {
        at = this.#skipNumbers(field & 7, key, at, end);
      } else {
        const known = field === undefined ? 0 : key >>> 3;
        at = skipUnknown(bytes, at, end, key, known, known);
      }
    }
  }

  /** A number of a list, or many in one field. */
  #skipNumbers(wireType: number, key: number, at: number, end: number): number {
    if ((key & 7) === wireType) {
      this.#countItem();
      return this.#skip(wireType, at, end);
    }
    if ((key & 7) !== WIRE_BYTES) return skipUnknown(this.#bytes, at, end, key, key >>> 3, key >>> 3);
    let next = varintEnd(this.#bytes, at, end);
    const listEnd = next + lengthAt(this.#bytes, at, end);
    for (let index = 0; next < listEnd; index++) {
      if (index % NUMBERS_AN_ITEM === 0) this.#countItem();
      next = this.#skip(wireType, next, listEnd);
    }
    return listEnd;
  }

  #countItem(): void {
    if (++this.#items > this.#maxItems) throw tooLarge('too many values', 'maxItems', this.#maxItems);
  }

  #skip(wireType: number, at: number, end: number): number {
    switch (wireType) {
      case WIRE_VARINT:
        return varintEnd(this.#bytes, at, end);
      case WIRE_BYTES:
        return varintEnd(this.#bytes, at, end) + lengthAt(this.#bytes, at, end);
      case WIRE_FIXED32:
        return fixedEnd(at, 4, end);
      default:
        return fixedEnd(at, 8, end);
    }
  }
}

/**
 * Whether a `KeyValue` is what nearly all are: a key, then a string, number or boolean, with lengths of one byte
 * and nothing else. Knowing them at a glance halves the time of a validation (bench/otlp-scan).
 */
function isPlainAttribute(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 4 || bytes[start] !== KEY_VALUE_KEY) return false;
  const keyLength = bytes[start + 1]!;
  const value = start + 2 + keyLength;
  if (keyLength >= 0x80 || value + 3 > end) return false;
  const valueLength = bytes[value + 1]!;
  if (bytes[value] !== KEY_VALUE_VALUE || valueLength >= 0x80 || value + 2 + valueLength !== end)
    return false;
  switch (bytes[value + 2]) {
    case ANY_STRING:
      return value + 4 <= end && value + 4 + bytes[value + 3]! === end && bytes[value + 3]! < 0x80;
    case ANY_INT:
    case ANY_BOOL:
      for (let at = value + 3; at < end && at < value + 12; at++) {
        if (bytes[at]! < 0x80) return at + 1 === end;
      }
      return false;
    case ANY_DOUBLE:
      return value + 11 === end;
    default:
      return false;
  }
}
