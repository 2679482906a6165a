import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { decodeTraces, decodeTracesJson, encodeTraces, encodeTracesJson } from '@tracewell/otlp';
import { alternate, type Bench, compare } from './harness.ts';
import { loadPeers, makePayload, rate } from './otlp-payload.ts';

const bench: Bench = {
  name: 'otlp-encode',
  what: 'Encodes 512 spans as an OTLP request, each side from the objects of its own: plain spans, the spans of the OpenTelemetry SDK, the messages of protobufjs, which are protobuf already but for the bytes.',
  async run({ tiny, report }) {
    const { bytes, spanCount, readableSpans } = makePayload(tiny ? 64 : 512);
    const { ahead, runtime } = loadPeers();
    const spans = decodeTraces(bytes);
    const readable = [...readableSpans];
    const aheadMessage = ahead.decode(bytes);
    const runtimeMessage = runtime.decode(bytes);
    if (encodeTracesJson(decodeTraces(encodeTraces(spans))) !== encodeTracesJson(spans)) {
      throw new Error('encoding changes the spans');
    }
    const theirJson = Buffer.from(JsonTraceSerializer.serializeRequest(readable)!).toString();
    if (encodeTracesJson(decodeTracesJson(theirJson)) !== encodeTracesJson(spans)) {
      throw new Error('the sides disagree');
    }

    const seconds = tiny ? 0.01 : 0.15;
    const rates = await alternate(tiny ? 1 : 11, {
      ours: rate(spanCount, seconds, () => void encodeTraces(spans)),
      transformer: rate(spanCount, seconds, () => void ProtobufTraceSerializer.serializeRequest(readable)),
      ahead: rate(spanCount, seconds, () => void ahead.encode(aheadMessage).finish()),
      runtime: rate(spanCount, seconds, () => void runtime.encode(runtimeMessage).finish()),
      oursJson: rate(spanCount, seconds, () => void Buffer.from(encodeTracesJson(spans))),
      transformerJson: rate(spanCount, seconds, () => void JsonTraceSerializer.serializeRequest(readable)),
    });
    const line = (metric: string, ours: number, peer: string, theirs: number): void =>
      report(compare('otlp-encode', metric, 'spans/s', 'higher', ours, peer, theirs));
    line('protobuf', rates.ours, '@opentelemetry/otlp-transformer', rates.transformer);
    line('protobuf', rates.ours, 'protobufjs, compiled classes', rates.ahead);
    line('protobuf', rates.ours, 'protobufjs 8', rates.runtime);
    line('JSON', rates.oursJson, '@opentelemetry/otlp-transformer', rates.transformerJson);
  },
};
export default bench;
