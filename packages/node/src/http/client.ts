import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { errorMonitor } from 'node:events';
import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import {
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { contextWithSpan, isTracingSuppressed } from '@tracewell/opentelemetry';
import type { Attributes } from '@tracewell/plugin';
import { guarded, guardedSubscriber, type OnError } from '../guard.ts';
import { patchMethod, type Undo } from '../patch.ts';
import { failSpan, setAttributes, toApiAttributes } from '../span.ts';
import { headerCapture } from './header-capture.ts';
import { http } from './http.ts';
import { normalizedMethod } from './method.ts';
import type { HttpOptions } from './options.ts';
import { addHeader } from './outgoing-header.ts';
import { SENSITIVE_QUERY_PARAMETERS } from './query.ts';
import { parseRequestTarget } from './request-target.ts';
import { syntheticType } from './synthetic.ts';

/** The span of a request, until it ends. */
const SPAN = Symbol('tracewell.span');
/** What the request was made of; Node keeps it only as long as it looks for a connection. */
const OPTIONS = Symbol('tracewell.options');

interface Traced {
  [SPAN]?: Span | undefined;
  [OPTIONS]?: RequestOptions;
}

/**
 * Records what HTTP clients ask, through the channels of `node:http`, which see every request, however the
 * application got hold of `http.request`.
 *
 * A request does not say to which port it goes, so `Agent.prototype.addRequest`, through which it looks for a
 * connection, is patched to remember its options.
 */
export function traceClients(tracer: Tracer, options: HttpOptions): Undo {
  const { ignoreOutgoingRequestHook: ignore, onError = () => {} } = options;
  const { requestHook, responseHook, applyCustomAttributesOnSpan: finishHook } = options;
  const attributesOf = outgoingAttributes(options, onError);
  const { requestHeaders, responseHeaders } = options.headersToSpanAttributes?.client ?? {};
  const captureRequest = headerCapture('request', requestHeaders);
  const captureResponse = headerCapture('response', responseHeaders);

  function onCreated(message: unknown): void {
    const { request } = message as { request: ClientRequest & Traced };
    const active = context.active();
    if (isTracingSuppressed(active)) return;
    const given = request[OPTIONS] ?? describe(request);
    if (ignore !== undefined && guarded(onError, ignore, given) === true) return;
    if (options.requireParentforOutgoingSpans === true && trace.getSpanContext(active) === undefined) return;

    const spanOptions = { kind: SpanKind.CLIENT, attributes: toApiAttributes(attributesOf(request, given)) };
    const span = tracer.startSpan(request.method, spanOptions, active);
    propagation.inject(contextWithSpan(active, span), request, HEADER_SETTER);
    if (!span.isRecording()) return;

    request[SPAN] = span;
    request.on('close', onClose);
    request.on(errorMonitor, onFailure);
    if (requestHook !== undefined) guarded(onError, requestHook, span, request);
  }

  function onResponse(message: unknown): void {
    const { request, response } = message as { request: ClientRequest & Traced; response: IncomingMessage };
    const span = request[SPAN];
    if (span === undefined) return;
    span.setAttribute('http.response.status_code', response.statusCode!);
    const { remoteAddress, remotePort } = response.socket;
    if (remoteAddress !== undefined) span.setAttribute('network.peer.address', remoteAddress);
    if (remotePort !== undefined) span.setAttribute('network.peer.port', remotePort);
    span.setAttribute('network.protocol.version', response.httpVersion);
    if (responseHook !== undefined) guarded(onError, responseHook, span, response);
    if (captureRequest !== undefined) {
      setAttributes(
        span,
        captureRequest((name) => request.getHeader(name)),
      );
    }
    if (captureResponse !== undefined) {
      setAttributes(
        span,
        captureResponse((name) => response.headers[name]),
      );
    }
    response.on('end', onEnd);
    response.on(errorMonitor, onResponseFailure);
  }

  function onEnd(this: IncomingMessage): void {
    const request = requestOf(this);
    const span = take(request);
    if (span === undefined) return;
    const status = this.statusCode!;
    const failed = !(status >= 100 && status < 400) || (this.aborted && !this.complete);
    if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
    if (finishHook !== undefined) guarded(onError, finishHook, span, request, this);
    span.end();
  }

  function onClose(this: ClientRequest & Traced): void {
    take(this)?.end();
  }

  function onFailure(this: ClientRequest & Traced, error: unknown): void {
    const span = take(this);
    if (span === undefined) return;
    guarded(onError, failSpan, span, error);
    span.end();
  }

  function onResponseFailure(this: IncomingMessage, error: unknown): void {
    onFailure.call(requestOf(this), error);
  }

  const restoreAgent = patchMethod(AGENT, 'addRequest', (original) => {
    return function addRequest(this: Agent, request: ClientRequest & Traced, ...rest: unknown[]) {
      const [given] = rest;
      if (typeof given === 'object' && given !== null) request[OPTIONS] = given;
      return original.call(this, request, ...rest);
    };
  });
  const created = guardedSubscriber(onError, onCreated);
  const responded = guardedSubscriber(onError, onResponse);
  subscribe('http.client.request.created', created);
  subscribe('http.client.response.finish', responded);
  return () => {
    restoreAgent();
    unsubscribe('http.client.request.created', created);
    unsubscribe('http.client.response.finish', responded);
  };
}

// Declared nowhere, but the documented way for an agent to be one, and the same for two major versions of
// every agent on npm.
const AGENT = http.Agent.prototype as unknown as {
  addRequest(request: ClientRequest & Traced, ...rest: unknown[]): void;
};

const HEADER_SETTER = { set: addHeader };

/** The request that a response answers; set by Node before the response is announced. */
function requestOf(response: IncomingMessage): ClientRequest & Traced {
  return (response as IncomingMessage & { readonly req: ClientRequest }).req;
}

function take(request: ClientRequest & Traced): Span | undefined {
  const span = request[SPAN];
  request[SPAN] = undefined;
  return span;
}

/** What can be told of a request that no agent has seen. */
function describe(request: ClientRequest): RequestOptions {
  const { protocol, host, method, path } = request;
  const [, port] = /:(\d+)$/.exec(String(request.getHeader('host') ?? '')) ?? [];
  return {
    protocol,
    host,
    hostname: host,
    method,
    path,
    headers: request.getHeaders(),
    port: port ?? (protocol === 'https:' ? 443 : 80),
  };
}

/** What is known of a request before it is sent. */
function outgoingAttributes(
  options: HttpOptions,
  onError: OnError,
): (request: ClientRequest, given: RequestOptions) => Attributes {
  const redacted = new Set(options.redactedQueryParams ?? SENSITIVE_QUERY_PARAMETERS);
  const { startOutgoingSpanHook: startHook, enableSyntheticSourceDetection: detects } = options;

  return (request, given) => {
    const method = given.method ?? request.method;
    const known = normalizedMethod(method);
    const port = Number(given.port ?? given.defaultPort ?? (request.protocol === 'https:' ? 443 : 80));
    const userAgent = request.getHeader('user-agent');
    const attributes = {
      'http.request.method': known,
      'http.request.method_original': known === method ? undefined : method,
      'url.full': fullUrl(request, given, port, redacted),
      'server.address': request.host,
      'server.port': port,
      'user_agent.original': userAgent,
    };
    if (startHook === undefined && detects !== true) return attributes;
    return {
      ...attributes,
      ...(detects === true && userAgent && { 'user_agent.synthetic.type': syntheticType(String(userAgent)) }),
      ...(startHook !== undefined && guarded(onError, startHook, given)),
    };
  };
}

function fullUrl(
  request: ClientRequest,
  given: RequestOptions,
  port: number,
  redacted: ReadonlySet<string>,
): string {
  const { protocol } = request;
  const credentials = given.auth ? 'REDACTED:REDACTED@' : '';
  const host =
    request.host.includes(':') && !request.host.startsWith('[') ? `[${request.host}]` : request.host;
  const suffix = port === (protocol === 'https:' ? 443 : 80) ? '' : `:${port}`;
  return `${protocol}//${credentials}${host}${suffix}${redactedTarget(given.path ?? request.path, redacted)}`;
}

function redactedTarget(target: string, redacted: ReadonlySet<string>): string {
  if (!target.includes('?')) return target;
  const { path, query } = parseRequestTarget(target, redacted);
  return path === undefined ? target : `${path}?${query ?? ''}`;
}
