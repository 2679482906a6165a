import { decodeTraces } from '@tracewell/otlp';
import type { AttributeValue, SpanData, SpanKind, StatusCode } from '@tracewell/plugin';
import { alternate, type Bench, compare } from './harness.ts';
import {
  loadPeers,
  makePayload,
  type PeerKeyValue,
  type PeerLong,
  type PeerRequest,
  type PeerScope,
  rate,
} from './otlp-payload.ts';

// What a user of protobufjs writes to get at what the decoder of @tracewell/otlp returns: ids as hex, times as
// bigint, attributes by key.

function hex(bytes: Uint8Array | null | undefined): string {
  return bytes == null || bytes.length === 0
    ? ''
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

function nanos({ low, high }: PeerLong): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

function attributesOf(keyValues: readonly PeerKeyValue[]): Record<string, AttributeValue> {
  const attributes = Object.create(null) as Record<string, AttributeValue>;
  for (const { key, value } of keyValues) {
    const { stringValue, intValue, boolValue, doubleValue } = value;
    if (stringValue != null) attributes[key] = stringValue;
    else if (intValue != null) attributes[key] = intValue.high * 0x1_0000_0000 + (intValue.low >>> 0);
    else if (boolValue != null) attributes[key] = boolValue;
    else attributes[key] = doubleValue ?? null;
  }
  return attributes;
}

function scopeOf({ name, version }: PeerScope): SpanData['scope'] {
  return { name, version, attributes: {}, droppedAttributesCount: 0, schemaUrl: '' };
}

function plainSpans(request: PeerRequest): SpanData[] {
  const result: SpanData[] = [];
  for (const { resource: ofResource, scopeSpans } of request.resourceSpans) {
    const attributes = attributesOf(ofResource.attributes);
    const resource = { attributes, droppedAttributesCount: 0, schemaUrl: '' };
    for (const { scope: ofScope, spans } of scopeSpans) {
      const scope = scopeOf(ofScope);
      for (const span of spans) {
        result.push({
          traceId: hex(span.traceId),
          spanId: hex(span.spanId),
          parentSpanId: hex(span.parentSpanId),
          traceState: '',
          flags: 0,
          name: span.name,
          kind: span.kind as SpanKind,
          startTimeUnixNanos: nanos(span.startTimeUnixNano),
          endTimeUnixNanos: nanos(span.endTimeUnixNano),
          attributes: attributesOf(span.attributes),
          droppedAttributesCount: 0,
          events: span.events.map((event) => ({
            timeUnixNanos: nanos(event.timeUnixNano),
            name: event.name,
            attributes: attributesOf(event.attributes),
            droppedAttributesCount: 0,
          })),
          droppedEventsCount: 0,
          links: [],
          droppedLinksCount: 0,
          status: { code: (span.status?.code ?? 0) as StatusCode, message: span.status?.message ?? '' },
          resource,
          scope,
        });
      }
    }
  }
  return result;
}

const bench: Bench = {
  name: 'otlp-decode',
  what: 'Decodes an OTLP request of 512 spans to plain spans: ids in hex, times as bigint, attributes by key. The raw lines stop at the message objects of protobufjs, which is less work than ours. OpenTelemetry has no decoder of requests to stand beside.',
  async run({ tiny, report }) {
    const { bytes, spanCount } = makePayload(tiny ? 64 : 512);
    const { ahead, runtime } = loadPeers();
    const ours = decodeTraces(bytes).map(({ attributes }) => Object.entries(attributes));
    const theirs = plainSpans(ahead.decode(bytes)).map(({ attributes }) => Object.entries(attributes));
    if (JSON.stringify(ours) !== JSON.stringify(theirs)) throw new Error('the sides disagree');

    const seconds = tiny ? 0.01 : 0.15;
    const rates = await alternate(tiny ? 1 : 11, {
      ours: rate(spanCount, seconds, () => void decodeTraces(bytes)),
      aheadPlain: rate(spanCount, seconds, () => void plainSpans(ahead.decode(bytes))),
      runtimePlain: rate(spanCount, seconds, () => void plainSpans(runtime.decode(bytes))),
      aheadRaw: rate(spanCount, seconds, () => void ahead.decode(bytes)),
      runtimeRaw: rate(spanCount, seconds, () => void runtime.decode(bytes)),
    });
    const line = (metric: string, peer: string, theirs: number): void =>
      report(compare('otlp-decode', metric, 'spans/s', 'higher', rates.ours, peer, theirs));
    line('to plain spans', 'protobufjs, compiled classes', rates.aheadPlain);
    line('to plain spans', 'protobufjs 8', rates.runtimePlain);
    line('beside raw messages', 'protobufjs, compiled classes', rates.aheadRaw);
    line('beside raw messages', 'protobufjs 8', rates.runtimeRaw);
  },
};
export default bench;
