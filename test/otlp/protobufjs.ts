// An independent implementation to compare with: protobufjs on the published .proto files, which dd-trace ships.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  type Attributes,
  type AttributeValue,
  Double,
  type SpanData,
  type SpanKind,
  type StatusCode,
} from '@tracewell/plugin';
import protobuf from 'protobufjs';

const require = createRequire(import.meta.url);
const protos = join(
  dirname(require.resolve('dd-trace/package.json')),
  'packages/dd-trace/src/opentelemetry/otlp',
);

const root = new protobuf.Root();
root.resolvePath = (_origin, target) => join(protos, target.split('/').at(-1)!);
root.loadSync(['trace_service.proto', 'logs_service.proto', 'metrics_service.proto']);

/** The message classes that protobufjs generates from the published files. */
export const ExportTraceServiceRequest = root.lookupType(
  'opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest',
);

export const ExportLogsServiceRequest = root.lookupType(
  'opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest',
);
export const ExportMetricsServiceRequest = root.lookupType(
  'opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest',
);

// What toObject is asked for below: bigint-like strings, bytes as they are, the member of a oneof by name.
const CONVERSION = { longs: String, defaults: true, arrays: true, oneofs: true };

export interface Message {
  readonly [field: string]: unknown;
}

/**
 * Decodes a request with protobufjs, and makes plain data of it with nothing of ours but the types.
 *
 * @param names - of the lists of resource groups, scope groups and entries
 * @param entry - makes plain data of one entry, which may be left out
 */
export function decodeWith<Type>(
  type: protobuf.Type,
  bytes: Uint8Array,
  names: readonly [string, string, string],
  entry: (message: Message) => Omit<Type, 'resource' | 'scope'> | undefined,
): Type[] {
  const [resourceGroups, scopeGroups, entries] = names;
  const request = type.toObject(type.decode(bytes), CONVERSION);
  return list(request[resourceGroups]).flatMap((resourceGroup) => {
    const ofResource = message(resourceGroup.resource);
    const resource = {
      attributes: attributesOf(ofResource),
      droppedAttributesCount: droppedOf(ofResource),
      schemaUrl: text(resourceGroup.schemaUrl),
    };
    return list(resourceGroup[scopeGroups]).flatMap((scopeGroup) => {
      const ofScope = message(scopeGroup.scope);
      const scope = {
        name: text(ofScope.name),
        version: text(ofScope.version),
        attributes: attributesOf(ofScope),
        droppedAttributesCount: droppedOf(ofScope),
        schemaUrl: text(scopeGroup.schemaUrl),
      };
      return list(scopeGroup[entries])
        .map(entry)
        .filter((own) => own !== undefined)
        .map((own) => ({ ...own, resource, scope }) as Type);
    });
  });
}

/** Decodes a trace request with protobufjs. */
export function peerDecode(bytes: Uint8Array): SpanData[] {
  return decodeWith<SpanData>(
    ExportTraceServiceRequest,
    bytes,
    ['resourceSpans', 'scopeSpans', 'spans'],
    (span) => {
      const status = message(span.status);
      return {
        traceId: hex(span.traceId),
        spanId: hex(span.spanId),
        parentSpanId: hex(span.parentSpanId),
        traceState: text(span.traceState),
        flags: Number(span.flags),
        name: text(span.name),
        kind: Number(span.kind) as SpanKind,
        startTimeUnixNanos: BigInt(text(span.startTimeUnixNano)),
        endTimeUnixNanos: BigInt(text(span.endTimeUnixNano)),
        attributes: attributesOf(span),
        droppedAttributesCount: droppedOf(span),
        events: list(span.events).map((event) => ({
          timeUnixNanos: BigInt(text(event.timeUnixNano)),
          name: text(event.name),
          attributes: attributesOf(event),
          droppedAttributesCount: droppedOf(event),
        })),
        droppedEventsCount: Number(span.droppedEventsCount),
        links: list(span.links).map((link) => ({
          traceId: hex(link.traceId),
          spanId: hex(link.spanId),
          traceState: text(link.traceState),
          flags: Number(link.flags),
          attributes: attributesOf(link),
          droppedAttributesCount: droppedOf(link),
        })),
        droppedLinksCount: Number(span.droppedLinksCount),
        status: { code: Number(status.code ?? 0) as StatusCode, message: text(status.message) },
      };
    },
  );
}

export function list(value: unknown): Message[] {
  return (value ?? []) as Message[];
}

export function message(value: unknown): Message {
  return (value ?? {}) as Message;
}

export function text(value: unknown): string {
  return (value ?? '') as string;
}

export function hex(value: unknown): string {
  return Buffer.from((value ?? []) as Uint8Array).toString('hex');
}

export function droppedOf(value: Message): number {
  return Number(value.droppedAttributesCount ?? 0);
}

export function attributesOf(value: Message, field = 'attributes'): Attributes {
  return mapOf(list(value[field]));
}

function mapOf(keyValues: readonly Message[]): Record<string, AttributeValue> {
  const map = Object.create(null) as Record<string, AttributeValue>;
  for (const { key, value } of keyValues) map[text(key)] = anyValueOf(message(value));
  return map;
}

export function anyValueOf(any: Message): AttributeValue {
  switch (any.value) {
    case 'stringValue':
      return text(any.stringValue);
    case 'boolValue':
      return any.boolValue as boolean;
    case 'intValue':
      return integerOf(any.intValue);
    case 'doubleValue':
      return doubleOf(any.doubleValue);
    case 'bytesValue':
      return new Uint8Array(any.bytesValue as Uint8Array);
    case 'arrayValue':
      return list(message(any.arrayValue).values).map(anyValueOf);
    case 'kvlistValue':
      return mapOf(list(message(any.kvlistValue).values));
    default:
      return null;
  }
}

export function integerOf(value: unknown): number | bigint {
  const integer = BigInt(text(value));
  return Number.isSafeInteger(Number(integer)) ? Number(integer) : integer;
}

export function doubleOf(value: unknown): number | Double {
  const double = value as number;
  return Number.isSafeInteger(double) && !Object.is(double, -0) ? new Double(double) : double;
}
