import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Context, context } from '@opentelemetry/api';
import { patchMethod, type Undo } from '../patch.ts';
import { http } from './http.ts';

/** The context in which an emitter's listeners run. */
const CONTEXT = Symbol('tracewell.context');

interface Bound {
  [CONTEXT]?: Context;
}

type Emit = IncomingMessage['emit'];

/**
 * Makes all listeners of a request or response run in a context.
 *
 * Node emits these events in the context of whatever caused them, and for the body of a request that is the
 * connection: without this, what an `'end'` listener starts would belong to nothing, or, on Node 22, to the
 * request before.
 */
export function bindListeners(emitter: IncomingMessage | ServerResponse, to: Context): void {
  (emitter as Bound)[CONTEXT] = to;
}

/**
 * Puts {@link bindListeners} to work. `emit` is patched once for all messages; the way of the published
 * instrumentation, five patched methods for each message and a closure for each listener, is most of its cost.
 */
export function patchEmitters(): Undo {
  const wrap = (original: Emit): Emit =>
    function emit(this: IncomingMessage | ServerResponse, ...event: Parameters<Emit>) {
      const bound = (this as Bound)[CONTEXT];
      if (bound === undefined || bound === context.active()) return original.apply(this, event);
      return context.with(bound, emitIn, undefined, original, this, event);
    };
  const undo = [
    patchMethod(http.IncomingMessage.prototype, 'emit', wrap),
    patchMethod(http.ServerResponse.prototype, 'emit', wrap as never),
  ];
  return () => {
    for (const one of undo) one();
  };
}

function emitIn(original: Emit, emitter: IncomingMessage | ServerResponse, event: Parameters<Emit>): boolean {
  return original.apply(emitter as IncomingMessage, event);
}
