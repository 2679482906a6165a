import type { ClientRequest, IncomingMessage, RequestOptions, ServerResponse } from 'node:http';
import type { Span } from '@opentelemetry/api';
import type { Attributes } from '@tracewell/plugin';

/**
 * Options of {@link instrumentHttp}: the names and meanings are those of `@opentelemetry/instrumentation-http`,
 * so that a configuration can be moved over as it is, but for its `enabled` and `serverName`.
 *
 * Hooks run inline with the request; what one throws goes to `onError` and changes nothing else.
 */
export interface HttpOptions {
  /** Return `true` to record nothing of an incoming request, nor of what is done while it is handled. */
  readonly ignoreIncomingRequestHook?: (request: IncomingMessage) => boolean;
  /** Return `true` to record nothing of an outgoing request, and to send no context along. */
  readonly ignoreOutgoingRequestHook?: (request: RequestOptions) => boolean;
  /** Record no servers. Default `false`. */
  readonly disableIncomingRequestInstrumentation?: boolean;
  /** Record no clients. Default `false`. */
  readonly disableOutgoingRequestInstrumentation?: boolean;
  /** Attributes for the span of an incoming request, before it starts (so that a sampler sees them). */
  readonly startIncomingSpanHook?: (request: IncomingMessage) => Attributes;
  /** Attributes for the span of an outgoing request, before it starts. */
  readonly startOutgoingSpanHook?: (request: RequestOptions) => Attributes;
  /** Called when a span has started: before the handler runs, or before the request is sent. */
  readonly requestHook?: (span: Span, request: ClientRequest | IncomingMessage) => void;
  /** Called with the response: before the handler runs, or when the head of the answer is there. */
  readonly responseHook?: (span: Span, response: IncomingMessage | ServerResponse) => void;
  /** Called before a span ends. */
  readonly applyCustomAttributesOnSpan?: (
    span: Span,
    request: ClientRequest | IncomingMessage,
    response: IncomingMessage | ServerResponse,
  ) => void;
  /** Record an incoming request only if its caller sent a trace context. Default `false`. */
  readonly requireParentforIncomingSpans?: boolean;
  /** Record an outgoing request only where a span is active. Default `false`. */
  readonly requireParentforOutgoingSpans?: boolean;
  /** Headers to record, as `http.request.header.<name>` and `http.response.header.<name>`. Default: none. */
  readonly headersToSpanAttributes?: {
    readonly client?: {
      readonly requestHeaders?: readonly string[];
      readonly responseHeaders?: readonly string[];
    };
    readonly server?: {
      readonly requestHeaders?: readonly string[];
      readonly responseHeaders?: readonly string[];
    };
  };
  /** Set `user_agent.synthetic.type` for user agents that say they are bots or tests. Default `false`. */
  readonly enableSyntheticSourceDetection?: boolean;
  /** Query parameters whose values are replaced in `url.full`. Default {@link SENSITIVE_QUERY_PARAMETERS}. */
  readonly redactedQueryParams?: readonly string[];
  /** Query parameters whose values are replaced in `url.query`. Default {@link SENSITIVE_QUERY_PARAMETERS}. */
  readonly redactedQueryParamsServer?: readonly string[];
  /** Is told what a hook threw. Default: nobody is told. */
  readonly onError?: (error: unknown) => void;
}
