import type { IncomingMessage, ServerResponse } from 'node:http';
import { Server } from 'node:net';
import type { TLSSocket } from 'node:tls';
import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { suppressTracing } from '@tracewell/opentelemetry';
import type { Attributes } from '@tracewell/plugin';
import { guarded, type OnError } from '../guard.ts';
import { patchMethod, type Undo } from '../patch.ts';
import { failSpan, setAttributes, toApiAttributes } from '../span.ts';
import { clientAddress, serverAuthority } from './authority.ts';
import { bindListeners, type Emit, type Emitter, emitIn, patchEmit } from './emitter-context.ts';
import { headerCapture } from './header-capture.ts';
import { http } from './http.ts';
import { normalizedMethod } from './method.ts';
import type { HttpOptions } from './options.ts';
import { SENSITIVE_QUERY_PARAMETERS } from './query.ts';
import { parseRequestTarget } from './request-target.ts';
import { ServerContext } from './server-context.ts';
import { syntheticType } from './synthetic.ts';

/** The context of the request that a response answers, until its span ends. */
const SERVED = Symbol('tracewell.served');

interface Traced {
  [SERVED]?: ServerContext | undefined;
}

/**
 * Records what HTTP servers are asked, from the `'request'` event of the server to the `'close'` of the response.
 *
 * **Why the event and not the channel `http.server.request.start`.** The handler has to run *inside* a context,
 * and what a subscriber of a channel enters (`enterWith`) ends nowhere: on Node 22 it stays with the connection,
 * so that a WebSocket handshake on a kept-alive connection runs in the span of the request before. Around the
 * event it begins and ends with the handler, and what the handler throws is seen. All servers inherit `emit`
 * from `net.Server`, so one patch serves `http` and `https`, whichever way and whenever they are loaded.
 */
export function traceServers(tracer: Tracer, options: HttpOptions): Undo {
  const { ignoreIncomingRequestHook: ignore, onError = () => {} } = options;
  const { requestHook, responseHook, applyCustomAttributesOnSpan: finishHook } = options;
  const extract = contextExtractor();
  const attributesOf = incomingAttributes(options, onError);
  const captureResponse = headerCapture('response', options.headersToSpanAttributes?.server?.responseHeaders);
  const hasStartHooks = requestHook !== undefined || responseHook !== undefined;
  let isEnabled = true;

  /** Starts what there is to start, and says in which context the handler runs. */
  function begin(request: IncomingMessage, response: ServerResponse & Traced): Context {
    if (ignore !== undefined && guarded(onError, ignore, request) === true)
      return suppressTracing(context.active());
    const parent = extract(request);
    if (options.requireParentforIncomingSpans === true && trace.getSpanContext(parent) === undefined)
      return parent;

    const spanOptions = { kind: SpanKind.SERVER, attributes: toApiAttributes(attributesOf(request)) };
    const span = tracer.startSpan(request.method ?? 'GET', spanOptions, parent);
    const served = new ServerContext(parent, span);
    if (span.isRecording()) {
      response[SERVED] = served;
      if (hasStartHooks) callStartHooks(served, request, response);
    }
    return served;
  }

  function serve(
    emit: Emit,
    server: Emitter,
    event: Parameters<Emit>,
    request: IncomingMessage,
    response: ServerResponse,
  ): boolean {
    const active = guarded(onError, begin, request, response);
    if (active === undefined) return emit.apply(server, event);
    bindListeners(request, active);
    bindListeners(response, active);
    try {
      return emitIn(active, emit, server, event);
    } catch (error) {
      guarded(onError, onFailure, response, error);
      throw error;
    }
  }

  function callStartHooks(served: ServerContext, request: IncomingMessage, response: ServerResponse): void {
    context.with(served, () => {
      if (requestHook !== undefined) guarded(onError, requestHook, served.span, request);
      if (responseHook !== undefined) guarded(onError, responseHook, served.span, response);
    });
  }

  function onResponseEvent(response: ServerResponse, event: string | symbol, value: unknown): void {
    if (event === 'close') guarded(onError, onClose, response);
    else if (event === 'error') guarded(onError, onFailure, response, value);
  }

  function onClose(response: ServerResponse & Traced): void {
    const served = response[SERVED];
    if (served === undefined) return;
    response[SERVED] = undefined;
    const { span, route } = served;
    const { statusCode } = response;
    if (captureResponse !== undefined) {
      setAttributes(
        span,
        captureResponse((name) => response.getHeader(name)),
      );
    }
    span.setAttribute('http.response.status_code', statusCode);
    if (!(statusCode >= 100 && statusCode < 500)) span.setStatus({ code: SpanStatusCode.ERROR });
    if (route !== undefined) {
      span.setAttribute('http.route', route);
      if (route !== '') span.updateName(`${response.req.method ?? 'GET'} ${route}`);
    }
    if (finishHook !== undefined) guarded(onError, finishHook, span, response.req, response);
    span.end();
  }

  function onFailure(response: ServerResponse & Traced, error: unknown): void {
    const served = response[SERVED];
    if (served === undefined) return;
    response[SERVED] = undefined;
    failSpan(served.span, error);
    served.span.end();
  }

  const undo = [
    patchEmit(http.IncomingMessage.prototype),
    patchEmit(http.ServerResponse.prototype, onResponseEvent),
    patchMethod(Server.prototype as Emitter, 'emit', (original) => {
      return function emit(this: Emitter, ...event: Parameters<Emit>) {
        if (event[0] !== 'request' || !isEnabled) return original.apply(this, event);
        const [, request, response] = event;
        // The requests of `http2` come with classes of its own; a server may also hand on a request that is
        // being served already.
        if (
          !(request instanceof http.IncomingMessage && response instanceof http.ServerResponse) ||
          isServed(response)
        ) {
          return original.apply(this, event);
        }
        return serve(original, this, event, request, response);
      };
    }),
  ];
  return () => {
    isEnabled = false;
    for (const one of undo) one();
  };
}

function isServed(response: ServerResponse & Traced): boolean {
  return response[SERVED] !== undefined;
}

/** Reads what a caller sent along, on top of nothing: whatever is active where a connection is read is not its. */
function contextExtractor(): (request: IncomingMessage) => Context {
  let fields: readonly string[] = [];
  return ({ headers }) => {
    // Asked for until somebody has registered a propagator, which happens once.
    if (fields.length === 0) fields = propagation.fields();
    for (const field of fields) {
      if (headers[field] !== undefined) return propagation.extract(ROOT_CONTEXT, headers);
    }
    return ROOT_CONTEXT;
  };
}

/** What is known of a request before it is handled. */
function incomingAttributes(
  options: HttpOptions,
  onError: OnError,
): (request: IncomingMessage) => Attributes {
  const redacted = new Set(options.redactedQueryParamsServer ?? SENSITIVE_QUERY_PARAMETERS);
  const capture = headerCapture('request', options.headersToSpanAttributes?.server?.requestHeaders);
  const { startIncomingSpanHook: startHook, enableSyntheticSourceDetection: detects } = options;

  return (request) => {
    const { headers, socket } = request;
    const method = request.method ?? 'GET';
    const known = normalizedMethod(method);
    const scheme = (socket as TLSSocket).encrypted === true ? 'https' : 'http';
    const authority = serverAuthority(headers, scheme);
    const target = parseRequestTarget(request.url ?? '/', redacted);
    const userAgent = headers['user-agent'];
    const attributes = {
      'http.request.method': known,
      'http.request.method_original': known === method ? undefined : method,
      'url.scheme': scheme,
      'url.path': target.path,
      'url.query': target.query,
      'server.address': authority?.address,
      'server.port': authority?.port,
      'client.address': clientAddress(request),
      'network.peer.address': socket.remoteAddress,
      'network.peer.port': socket.remotePort,
      'network.protocol.version': request.httpVersion,
      'user_agent.original': userAgent,
    };
    if (startHook === undefined && capture === undefined && detects !== true) return attributes;
    return {
      ...attributes,
      ...(detects === true && userAgent && { 'user_agent.synthetic.type': syntheticType(userAgent) }),
      ...(startHook !== undefined && guarded(onError, startHook, request)),
      ...capture?.((name) => headers[name]),
    };
  };
}
