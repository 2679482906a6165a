import {
  readUtf8,
  readVarint,
  skipVarint,
  WIRE_BYTES,
  WIRE_FIXED32,
  WIRE_FIXED64,
  WIRE_VARINT,
} from '@tracewell/otlp/wire';
import type { OtlpAnswer } from './transport.ts';

/** The part of a request that a receiver refused for good. */
export interface PartialSuccess {
  readonly rejectedSpans: number;
  readonly message: string;
}

/** How much of a receiver's explanation goes into an error. */
const MAX_MESSAGE_LENGTH = 300;

/**
 * The partial success in an `ExportTraceServiceResponse`, if there is one. An answer that makes no sense
 * counts as none: the status has already said that the spans were taken.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#partial-success-1
 */
export function partialSuccess(answer: OtlpAnswer): PartialSuccess | undefined {
  try {
    if (isJson(answer)) {
      const { partialSuccess: partial } = JSON.parse(answer.body.toString()) as {
        readonly partialSuccess?: { readonly rejectedSpans?: unknown; readonly errorMessage?: unknown };
      };
      if (partial === undefined || partial === null) return undefined;
      return toPartialSuccess(partial.rejectedSpans, partial.errorMessage);
    }
    // ExportTraceServiceResponse { partial_success = 1 }, ExportTracePartialSuccess { rejected_spans = 1, error_message = 2 }
    const partial = lastField(answer.body, 0, answer.body.length, 1);
    if (partial === undefined) return undefined;
    const rejected = lastField(answer.body, partial.start, partial.end, 1);
    const message = lastField(answer.body, partial.start, partial.end, 2);
    return toPartialSuccess(rejected?.value, message && readUtf8(answer.body, message.start, message.end));
  } catch {
    return undefined;
  }
}

/**
 * What a receiver said of an error: the message of the `google.rpc.Status` that OTLP asks for, or the text
 * that a proxy sent instead. Nothing that went out in a header comes back in it, whatever the receiver quotes.
 */
export function errorMessage(answer: OtlpAnswer): string {
  return withoutSecrets(rawMessage(answer), answer.sentHeaders);
}

function rawMessage(answer: OtlpAnswer): string {
  try {
    if (isJson(answer)) {
      const { message } = JSON.parse(answer.body.toString()) as { readonly message?: unknown };
      return typeof message === 'string' ? message : '';
    }
    if (answer.contentType?.startsWith('application/x-protobuf')) {
      // google.rpc.Status { code = 1, message = 2 }
      const message = lastField(answer.body, 0, answer.body.length, 2);
      return message === undefined ? '' : readUtf8(answer.body, message.start, message.end);
    }
  } catch {
    return '';
  }
  return answer.contentType?.startsWith('text/plain') ? answer.body.toString() : '';
}

/** Cuts out every part of a sent header's value that is long enough to be a secret. */
export function withoutSecrets(text: string, headers: Readonly<Record<string, string>>): string {
  let clean = text;
  for (const value of Object.values(headers)) {
    for (const part of [value, ...value.split(/[\s,;=]+/)]) {
      if (part.length >= 4) clean = clean.replaceAll(part, '[redacted]');
    }
  }
  return clean.replace(/\s+/g, ' ').trim().slice(0, MAX_MESSAGE_LENGTH);
}

function toPartialSuccess(rejected: unknown, message: unknown): PartialSuccess | undefined {
  const rejectedSpans = Number(rejected ?? 0);
  const text = typeof message === 'string' ? message : '';
  if (!Number.isSafeInteger(rejectedSpans) || rejectedSpans < 0) return undefined;
  return rejectedSpans === 0 && text === '' ? undefined : { rejectedSpans, message: text };
}

function isJson(answer: OtlpAnswer): boolean {
  return answer.contentType?.startsWith('application/json') === true;
}

interface Field {
  /** A varint's value, or 0. */
  readonly value: number;
  /** Where the bytes of a length-delimited field lie. */
  readonly start: number;
  readonly end: number;
}

/** The last field of a number in a protobuf message, as protobuf wants repeated single fields read. */
function lastField(bytes: Uint8Array, from: number, end: number, wanted: number): Field | undefined {
  let found: Field | undefined;
  let at = from;
  while (at < end) {
    const key = varint(bytes, at, end);
    const field = fieldAt(bytes, key.end, end, key.value & 7);
    if (field.end > end) throw new RangeError('a field reaches beyond its message');
    if (Math.floor(key.value / 8) === wanted) found = field;
    at = field.end;
  }
  return found;
}

function fieldAt(bytes: Uint8Array, at: number, end: number, wireType: number): Field {
  if (wireType === WIRE_VARINT) return varint(bytes, at, end);
  if (wireType === WIRE_FIXED64) return { value: 0, start: at, end: at + 8 };
  if (wireType === WIRE_FIXED32) return { value: 0, start: at, end: at + 4 };
  if (wireType !== WIRE_BYTES) throw new RangeError(`wire type ${wireType}`);
  const length = varint(bytes, at, end);
  return { value: 0, start: length.end, end: length.end + length.value };
}

/** A varint that may be cut short: its end is checked before anything reads it. */
function varint(bytes: Uint8Array, start: number, end: number): Field {
  const behind = skipVarint(bytes, start);
  if (behind > end || behind - start > 10) throw new RangeError('a varint has no end');
  return { value: readVarint(bytes, start), start, end: behind };
}
