import { type SpanData, SpanKind, StatusCode } from '@tracewell/plugin';

/** The spans of a trace, written down in milliseconds. */
export class TraceBuilder {
  readonly spans: SpanData[] = [];
  readonly #traceId: string;
  readonly #epoch: bigint;

  constructor(traceId = '4bf92f3577b34da6a3ce929d0e0e4736', epochMs = 1_732_118_400_123) {
    this.#traceId = traceId;
    this.#epoch = BigInt(epochMs) * 1_000_000n;
  }

  /** Adds a span and returns its id, by which others name it as their parent. */
  span(
    service: string,
    name: string,
    parentSpanId: string,
    atMs: number,
    durationMs: number,
    more: Partial<SpanData> = {},
  ): string {
    const spanId = (this.spans.length + 1).toString(16).padStart(16, '0');
    this.spans.push({
      traceId: this.#traceId,
      spanId,
      parentSpanId,
      traceState: '',
      flags: 0x101,
      name,
      kind: SpanKind.INTERNAL,
      startTimeUnixNanos: this.at(atMs),
      endTimeUnixNanos: this.at(atMs + durationMs),
      attributes: {},
      droppedAttributesCount: 0,
      events: [],
      droppedEventsCount: 0,
      links: [],
      droppedLinksCount: 0,
      status: { code: StatusCode.UNSET, message: '' },
      resource: { attributes: { 'service.name': service }, droppedAttributesCount: 0, schemaUrl: '' },
      scope: { name: '', version: '', attributes: {}, droppedAttributesCount: 0, schemaUrl: '' },
      ...more,
    });
    return spanId;
  }

  /** A time in this trace. */
  at(ms: number): bigint {
    return this.#epoch + BigInt(Math.round(ms * 1e6));
  }
}

/** A checkout across three services that fails at the card, with a loop of queries and an open span. */
export function checkout(): SpanData[] {
  const trace = new TraceBuilder();
  const failed = { code: StatusCode.ERROR, message: '' };
  const root = trace.span('gateway', 'POST /checkout', '', 0, 1240, {
    status: failed,
    attributes: { 'http.response.status_code': 502, 'url.path': '/checkout', 'user.id': 'u-1042' },
  });
  const get = trace.span('gateway', 'GET', root, 4, 130, {
    attributes: { 'http.response.status_code': 200, 'url.full': 'http://127.0.0.1:4010/cart/42' },
  });
  const cart = trace.span('cart', 'GET /cart/:id', get, 9, 118);
  trace.span('cart', 'SELECT shop', cart, 14, 30, {
    attributes: { 'db.query.text': 'SELECT *\n  FROM cart_items\n WHERE cart_id = $1' },
  });
  for (let index = 0; index < 14; index++) trace.span('cart', 'SELECT product', cart, 46 + index * 5, 4.2);
  const post = trace.span('gateway', 'POST', root, 140, 1090, { status: failed });
  const charge = trace.span('payments', 'POST /charge', post, 146, 1070, {
    status: { code: StatusCode.ERROR, message: 'card declined' },
    attributes: { 'http.response.status_code': 402 },
    events: [
      {
        timeUnixNanos: trace.at(900),
        name: 'retry',
        attributes: { attempt: 2 },
        droppedAttributesCount: 0,
      },
      {
        timeUnixNanos: trace.at(1200),
        name: 'exception',
        attributes: {
          'exception.type': 'CardError',
          'exception.message': 'card declined',
          'exception.stacktrace':
            'CardError: card declined\n    at charge (payments.ts:41:9)\n    at handle (x)',
        },
        droppedAttributesCount: 0,
      },
    ],
  });
  trace.span('payments', 'verify 顧客 🔒 identity', charge, 160, 300);
  trace.span('payments', 'audit', charge, 1210, 4, { attributes: { 'tracewell.unfinished': true } });
  return trace.spans;
}
