import type { Span } from '@opentelemetry/api';
import type { Attributes } from '@tracewell/plugin';

/** A request as undici announces it; what hooks may look at. */
export interface FetchRequest {
  /** Scheme, host and port. */
  readonly origin: string | URL;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Names and values in turn; undici 5 gives lines of text. */
  readonly headers: string | readonly (string | readonly string[])[];
  /** Adds a header to the request; undici from 5.1 on has it. */
  addHeader?(name: string, value: string): void;
}

/** The head of a response as undici announces it. */
export interface FetchResponse {
  readonly statusCode: number;
  readonly statusText: string;
  /** Names and values in turn. */
  readonly headers: readonly Uint8Array[];
}

/**
 * Options of {@link instrumentFetch}: the names and meanings are those of `@opentelemetry/instrumentation-undici`,
 * and `redactedQueryParams` that of `instrumentHttp`.
 *
 * Hooks run inline with the request; what one throws goes to `onError` and changes nothing else.
 */
export interface FetchOptions {
  /** Return `true` to record nothing of a request, and to send no context along. */
  readonly ignoreRequestHook?: (request: FetchRequest) => boolean;
  /** Attributes for the span, before it starts. */
  readonly startSpanHook?: (request: FetchRequest) => Attributes;
  /** Called when the span has started, before the context is put into the headers. */
  readonly requestHook?: (span: Span, request: FetchRequest) => void;
  /** Called when the head of the response is there. */
  readonly responseHook?: (span: Span, exchange: { request: FetchRequest; response: FetchResponse }) => void;
  /** Record a request only where a span is active. Default `false`. */
  readonly requireParentforSpans?: boolean;
  /** Headers to record, as `http.request.header.<name>` and `http.response.header.<name>`. Default: none. */
  readonly headersToSpanAttributes?: {
    readonly requestHeaders?: readonly string[];
    readonly responseHeaders?: readonly string[];
  };
  /** Query parameters whose values are replaced in `url.full` and `url.query`. Default `SENSITIVE_QUERY_PARAMETERS`. */
  readonly redactedQueryParams?: readonly string[];
  /** Is told what a hook threw. Default: nobody is told. */
  readonly onError?: (error: unknown) => void;
}
