// Spans for the benchmarks of the store: requests of 512 spans from a few services, traces of 8 spans, one
// span in a hundred failing, 5 to 12 attributes, 300 to 350 bytes a span on the wire.
import { encodeTraces, TraceScanner } from '@tracewell/otlp';
import {
  type Attributes,
  type ResourceData,
  type ScopeData,
  type SpanData,
  SpanKind,
  StatusCode,
} from '@tracewell/plugin';

export const SPANS_PER_REQUEST = 512;
export const SPANS_PER_TRACE = 8;
/** How many spans of a service follow one another in a request. */
const SPANS_OF_SERVICE = 64;
export const SERVICES = ['web', 'cart', 'checkout', 'payments', 'catalog', 'search', 'mail', 'auth'];
/** For stores whose peers have no full text: the benchmarks `search` and `mixed` measure what that costs. */
export const NO_FULL_TEXT = { index: false };
/** When the first span starts. */
export const FIRST_START = 1_760_000_000_000_000_000n;
/** From the start of one span to the start of the next. */
export const STEP_NANOS = 20_000n;

const ROUTES = ['/', '/cart', '/cart/:id', '/checkout', '/product/:id', '/search', '/login', '/orders/:id'];
const SCOPES: ScopeData[] = ['http', 'pg'].map((name) => ({
  name,
  version: '1.2.3',
  attributes: {},
  droppedAttributesCount: 0,
  schemaUrl: '',
}));

function resource(service: string): ResourceData {
  return {
    attributes: {
      'service.name': service,
      'service.version': '4.5.6',
      'deployment.environment.name': 'production',
      'host.name': 'node-17',
      'process.pid': 4711,
    },
    droppedAttributesCount: 0,
    schemaUrl: '',
  };
}

function attributes(number: number): Attributes {
  const all: [string, string | number | boolean][] = [
    ['http.request.method', number % 3 === 0 ? 'POST' : 'GET'],
    ['http.route', ROUTES[number % ROUTES.length]!],
    ['http.response.status_code', number % 100 === 7 ? 500 : 200],
    ['url.path', `/product/${number % 1000}`],
    ['server.port', 8080],
    ['user.id', `user-${number % 5000}`],
    ['db.system.name', 'postgresql'],
    ['db.query.text', 'SELECT * FROM items WHERE id = $1'],
    ['cache.hit', number % 2 === 0],
    ['retry.count', number % 4],
    ['region', 'eu-central-1'],
    ['tenant', `tenant-${number % 20}`],
  ];
  return Object.fromEntries(all.slice(0, 5 + (number % 8)));
}

/** Which trace a span belongs to, and which span is its parent, all by their numbers. */
export interface Layout {
  trace(number: number): number;
  /** The number itself for a root. */
  parent(number: number): number;
}

/** Spans of a trace are consecutive, of one service, and the first is the parent of the others. */
const WITHIN_SERVICE: Layout = {
  trace: (number) => Math.floor(number / SPANS_PER_TRACE),
  parent: (number) => number - (number % SPANS_PER_TRACE),
};

/** A trace goes through all services, each span the parent of the next one's. */
export const ACROSS_SERVICES: Layout = {
  trace: (number) => Math.floor(number / SPANS_PER_REQUEST) * SPANS_OF_SERVICE + (number % SPANS_OF_SERVICE),
  parent: (number) => (number % SPANS_PER_REQUEST < SPANS_OF_SERVICE ? number : number - SPANS_OF_SERVICE),
};

/** The ids of a span by its number; every number gives others. */
export function idsOf(
  number: number,
  layout: Layout = WITHIN_SERVICE,
): { traceId: string; spanId: string; parentSpanId: string } {
  const trace = layout.trace(number);
  const parent = layout.parent(number);
  return {
    traceId: hash32(trace, 1) + hash32(trace, 2) + hash32(trace, 3) + hash32(trace, 4),
    spanId: hash32(number, 5) + hash32(number, 6),
    parentSpanId: number === parent ? '' : hash32(parent, 5) + hash32(parent, 6),
  };
}

/** A one-to-one scramble of 32-bit numbers, another one for each salt, as hex digits. */
function hash32(number: number, salt: number): string {
  let hash = (number ^ Math.imul(salt, 0x9e3779b1)) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0).toString(16).padStart(8, '0');
}

/** One span by its number. */
export function spanOf(number: number, layout: Layout = WITHIN_SERVICE): SpanData {
  const service = SERVICES[Math.floor(number / SPANS_OF_SERVICE) % SERVICES.length]!;
  const start = FIRST_START + BigInt(number) * STEP_NANOS;
  const failed = number % 100 === 7;
  return {
    ...idsOf(number, layout),
    traceState: '',
    flags: 0x101,
    name: number % 2 === 0 ? `GET ${ROUTES[number % ROUTES.length]}` : 'pg.query',
    kind: number % 2 === 0 ? SpanKind.SERVER : SpanKind.CLIENT,
    startTimeUnixNanos: start,
    endTimeUnixNanos: start + BigInt(1_000_000 + (number % 997) * 10_000),
    attributes: attributes(number),
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    status: failed
      ? { code: StatusCode.ERROR, message: 'upstream refused' }
      : { code: StatusCode.UNSET, message: '' },
    resource: RESOURCES[SERVICES.indexOf(service)]!,
    scope: SCOPES[number % 2]!,
  };
}
const RESOURCES = SERVICES.map(resource);

/** Where in a template the fields lie that differ from request to request. */
interface Places {
  readonly bytes: Uint8Array;
  readonly number: number[];
  readonly traceIdAt: number[];
  readonly spanIdAt: number[];
  readonly parentIdAt: number[];
  readonly startAt: number[];
}

/**
 * Makes requests at the speed of copying: encodes a few once, and writes the ids and times of others into
 * copies of them.
 */
export class RequestMaker {
  readonly #templates: Places[] = [];
  readonly #layout: Layout;

  constructor(layout: Layout = WITHIN_SERVICE) {
    this.#layout = layout;
    // The attributes repeat every 25 requests, near enough for a benchmark.
    for (let template = 0; template < 25; template++) {
      const spans = Array.from({ length: SPANS_PER_REQUEST }, (_, index) =>
        spanOf(template * SPANS_PER_REQUEST + index, layout),
      );
      this.#templates.push(findPlaces(encodeTraces(spans), spans, template * SPANS_PER_REQUEST));
    }
  }

  /** The request that holds the spans from `number * 512` on. */
  make(number: number): Uint8Array {
    const template = this.#templates[number % this.#templates.length]!;
    const bytes = template.bytes.slice();
    const first = number * SPANS_PER_REQUEST;
    const view = new DataView(bytes.buffer);
    for (let index = 0; index < template.number.length; index++) {
      const span = first + template.number[index]!;
      writeHash(view, template.traceIdAt[index]!, this.#layout.trace(span), 1, 4);
      writeHash(view, template.spanIdAt[index]!, span, 5, 2);
      if (template.parentIdAt[index]! >= 0) {
        writeHash(view, template.parentIdAt[index]!, this.#layout.parent(span), 5, 2);
      }
      const start = FIRST_START + BigInt(span) * STEP_NANOS;
      view.setBigUint64(template.startAt[index]!, start, true);
      view.setBigUint64(
        template.startAt[index]! + 9,
        start + BigInt(1_000_000 + (span % 997) * 10_000),
        true,
      );
    }
    return bytes;
  }
}

function writeHash(view: DataView, at: number, number: number, salt: number, words: number): void {
  for (let word = 0; word < words; word++) {
    let hash = (number ^ Math.imul(salt + word, 0x9e3779b1)) >>> 0;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    view.setUint32(at + word * 4, hash ^ (hash >>> 16));
  }
}

function findPlaces(bytes: Uint8Array, spans: readonly SpanData[], first: number): Places {
  const numbers = new Map(spans.map((span, index) => [span.spanId, index]));
  const places: Places = { bytes, number: [], traceIdAt: [], spanIdAt: [], parentIdAt: [], startAt: [] };
  const scanner = new TraceScanner();
  scanner.reset(bytes);
  while (scanner.next()) {
    const index = numbers.get(
      Buffer.from(bytes.subarray(scanner.spanIdAt, scanner.spanIdAt + 8)).toString('hex'),
    )!;
    const start = Buffer.alloc(8);
    start.writeBigUInt64LE(FIRST_START + BigInt(first + index) * STEP_NANOS);
    const at = Buffer.from(bytes.subarray(scanner.spanStart, scanner.spanEnd)).indexOf(start);
    places.number.push(index);
    places.traceIdAt.push(scanner.traceIdAt);
    places.spanIdAt.push(scanner.spanIdAt);
    places.parentIdAt.push(scanner.parentIdAt);
    // The encoder writes the end behind the start: a key of one byte between them.
    places.startAt.push(scanner.spanStart + at);
  }
  return places;
}
