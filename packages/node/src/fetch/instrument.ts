import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import {
  type Context,
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { contextWithSpan, isTracingSuppressed } from '@tracewell/opentelemetry';
import type { Attributes, TracerPlugin } from '@tracewell/plugin';
import { guarded, guardedSubscriber } from '../guard.ts';
import { headerCapture } from '../http/header-capture.ts';
import { normalizedMethod } from '../http/method.ts';
import { hasParameter, redactedQuery, SENSITIVE_QUERY_PARAMETERS } from '../http/query.ts';
import type { Instrumentation } from '../instrumentation.ts';
import { setAttributes, toApiAttributes } from '../span.ts';
import { tracerOf } from '../tracer.ts';
import { checkFetchOptions } from './check-options.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import type { FetchOptions, FetchRequest, FetchResponse } from './options.ts';

/**
 * Records the requests that `fetch` and undici make, for as long as it is enabled, as
 * `@opentelemetry/instrumentation-undici` records them. See {@link instrumentHttp} for how context travels.
 *
 * @param recorder - what records the spans: a plugin, or a tracer provider
 * @throws TypeError if `recorder` is neither, or naming an option that is none
 *
 * @example
 * ```ts
 * import { instrumentFetch } from '@tracewell/node';
 * import { bufferedPlugin, consoleExporter } from '@tracewell/sdk';
 *
 * const plugin = bufferedPlugin(consoleExporter());
 * const instrumentation = instrumentFetch(plugin, { ignoreRequestHook: (request) => request.path === '/healthz' });
 * instrumentation.disable();
 * ```
 */
export function instrumentFetch(
  recorder: TracerPlugin | TracerProvider,
  options: FetchOptions = {},
): Instrumentation {
  const tracer = tracerOf(recorder, 'instrumentFetch');
  checkFetchOptions('instrumentFetch: options', options);
  const { ignoreRequestHook: ignore, startSpanHook: startHook, requestHook, responseHook } = options;
  const { onError = () => {}, headersToSpanAttributes: captured } = options;
  const captureRequest = headerCapture('request', captured?.requestHeaders);
  const captureResponse = headerCapture('response', captured?.responseHeaders);
  const redacted = new Set(options.redactedQueryParams ?? SENSITIVE_QUERY_PARAMETERS);
  const spans = new WeakMap<FetchRequest, Span>();

  function onCreate(message: unknown): void {
    const { request } = message as { request: FetchRequest };
    const active = context.active();
    if (request.method === 'CONNECT' || isTracingSuppressed(active)) return;
    if (ignore !== undefined && guarded(onError, ignore, request) === true) return;
    if (options.requireParentforSpans === true && trace.getSpanContext(active) === undefined) return;
    const attributes = outgoingAttributes(request, redacted);
    if (attributes === undefined) return;
    if (startHook !== undefined) Object.assign(attributes, guarded(onError, startHook, request));

    const known = normalizedMethod(request.method);
    const spanOptions = { kind: SpanKind.CLIENT, attributes: toApiAttributes(attributes) };
    const span = tracer.startSpan(known === '_OTHER' ? 'HTTP' : known, spanOptions, active);
    if (requestHook !== undefined) guarded(onError, requestHook, span, request);
    // Last, so that no hook changes the headers that carry the context.
    injectContext(contextWithSpan(active, span), request);
    if (span.isRecording()) spans.set(request, span);
  }

  function onSend(message: unknown): void {
    const { request, socket } = message as {
      request: FetchRequest;
      socket: Socket & { alpnProtocol?: string };
    };
    const span = spans.get(request);
    if (span === undefined) return;
    const { remoteAddress, remotePort, alpnProtocol } = socket;
    if (remoteAddress !== undefined) span.setAttribute('network.peer.address', remoteAddress);
    if (remotePort !== undefined) span.setAttribute('network.peer.port', remotePort);
    span.setAttribute('network.protocol.version', alpnProtocol === 'h2' ? '2' : '1.1');
    if (captureRequest === undefined) return;
    const headers = requestHeaders(request);
    setAttributes(
      span,
      captureRequest((name) => headers.get(name)),
    );
  }

  function onResponse(message: unknown): void {
    const { request, response } = message as { request: FetchRequest; response: FetchResponse };
    const span = spans.get(request);
    if (span === undefined) return;
    if (responseHook !== undefined) guarded(onError, responseHook, span, { request, response });
    if (captureResponse !== undefined) {
      const headers = responseHeaders(response);
      setAttributes(
        span,
        captureResponse((name) => headers.get(name)),
      );
    }
    span.setAttribute('http.response.status_code', response.statusCode);
    if (response.statusCode < 400) return;
    span.setAttribute('error.type', String(response.statusCode));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }

  function onDone(message: unknown): void {
    const { request } = message as { request: FetchRequest };
    spans.get(request)?.end();
    spans.delete(request);
  }

  function onFailure(message: unknown): void {
    const { request, error } = message as { request: FetchRequest; error: Error & { code?: string } };
    const span = spans.get(request);
    if (span === undefined) return;
    spans.delete(request);
    // Whoever aborts a request meant to, and that is no error.
    if (error.name !== 'AbortError') {
      span.setAttribute('error.type', errorType(error));
      span.recordException(error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    }
    span.end();
  }

  const subscribers = {
    'undici:request:create': onCreate,
    'undici:client:sendHeaders': onSend,
    'undici:request:headers': onResponse,
    'undici:request:trailers': onDone,
    'undici:request:error': onFailure,
  };
  const channels = Object.entries(subscribers).map(
    ([name, subscriber]) => [name, guardedSubscriber(onError, subscriber)] as const,
  );
  for (const [name, listener] of channels) subscribe(name, listener);
  return {
    name: 'fetch',
    disable() {
      for (const [name, listener] of channels) unsubscribe(name, listener);
    },
  };
}

/** @returns `undefined` if the request has no URL, as a custom dispatcher may bring about */
function outgoingAttributes(
  { path, origin, method, headers }: FetchRequest,
  redacted: ReadonlySet<string>,
): Record<string, Attributes[string]> | undefined {
  const url = URL.parse(path, String(origin));
  if (url === null) return undefined;
  redact(url, redacted);
  const scheme = url.protocol.slice(0, -1);
  const port = url.port === '' ? { http: 80, https: 443 }[scheme] : Number(url.port);
  return {
    'http.request.method': normalizedMethod(method),
    'http.request.method_original': method,
    'url.full': url.href,
    'url.path': url.pathname,
    'url.query': url.search,
    'url.scheme': scheme,
    'server.address': url.hostname,
    'server.port': port,
    'user_agent.original': lastOf(requestHeaders({ headers }).get('user-agent')),
  };
}

/** Replaces what is secret in a URL, and leaves any other as it is written. */
function redact(url: URL, redacted: ReadonlySet<string>): void {
  const query = url.search.slice(1);
  if (hasParameter(query, redacted)) url.search = redactedQuery(query, redacted);
  if (url.username === '' && url.password === '') return;
  url.username = 'REDACTED';
  url.password = 'REDACTED';
}

/** The code of a system error, and otherwise the name: the code of a `DOMException` is a number that says nothing. */
function errorType({ code, name }: Error & { code?: unknown }): string {
  return typeof code === 'string' && code !== '' ? code : name || 'Error';
}

function lastOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value.at(-1) : value;
}

function injectContext(from: Context, request: FetchRequest): void {
  const headers: Record<string, string> = {};
  propagation.inject(from, headers);
  for (const [name, value] of Object.entries(headers)) request.addHeader?.(name, value);
}
