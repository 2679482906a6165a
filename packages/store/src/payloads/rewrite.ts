/**
 * Replaces values deep inside OTLP messages without decoding them: a message is copied around what was replaced,
 * with the lengths of the messages around it put right, and one in which nothing was replaced is not copied at all.
 */
import {
  EVENT_ATTRIBUTES,
  KEY_VALUE_KEY,
  KEY_VALUE_VALUE,
  LINK_ATTRIBUTES,
  LOG_RECORD_ATTRIBUTES,
  LOG_RECORD_BODY,
  REQUEST_RESOURCE_SPANS,
  RESOURCE_SPANS_SCOPE_SPANS,
  readUtf8,
  readVarint,
  SCOPE_SPANS_SPANS,
  SPAN_ATTRIBUTES,
  SPAN_EVENTS,
  SPAN_LINKS,
  skipVarint,
  varintSize,
  WIRE_BYTES,
  writeVarint,
} from '@tracewell/otlp/wire';
import { skipField } from '../cold/attributes/skip-field.ts';

/** Gives what is to stand in place of the message from `start` to `end`; `undefined` leaves it as it is. */
export type Rewriter = (bytes: Uint8Array, start: number, end: number) => Uint8Array | undefined;

/** As {@link Rewriter}, of an `AnyValue`; `key` tells the attribute's key, or `body`. */
export type ValueRewriter = (
  bytes: Uint8Array,
  start: number,
  end: number,
  key: () => string,
) => Uint8Array | undefined;

/** Rewrites some fields of a message, by their keys on the wire. The bytes were let through by a scanner. */
export function rewriteFields(
  bytes: Uint8Array,
  start: number,
  end: number,
  fields: ReadonlyMap<number, Rewriter>,
): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  let copied = start;
  for (let at = start; at < end; ) {
    const key = readVarint(bytes, at);
    const body = skipVarint(bytes, at);
    at = skipField(bytes, body, key);
    const rewriter = fields.get(key);
    if (rewriter === undefined || (key & 7) !== WIRE_BYTES) continue;
    const replacement = rewriter(bytes, skipVarint(bytes, body), at);
    if (replacement === undefined) continue;
    const length = new Uint8Array(varintSize(replacement.length));
    writeVarint(length, 0, replacement.length);
    parts.push(bytes.subarray(copied, body), length, replacement);
    copied = at;
  }
  if (copied === start) return undefined;
  parts.push(bytes.subarray(copied, end));
  return Buffer.concat(parts);
}

/** Rewrites the values of a `Span` message: those of its attributes, and of its events' and links' attributes. */
export function spanRewriter(value: ValueRewriter): Rewriter {
  const attribute = keyValueRewriter(value);
  return messageRewriter([
    [SPAN_ATTRIBUTES, attribute],
    [SPAN_EVENTS, messageRewriter([[EVENT_ATTRIBUTES, attribute]])],
    [SPAN_LINKS, messageRewriter([[LINK_ATTRIBUTES, attribute]])],
  ]);
}

/** Rewrites the values of a `LogRecord` message: its body and those of its attributes. */
export function logRewriter(value: ValueRewriter): Rewriter {
  return messageRewriter([
    [LOG_RECORD_ATTRIBUTES, keyValueRewriter(value)],
    [LOG_RECORD_BODY, (bytes, start, end) => value(bytes, start, end, () => 'body')],
  ]);
}

/** Rewrites the spans or log records of a request: the way to them is the same on the wire. */
export function requestRewriter(record: Rewriter): Rewriter {
  const scope = messageRewriter([[SCOPE_SPANS_SPANS, record]]);
  const resource = messageRewriter([[RESOURCE_SPANS_SCOPE_SPANS, scope]]);
  return messageRewriter([[REQUEST_RESOURCE_SPANS, resource]]);
}

/** An `AnyValue` as an attribute without a key. */
export function asKeyValue(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const value = field(KEY_VALUE_VALUE, bytes.subarray(start, end));
  return Buffer.concat([Uint8Array.of(KEY_VALUE_KEY, 0), value]);
}

/** A field of bytes, by its key on the wire, which must be of one byte. */
export function field(key: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + varintSize(body.length) + body.length);
  bytes[0] = key;
  bytes.set(body, writeVarint(bytes, 1, body.length));
  return bytes;
}

function messageRewriter(fields: readonly (readonly [key: number, rewriter: Rewriter])[]): Rewriter {
  const map = new Map(fields);
  return (bytes, start, end) => rewriteFields(bytes, start, end, map);
}

function keyValueRewriter(value: ValueRewriter): Rewriter {
  return (bytes, start, end) =>
    rewriteFields(
      bytes,
      start,
      end,
      new Map([[KEY_VALUE_VALUE, (all, from, to) => value(all, from, to, () => keyOf(bytes, start, end))]]),
    );
}

function keyOf(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; ) {
    const key = readVarint(bytes, at);
    const body = skipVarint(bytes, at);
    at = skipField(bytes, body, key);
    if (key === KEY_VALUE_KEY) text = readUtf8(bytes, skipVarint(bytes, body), at);
  }
  return text;
}
