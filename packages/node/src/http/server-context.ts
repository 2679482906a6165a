import { type Context, createContextKey, type Span } from '@opentelemetry/api';
import { contextWithSpan, SPAN_KEY } from '@tracewell/opentelemetry';

/**
 * Where the published instrumentations of Express, Fastify and others leave the route that they matched. Keys
 * of one description are the same key, and `@opentelemetry/core` uses this one.
 */
const RPC_METADATA_KEY = createContextKey('OpenTelemetry SDK Context Key RPC_METADATA');

/** What lies under that key; they set `route`. */
interface RpcMetadata {
  readonly type: 'http';
  readonly span: Span;
  route?: string;
}

/**
 * The context in which a request is handled: its span is active, and a framework can say which route matched.
 *
 * One object instead of a map for each of the two values; the metadata exist only once somebody asks.
 */
export class ServerContext implements Context {
  readonly span: Span;
  readonly #base: Context;
  #metadata: RpcMetadata | undefined;

  /** @param base - what came from the caller: baggage, say */
  constructor(base: Context, span: Span) {
    this.#base = base;
    this.span = span;
    this.#metadata = undefined;
  }

  /** The route that a framework's instrumentation found, if there is one. */
  get route(): string | undefined {
    return this.#metadata?.route;
  }

  getValue(key: symbol): unknown {
    if (key === SPAN_KEY) return this.span;
    if (key !== RPC_METADATA_KEY) return this.#base.getValue(key);
    this.#metadata ??= { type: 'http', span: this.span };
    return this.#metadata;
  }

  setValue(key: symbol, value: unknown): Context {
    return this.#plain().setValue(key, value);
  }

  deleteValue(key: symbol): Context {
    return this.#plain().deleteValue(key);
  }

  #plain(): Context {
    return contextWithSpan(this.#base.setValue(RPC_METADATA_KEY, this.getValue(RPC_METADATA_KEY)), this.span);
  }
}
