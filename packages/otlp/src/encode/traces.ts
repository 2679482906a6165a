import type { ResourceData, ScopeData, SpanData } from '@tracewell/plugin';
import { REQUEST_RESOURCE_SPANS, RESOURCE_SPANS_SCOPE_SPANS } from '../wire/fields.ts';
import { writeResourceHead, writeScopeHead } from './resource.ts';
import { writeSpan } from './span.ts';
import { Writer } from './writer.ts';

/** Spans that share a scope. */
interface ScopeGroup {
  /** The fields of `ScopeSpans` but for the spans. */
  readonly head: Uint8Array;
  readonly spans: SpanData[];
}

/** Scopes that share a resource. */
interface ResourceGroup {
  /** The fields of `ResourceSpans` but for the scopes. */
  readonly head: Uint8Array;
  readonly byScope: Map<ScopeData, ScopeGroup>;
  readonly byHead: Map<string, ScopeGroup>;
}

/**
 * Encodes spans as one OTLP `ExportTraceServiceRequest` in protobuf.
 *
 * Spans are grouped by resource, then by scope: objects that say the same share a group, whether they are
 * the same object or not. Groups keep the order of their first span, spans the order within their group.
 * Lone surrogates in strings become U+FFFD; everything else comes back from {@link decodeTraces} as it was.
 *
 * @returns the request, which belongs to the caller; empty if there are no spans
 * @throws `RangeError` for an id that is not of its length in hex digits or is all zeros, a `bigint` beyond
 * 64 bits, or a value nested deeper than 256 levels; `TypeError` for a value that OTLP has no type for
 *
 * @example
 * ```ts
 * import { decodeTraces, encodeTraces } from '@tracewell/otlp';
 * import type { SpanData } from '@tracewell/plugin';
 *
 * const span: SpanData = {
 *   traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', parentSpanId: '',
 *   traceState: '', flags: 1, name: 'checkout', kind: 1,
 *   startTimeUnixNanos: 1_700_000_000_000_000_000n, endTimeUnixNanos: 1_700_000_000_020_000_000n,
 *   attributes: { items: 3 }, droppedAttributesCount: 0,
 *   events: [], droppedEventsCount: 0, links: [], droppedLinksCount: 0,
 *   status: { code: 0, message: '' },
 *   resource: { attributes: { 'service.name': 'shop' }, droppedAttributesCount: 0, schemaUrl: '' },
 *   scope: { name: 'shop', version: '1.0.0', attributes: {}, droppedAttributesCount: 0, schemaUrl: '' },
 * };
 * console.log(decodeTraces(encodeTraces([span]))[0]?.attributes.items); // 3
 * ```
 */
export function encodeTraces(spans: Iterable<SpanData>): Uint8Array {
  const writer = new Writer();
  for (const resource of groupSpans(writer, spans)) {
    writer.room(8);
    const resourceStart = writer.open(REQUEST_RESOURCE_SPANS, 3);
    writer.append(resource.head, 0, resource.head.length);
    for (const scope of resource.byHead.values()) {
      writer.room(8);
      const scopeStart = writer.open(RESOURCE_SPANS_SCOPE_SPANS, 3);
      writer.append(scope.head, 0, scope.head.length);
      for (const span of scope.spans) writeSpan(writer, span);
      writer.close(scopeStart, 3);
    }
    writer.close(resourceStart, 3);
  }
  const request = writer.take(0);
  writer.release();
  return request;
}

// Identity first, which is a lookup; only an object that was not seen before is encoded, and joins the group
// that has the same bytes.
function groupSpans(writer: Writer, spans: Iterable<SpanData>): Iterable<ResourceGroup> {
  const byResource = new Map<ResourceData, ResourceGroup>();
  const byHead = new Map<string, ResourceGroup>();
  let lastResource: ResourceData | undefined;
  let lastScope: ScopeData | undefined;
  let target: SpanData[] = [];
  for (const span of spans) {
    const { resource, scope } = span;
    if (resource !== lastResource || scope !== lastScope) {
      let group = byResource.get(resource);
      if (group === undefined) {
        writeResourceHead(writer, resource);
        const head = writer.take(0);
        group = getOrAdd(byHead, toKey(head), () => ({ head, byScope: new Map(), byHead: new Map() }));
        byResource.set(resource, group);
      }
      let scopeGroup = group.byScope.get(scope);
      if (scopeGroup === undefined) {
        writeScopeHead(writer, scope);
        const head = writer.take(0);
        scopeGroup = getOrAdd(group.byHead, toKey(head), () => ({ head, spans: [] }));
        group.byScope.set(scope, scopeGroup);
      }
      target = scopeGroup.spans;
      lastResource = resource;
      lastScope = scope;
    }
    target.push(span);
  }
  return byHead.values();
}

// One UTF-16 unit for each byte: bytes as a map's key.
function toKey(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function getOrAdd<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
