import {
  type Attributes,
  type AttributeValue,
  Double,
  type ResourceData,
  type ScopeData,
  type SpanData,
  type SpanEventData,
  type SpanLinkData,
} from '@tracewell/plugin';
import { decodeTraces } from '../decode/traces.ts';
import { type DecodeOptions, MAX_DEPTH } from '../decode-limits.ts';
import { groupSpans } from '../encode/group-spans.ts';
import { checkNanos } from '../encode/primitive-fields.ts';
import { checkIds } from '../encode/span.ts';

/** What `JSON.stringify` gets. Fields that are `undefined`, because they have their default, are left out. */
type Json = { readonly [field: string]: unknown };

/**
 * Encodes spans as one OTLP `ExportTraceServiceRequest` in JSON, on one line: ids in hex, enums as numbers,
 * 64-bit integers as strings, bytes in base64, `NaN` and infinities as strings. Fields that have their
 * default are left out, but for a span's name, kind and times. Groups and errors are those of
 * {@link encodeTraces}.
 *
 * @throws `RangeError`, `TypeError` as {@link encodeTraces}
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 *
 * @example
 * ```ts
 * import { encodeTracesJson } from '@tracewell/otlp';
 *
 * console.log(encodeTracesJson([])); // {"resourceSpans":[]}
 * ```
 */
export function encodeTracesJson(spans: Iterable<SpanData>): string {
  const resourceSpans = Array.from(groupSpans(spans), ({ resource, scopes }) => ({
    resource: resourceJson(resource),
    scopeSpans: Array.from(scopes.all(), ({ scope, spans: ofScope }) => ({
      scope: scopeJson(scope),
      spans: ofScope.map(spanJson),
      schemaUrl: textOrNothing(scope.schemaUrl),
    })),
    schemaUrl: textOrNothing(resource.schemaUrl),
  }));
  return JSON.stringify({ resourceSpans });
}

/**
 * Translates an OTLP trace request from protobuf to JSON, on one line.
 *
 * @throws `TracewellError` as {@link decodeTraces}
 *
 * @example
 * ```ts
 * import { tracesToJson } from '@tracewell/otlp';
 *
 * console.log(tracesToJson(new Uint8Array())); // {"resourceSpans":[]}
 * ```
 */
export function tracesToJson(bytes: Uint8Array, options?: DecodeOptions): string {
  return encodeTracesJson(decodeTraces(bytes, options));
}

function resourceJson(resource: ResourceData): Json {
  return {
    attributes: attributesJson(resource.attributes),
    droppedAttributesCount: countOrNothing(resource.droppedAttributesCount),
  };
}

function scopeJson(scope: ScopeData): Json {
  return {
    name: textOrNothing(scope.name),
    version: textOrNothing(scope.version),
    attributes: attributesJson(scope.attributes),
    droppedAttributesCount: countOrNothing(scope.droppedAttributesCount),
  };
}

function spanJson(span: SpanData): Json {
  checkIds(span);
  const { code, message } = span.status;
  return {
    traceId: hex(span.traceId, 'traceId'),
    spanId: hex(span.spanId, 'spanId'),
    traceState: textOrNothing(span.traceState),
    parentSpanId: span.parentSpanId === '' ? undefined : hex(span.parentSpanId, 'parentSpanId'),
    name: span.name.toWellFormed(),
    kind: span.kind,
    startTimeUnixNano: nanos(span.startTimeUnixNanos, 'startTimeUnixNanos'),
    endTimeUnixNano: nanos(span.endTimeUnixNanos, 'endTimeUnixNanos'),
    attributes: attributesJson(span.attributes),
    droppedAttributesCount: countOrNothing(span.droppedAttributesCount),
    events: span.events.length === 0 ? undefined : span.events.map(eventJson),
    droppedEventsCount: countOrNothing(span.droppedEventsCount),
    links: span.links.length === 0 ? undefined : span.links.map(linkJson),
    droppedLinksCount: countOrNothing(span.droppedLinksCount),
    status:
      code === 0 && message === ''
        ? undefined
        : { message: textOrNothing(message), code: countOrNothing(code) },
    flags: countOrNothing(span.flags),
  };
}

function eventJson(event: SpanEventData): Json {
  return {
    timeUnixNano: nanos(event.timeUnixNanos, "an event's timeUnixNanos"),
    name: textOrNothing(event.name),
    attributes: attributesJson(event.attributes),
    droppedAttributesCount: countOrNothing(event.droppedAttributesCount),
  };
}

function linkJson(link: SpanLinkData): Json {
  return {
    traceId: hex(link.traceId, "a link's traceId"),
    spanId: hex(link.spanId, "a link's spanId"),
    traceState: textOrNothing(link.traceState),
    attributes: attributesJson(link.attributes),
    droppedAttributesCount: countOrNothing(link.droppedAttributesCount),
    flags: countOrNothing(link.flags),
  };
}

function attributesJson(attributes: Attributes): Json[] | undefined {
  const list = keyValuesJson(attributes, 0);
  return list.length === 0 ? undefined : list;
}

function keyValuesJson(attributes: Attributes, depth: number): Json[] {
  const list: Json[] = [];
  for (const key of Object.keys(attributes)) {
    const value = attributes[key];
    if (value !== undefined) list.push({ key: key.toWellFormed(), value: anyValueJson(value, depth, key) });
  }
  return list;
}

// `name` is the attribute's key, for errors.
function anyValueJson(value: AttributeValue | undefined, depth: number, name: string): Json {
  switch (typeof value) {
    case 'string':
      return { stringValue: value.toWellFormed() };
    case 'boolean':
      return { boolValue: value };
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0)
        ? { intValue: String(value) }
        : { doubleValue: double(value) };
    case 'bigint':
      if (BigInt.asIntN(64, value) !== value) {
        throw new RangeError(`attribute ${JSON.stringify(name)}: ${value} does not fit in 64 bits`);
      }
      return { intValue: String(value) };
    case 'undefined': // in an array
      return {};
    case 'object':
      break;
    default:
      throw new TypeError(`attribute ${JSON.stringify(name)}: OTLP has no value for a ${typeof value}`);
  }
  if (value === null) return {};
  if (value instanceof Double) return { doubleValue: double(value.value) };
  if (value instanceof Uint8Array) {
    const { buffer, byteOffset, length } = value;
    return { bytesValue: Buffer.from(buffer, byteOffset, length).toString('base64') };
  }
  if (depth === MAX_DEPTH) {
    throw new RangeError(
      `attribute ${JSON.stringify(name)} is nested deeper than ${MAX_DEPTH} levels, or refers to itself`,
    );
  }
  if (isArray(value)) {
    return { arrayValue: { values: Array.from(value, (item) => anyValueJson(item, depth + 1, name)) } };
  }
  return { kvlistValue: { values: keyValuesJson(value, depth + 1) } };
}

// JSON has no NaN and no infinities, and JSON.stringify writes -0 as 0; proto3 allows a string for each.
function double(value: number): number | string {
  if (Object.is(value, -0)) return '-0';
  return Number.isFinite(value) ? value : String(value);
}

function nanos(value: bigint, name: string): string {
  checkNanos(value, name);
  return String(value);
}

function hex(digits: string, name: string): string {
  if (/^(?:[0-9a-f]{2})*$/i.test(digits)) return digits.toLowerCase();
  throw new RangeError(`${name} must be hex digits, got ${JSON.stringify(digits)}`);
}

function textOrNothing(text: string): string | undefined {
  return text === '' ? undefined : text.toWellFormed();
}

function countOrNothing(count: number): number | undefined {
  return count === 0 ? undefined : count >>> 0;
}

// Array.isArray does not narrow a readonly array out of a union.
function isArray(value: readonly AttributeValue[] | Attributes): value is readonly AttributeValue[] {
  return Array.isArray(value);
}
