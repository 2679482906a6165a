import type { EventEmitter } from 'node:events';
import { type Context, context } from '@opentelemetry/api';
import { patchMethod, type Undo } from '../patch.ts';

/** The context in which an emitter's listeners run. */
const CONTEXT = Symbol('tracewell.context');

interface Bound {
  [CONTEXT]?: Context;
}

/** `emit` of anything, as the class of events declares it. */
export interface Emitter {
  emit(event: string | symbol, ...values: unknown[]): boolean;
}

/** The method itself. */
export type Emit = Emitter['emit'];

/**
 * Makes all listeners of a request or response run in a context, once {@link patchEmit} has patched its class.
 *
 * Node emits these events in the context of whatever caused them, and for the body of a request that is the
 * connection: without this, what an `'end'` listener starts would belong to nothing, or, on Node 22, to the
 * request before.
 */
export function bindListeners(emitter: EventEmitter, to: Context): void {
  (emitter as Bound)[CONTEXT] = to;
}

/** Emits an event in a context. */
export function emitIn(active: Context, emit: Emit, emitter: Emitter, event: Parameters<Emit>): boolean {
  // Not a closure: where one may be made, room is made for it, at every event.
  return context.with(active, apply, undefined, emit, emitter, event);
}

function apply(emit: Emit, emitter: Emitter, event: Parameters<Emit>): boolean {
  return emit.apply(emitter, event);
}

/**
 * Patches the `emit` of a class. The published instrumentation patches five methods of each message instead and
 * wraps each listener, which is most of its cost.
 *
 * @param onEvent - called before the listeners of an event of something bound; cheaper than a listener of our
 * own, and invisible
 */
export function patchEmit<Target extends EventEmitter>(
  prototype: Target,
  onEvent?: (emitter: Target, name: string | symbol, value: unknown) => void,
): Undo {
  return patchMethod(prototype as Emitter, 'emit', (original: Emit): Emit => {
    return function emit(this: Target & Bound, ...event: Parameters<Emit>) {
      const bound = this[CONTEXT];
      if (bound === undefined) return original.apply(this, event);
      if (onEvent !== undefined) onEvent(this, event[0], event[1]);
      // Most events have no listener, and entering a context takes 0.4 us (`http-overhead`).
      if (this.listenerCount(event[0]) === 0 || bound === context.active())
        return original.apply(this, event);
      return emitIn(bound, original, this, event);
    };
  });
}
