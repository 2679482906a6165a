import type { SpanBatch } from '../batch-exporter.ts';

/** What identifies a span on both sides of an exporter. `SpanData` is one. */
export interface SpanIdentity {
  readonly traceId: string;
  readonly spanId: string;
  readonly name: string;
}

/** A batch with the identities of its spans, in their order. */
export interface SampleBatch {
  readonly batch: SpanBatch;
  readonly spans: readonly SpanIdentity[];
}

/** One length-delimited protobuf field: tag, length as a varint, content. */
function field(number: number, content: Uint8Array | string): Buffer {
  const bytes = Buffer.from(content as string);
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    if (rest < 0x80) {
      length.push(rest);
      break;
    }
    length.push((rest & 0x7f) | 0x80);
  }
  return Buffer.concat([Buffer.of((number << 3) | 2, ...length), bytes]);
}

/** One fixed64 protobuf field. */
function fixed64(number: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(9, (number << 3) | 1);
  bytes.writeBigUInt64LE(value, 1);
  return bytes;
}

/**
 * The batch of a number: an OTLP request written by hand, since this package depends on nothing. Field
 * numbers are those of `ExportTraceServiceRequest` and what it contains.
 *
 * The bytes lie in the middle of a larger buffer, as those of a recorder may: an exporter that sends
 * `bytes.buffer` sends too much.
 *
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
 */
export function sampleBatch(number: number, spanCount: number): SampleBatch {
  const traceId = (number + 1).toString(16).padStart(32, 'c');
  const start = BigInt(Date.now()) * 1_000_000n;
  const spans = Array.from({ length: spanCount }, (_, index) => ({
    traceId,
    spanId: (number * 65_536 + index + 1).toString(16).padStart(16, 'd'),
    name: `batch ${number} span ${index}`,
  }));
  const encoded = spans.map(({ spanId, name }, index) =>
    field(
      2, // ScopeSpans.spans
      Buffer.concat([
        field(1, Buffer.from(traceId, 'hex')),
        field(2, Buffer.from(spanId, 'hex')),
        field(5, name),
        Buffer.of((6 << 3) | 0, 1), // kind: INTERNAL
        fixed64(7, start + BigInt(index)),
        fixed64(8, start + BigInt(index) + 1_000n),
      ]),
    ),
  );
  const serviceName = Buffer.concat([field(1, 'service.name'), field(2, field(1, 'conformance'))]);
  const scope = field(1, field(1, 'conformance'));
  const resourceSpans = Buffer.concat([
    field(1, field(1, serviceName)),
    field(2, Buffer.concat([scope, ...encoded])),
  ]);
  const request = field(1, resourceSpans);
  const surrounded = new Uint8Array(request.length + 64).fill(0xee);
  surrounded.set(request, 32);
  return { batch: { bytes: surrounded.subarray(32, 32 + request.length), spanCount }, spans };
}
