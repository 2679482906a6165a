import { createTraceState, type HrTime, type SpanContext, SpanKind } from '@opentelemetry/api';
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

/** Attributes as any release of the API types them; later ones allow more kinds of values. */
export interface ReadableAttributes {
  readonly [key: string]: unknown;
}

/** An event of a {@link ReadableSpan}. */
export interface ReadableEvent {
  readonly name: string;
  readonly time: HrTime;
  readonly attributes?: ReadableAttributes | undefined;
  readonly droppedAttributesCount?: number | undefined;
}

/** A link of a {@link ReadableSpan}. */
export interface ReadableLink {
  readonly context: SpanContext;
  readonly attributes?: ReadableAttributes | undefined;
  readonly droppedAttributesCount?: number | undefined;
}

/** The resource of a {@link ReadableSpan}. */
export interface ReadableResource {
  readonly attributes: ReadableAttributes;
  /** Whether detectors are still at work; then `waitForAsyncAttributes` tells when they are done. */
  readonly asyncAttributesPending?: boolean | undefined;
  /** Resolves when all attributes are known. */
  waitForAsyncAttributes?(): Promise<void>;
  readonly schemaUrl?: string | undefined;
}

/** The instrumentation scope of a {@link ReadableSpan}. */
export interface ReadableScope {
  readonly name: string;
  readonly version?: string | undefined;
  readonly schemaUrl?: string | undefined;
  readonly attributes?: ReadableAttributes | undefined;
  readonly droppedAttributesCount?: number | undefined;
}

/**
 * An ended span as OpenTelemetry's SDK hands it to exporters: the slice of the SDK's own interface that the
 * lines 1.x, 2.x and 3.x have in common, as wide as any of them. Where they differ, either field may be there.
 */
export interface ReadableSpan {
  readonly name: string;
  readonly kind: SpanKind;
  /** The span's identity. */
  readonly spanContext: () => SpanContext;
  /** Since 2.x. */
  readonly parentSpanContext?: SpanContext | undefined;
  /** In 1.x. */
  readonly parentSpanId?: string | undefined;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly duration: HrTime;
  readonly ended: boolean;
  readonly status: { readonly code: number; readonly message?: string | undefined };
  readonly attributes: ReadableAttributes;
  readonly links: readonly ReadableLink[];
  readonly events: readonly ReadableEvent[];
  readonly resource: ReadableResource;
  /** Since 2.x. */
  readonly instrumentationScope?: ReadableScope | undefined;
  /** In 1.x. */
  readonly instrumentationLibrary?: ReadableScope | undefined;
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount: number;
  readonly droppedLinksCount: number;
}

/** Bits of OTLP's flags: whether it is known that a parent or a linked span is remote, and whether it is. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

/**
 * Dresses decoded spans as what OpenTelemetry's exporters take.
 *
 * The values that its attributes do not know become the nearest that they do: a 64-bit integer beyond the
 * safe ones becomes its decimal digits, a `Double` its number. A span of no kind is an internal one.
 */
export function toReadableSpans(spans: readonly SpanData[]): ReadableSpan[] {
  // Exporters group by the identity of the resource, so spans that share one go on sharing it.
  const resources = new Map<ResourceData, BridgedResource>();
  const scopes = new Map<ScopeData, ReadableScope>();
  return spans.map((span) => {
    let resource = resources.get(span.resource);
    if (resource === undefined) {
      resource = new BridgedResource(span.resource);
      resources.set(span.resource, resource);
    }
    let scope = scopes.get(span.scope);
    if (scope === undefined) {
      scope = toScope(span.scope);
      scopes.set(span.scope, scope);
    }
    return toReadableSpan(span, resource, scope);
  });
}

function toReadableSpan(span: SpanData, resource: BridgedResource, scope: ReadableScope): ReadableSpan {
  const context = toSpanContext(span.traceId, span.spanId, span.flags, span.traceState);
  const duration = span.endTimeUnixNanos - span.startTimeUnixNanos;
  const isRemote = remoteness(span.flags);
  return {
    name: span.name,
    kind: span.kind === 0 ? SpanKind.INTERNAL : span.kind - 1,
    spanContext: () => context,
    ...(span.parentSpanId !== '' && {
      parentSpanId: span.parentSpanId,
      parentSpanContext: {
        traceId: span.traceId,
        spanId: span.parentSpanId,
        traceFlags: context.traceFlags,
        ...(isRemote !== undefined && { isRemote }),
      },
    }),
    startTime: toHrTime(span.startTimeUnixNanos),
    endTime: toHrTime(span.endTimeUnixNanos),
    duration: toHrTime(duration < 0n ? 0n : duration),
    ended: true,
    status: span.status.message === '' ? { code: span.status.code } : { ...span.status },
    attributes: toApiAttributes(span.attributes),
    links: span.links.map(toLink),
    events: span.events.map(toEvent),
    resource,
    instrumentationScope: scope,
    instrumentationLibrary: scope,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
  };
}

/** A resource that every line takes: 1.x calls `merge`, 2.x looks at `asyncAttributesPending` and the raw attributes. */
class BridgedResource implements ReadableResource {
  readonly attributes: ReadableAttributes;
  readonly asyncAttributesPending = false;
  readonly schemaUrl?: string;

  constructor(resource: ResourceData) {
    this.attributes = toApiAttributes(resource.attributes);
    if (resource.schemaUrl !== '') this.schemaUrl = resource.schemaUrl;
  }

  async waitForAsyncAttributes(): Promise<void> {}

  getRawAttributes(): [string, unknown][] {
    return Object.entries(this.attributes);
  }

  merge(other: ReadableResource | null): ReadableResource {
    if (other === null) return this;
    return Object.assign(Object.create(BridgedResource.prototype) as BridgedResource, this, other, {
      attributes: { ...this.attributes, ...other.attributes },
    });
  }
}

function toScope(scope: ScopeData): ReadableScope {
  return {
    name: scope.name,
    ...(scope.version !== '' && { version: scope.version }),
    ...(scope.schemaUrl !== '' && { schemaUrl: scope.schemaUrl }),
    attributes: toApiAttributes(scope.attributes),
    droppedAttributesCount: scope.droppedAttributesCount,
  };
}

function toEvent(event: SpanEventData): ReadableEvent {
  return {
    name: event.name,
    time: toHrTime(event.timeUnixNanos),
    attributes: toApiAttributes(event.attributes),
    droppedAttributesCount: event.droppedAttributesCount,
  };
}

function toLink(link: SpanLinkData): ReadableLink {
  const isRemote = remoteness(link.flags);
  return {
    context: {
      ...toSpanContext(link.traceId, link.spanId, link.flags, link.traceState),
      ...(isRemote !== undefined && { isRemote }),
    },
    attributes: toApiAttributes(link.attributes),
    droppedAttributesCount: link.droppedAttributesCount,
  };
}

function toSpanContext(traceId: string, spanId: string, flags: number, traceState: string): SpanContext {
  const traceFlags = flags & 0xff;
  return traceState === ''
    ? { traceId, spanId, traceFlags }
    : { traceId, spanId, traceFlags, traceState: createTraceState(traceState) };
}

function remoteness(flags: number): boolean | undefined {
  return (flags & HAS_IS_REMOTE) === 0 ? undefined : (flags & IS_REMOTE) !== 0;
}

function toHrTime(nanos: bigint): HrTime {
  return [Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n)];
}

function toApiAttributes(attributes: Attributes): ReadableAttributes {
  // Object.fromEntries defines its keys, so that even `__proto__` is only a key.
  return Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => [key, toApiValue(value as AttributeValue)]),
  );
}

function toApiValue(value: AttributeValue): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (value instanceof Double) return value.value;
  if (Array.isArray(value)) return value.map(toApiValue);
  return toApiAttributes(value as Attributes);
}
