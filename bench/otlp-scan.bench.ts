import { TraceScanner, tracesToJson, validateTraces } from '@tracewell/otlp';
import { alternate, type Bench, compare } from './harness.ts';
import { loadPeers, makePayload, type PeerRequest, rate } from './otlp-payload.ts';

/** What an index wants to know of each span, as columns. */
class Columns {
  readonly ids: Uint32Array;
  readonly times: Uint32Array;
  readonly kinds: Uint8Array;
  readonly statuses: Uint8Array;
  rows = 0;

  constructor(rows: number) {
    this.ids = new Uint32Array(8 * rows);
    this.times = new Uint32Array(4 * rows);
    this.kinds = new Uint8Array(rows);
    this.statuses = new Uint8Array(rows);
  }
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

function fromScanner(scanner: TraceScanner, bytes: Uint8Array, columns: Columns): void {
  const { ids, times, kinds, statuses } = columns;
  let row = 0;
  scanner.reset(bytes);
  while (scanner.next()) {
    const id = 8 * row;
    for (let index = 0; index < 4; index++) ids[id + index] = word(bytes, scanner.traceIdAt + 4 * index);
    for (let index = 0; index < 2; index++) ids[id + 4 + index] = word(bytes, scanner.spanIdAt + 4 * index);
    if (scanner.parentIdAt !== -1) {
      for (let index = 0; index < 2; index++)
        ids[id + 6 + index] = word(bytes, scanner.parentIdAt + 4 * index);
    }
    times[4 * row] = scanner.startLow;
    times[4 * row + 1] = scanner.startHigh;
    times[4 * row + 2] = scanner.endLow;
    times[4 * row + 3] = scanner.endHigh;
    kinds[row] = scanner.kind;
    statuses[row] = scanner.statusCode;
    row++;
  }
  columns.rows = row;
}

function fromMessages(request: PeerRequest, columns: Columns): void {
  const { ids, times, kinds, statuses } = columns;
  let row = 0;
  for (const { scopeSpans } of request.resourceSpans) {
    for (const { spans } of scopeSpans) {
      for (const span of spans) {
        const id = 8 * row;
        for (let index = 0; index < 4; index++) ids[id + index] = word(span.traceId, 4 * index);
        for (let index = 0; index < 2; index++) ids[id + 4 + index] = word(span.spanId, 4 * index);
        if (span.parentSpanId != null && span.parentSpanId.length === 8) {
          for (let index = 0; index < 2; index++) ids[id + 6 + index] = word(span.parentSpanId, 4 * index);
        }
        times[4 * row] = span.startTimeUnixNano.low;
        times[4 * row + 1] = span.startTimeUnixNano.high;
        times[4 * row + 2] = span.endTimeUnixNano.low;
        times[4 * row + 3] = span.endTimeUnixNano.high;
        kinds[row] = span.kind;
        statuses[row] = span.status?.code ?? 0;
        row++;
      }
    }
  }
  columns.rows = row;
}

interface JsonRequest {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly kind: number;
        readonly startTimeUnixNano: string;
        readonly endTimeUnixNano: string;
        readonly status?: { readonly code?: number };
      }[];
    }[];
  }[];
}

const id = Buffer.alloc(16);

function fromJson(request: JsonRequest, columns: Columns): void {
  const { ids, times, kinds, statuses } = columns;
  let row = 0;
  for (const { scopeSpans } of request.resourceSpans) {
    for (const { spans } of scopeSpans) {
      for (const span of spans) {
        id.write(span.traceId, 'hex');
        for (let index = 0; index < 4; index++) ids[8 * row + index] = word(id, 4 * index);
        id.write(span.spanId, 'hex');
        for (let index = 0; index < 2; index++) ids[8 * row + 4 + index] = word(id, 4 * index);
        if (span.parentSpanId !== undefined && span.parentSpanId !== '') {
          id.write(span.parentSpanId, 'hex');
          for (let index = 0; index < 2; index++) ids[8 * row + 6 + index] = word(id, 4 * index);
        }
        const start = BigInt(span.startTimeUnixNano);
        const end = BigInt(span.endTimeUnixNano);
        times[4 * row] = Number(start & 0xffff_ffffn);
        times[4 * row + 1] = Number(start >> 32n);
        times[4 * row + 2] = Number(end & 0xffff_ffffn);
        times[4 * row + 3] = Number(end >> 32n);
        kinds[row] = span.kind;
        statuses[row] = span.status?.code ?? 0;
        row++;
      }
    }
  }
  columns.rows = row;
}

const bench: Bench = {
  name: 'otlp-scan',
  what: 'Walks an OTLP request of 512 spans and fills typed columns with ids, times, kind and status of each. The scanner steps over attributes, protobufjs decodes them; the lines with validation look at every byte on both sides. OpenTelemetry has no decoder of requests to stand beside.',
  async run({ tiny, report }) {
    const { bytes, spanCount } = makePayload(tiny ? 64 : 512);
    const { ahead, runtime } = loadPeers();
    const json = tracesToJson(bytes);
    const scanner = new TraceScanner();
    const columns = {
      ours: new Columns(spanCount),
      ahead: new Columns(spanCount),
      runtime: new Columns(spanCount),
      json: new Columns(spanCount),
    };
    const seconds = tiny ? 0.01 : 0.15;
    const rates = await alternate(tiny ? 1 : 11, {
      ours: rate(spanCount, seconds, () => fromScanner(scanner, bytes, columns.ours)),
      validated: rate(spanCount, seconds, () => {
        validateTraces(bytes);
        fromScanner(scanner, bytes, columns.ours);
      }),
      ahead: rate(spanCount, seconds, () => fromMessages(ahead.decode(bytes), columns.ahead)),
      runtime: rate(spanCount, seconds, () => fromMessages(runtime.decode(bytes), columns.runtime)),
      json: rate(spanCount, seconds, () => fromJson(JSON.parse(json) as JsonRequest, columns.json)),
    });
    for (const theirs of [columns.ahead, columns.runtime, columns.json]) {
      if (JSON.stringify(columns.ours) !== JSON.stringify(theirs)) throw new Error('the sides disagree');
    }
    const line = (metric: string, ours: number, peer: string, theirs: number): void =>
      report(compare('otlp-scan', metric, 'spans/s', 'higher', ours, peer, theirs));
    line('index a request', rates.ours, 'protobufjs, compiled classes', rates.ahead);
    line('index a request', rates.ours, 'protobufjs 8', rates.runtime);
    line('index a request', rates.ours, 'JSON.parse of OTLP/JSON', rates.json);
    line('validate, then index', rates.validated, 'protobufjs, compiled classes', rates.ahead);
    line('validate, then index', rates.validated, 'protobufjs 8', rates.runtime);
  },
};
export default bench;
