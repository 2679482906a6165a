import type { HrTime } from '@opentelemetry/api';
import type {
  Attributes,
  ResourceData,
  ScopeData,
  SpanData,
  SpanEventData,
  SpanKind,
  SpanLinkData,
  StatusCode,
} from '@tracewell/plugin';
import type {
  ReadableAttributes,
  ReadableEvent,
  ReadableLink,
  ReadableResource,
  ReadableScope,
  ReadableSpan,
} from '../exporter-bridge/readable-span.ts';

/** Bits of OTLP's flags: it is known whether the parent or the linked span is remote; it is. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

const NO_SCOPE: ReadableScope = { name: '' };

/**
 * Takes the spans of an OpenTelemetry SDK, of the lines 1.x, 2.x or 3.x, as plain data: what its own OTLP
 * serializer would say of them.
 */
export function toSpanDatas(spans: readonly ReadableSpan[]): SpanData[] {
  const resources = new Map<ReadableResource, ResourceData>();
  const scopes = new Map<ReadableScope, ScopeData>();
  return spans.map((span) => {
    let resource = resources.get(span.resource);
    if (resource === undefined) {
      resource = toResource(span.resource);
      resources.set(span.resource, resource);
    }
    const from = span.instrumentationScope ?? span.instrumentationLibrary ?? NO_SCOPE;
    let scope = scopes.get(from);
    if (scope === undefined) {
      scope = toScope(from);
      scopes.set(from, scope);
    }
    return toSpanData(span, resource, scope);
  });
}

function toSpanData(span: ReadableSpan, resource: ResourceData, scope: ScopeData): SpanData {
  const context = span.spanContext();
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    parentSpanId: span.parentSpanContext?.spanId ?? span.parentSpanId ?? '',
    traceState: context.traceState?.serialize() ?? '',
    flags: toFlags(context.traceFlags, span.parentSpanContext?.isRemote),
    name: span.name,
    // The API counts its kinds from 0, OTLP from 1.
    kind: (span.kind + 1) as SpanKind,
    startTimeUnixNanos: toNanos(span.startTime),
    endTimeUnixNanos: toNanos(span.endTime),
    attributes: toAttributes(span.attributes),
    droppedAttributesCount: span.droppedAttributesCount,
    events: span.events.map(toEvent),
    droppedEventsCount: span.droppedEventsCount,
    links: span.links.map(toLink),
    droppedLinksCount: span.droppedLinksCount,
    status: { code: span.status.code as StatusCode, message: span.status.message ?? '' },
    resource,
    scope,
  };
}

function toResource(resource: ReadableResource): ResourceData {
  return {
    attributes: toAttributes(resource.attributes),
    droppedAttributesCount: 0,
    schemaUrl: resource.schemaUrl ?? '',
  };
}

function toScope(scope: ReadableScope): ScopeData {
  return {
    name: scope.name,
    version: scope.version ?? '',
    attributes: toAttributes(scope.attributes),
    droppedAttributesCount: scope.droppedAttributesCount ?? 0,
    schemaUrl: scope.schemaUrl ?? '',
  };
}

function toEvent(event: ReadableEvent): SpanEventData {
  return {
    timeUnixNanos: toNanos(event.time),
    name: event.name,
    attributes: toAttributes(event.attributes),
    droppedAttributesCount: event.droppedAttributesCount ?? 0,
  };
}

function toLink(link: ReadableLink): SpanLinkData {
  const { context } = link;
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    traceState: context.traceState?.serialize() ?? '',
    flags: toFlags(context.traceFlags, context.isRemote),
    attributes: toAttributes(link.attributes),
    droppedAttributesCount: link.droppedAttributesCount ?? 0,
  };
}

function toFlags(traceFlags: number, isRemote: boolean | undefined): number {
  return (traceFlags & 0xff) | HAS_IS_REMOTE | (isRemote === true ? IS_REMOTE : 0);
}

function toNanos(time: HrTime): bigint {
  return BigInt(time[0]) * 1_000_000_000n + BigInt(Math.round(time[1]));
}

/** OpenTelemetry's attribute values are a part of ours. */
function toAttributes(attributes: ReadableAttributes | undefined): Attributes {
  return (attributes ?? {}) as Attributes;
}
