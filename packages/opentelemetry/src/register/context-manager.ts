import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { type Context, type ContextManager, ROOT_CONTEXT } from '@opentelemetry/api';

/** The methods through which listeners come to an emitter: how each adds them, and whether only for one event. */
const ADDERS = [
  { method: 'on', add: 'on', isOnce: false },
  { method: 'addListener', add: 'addListener', isOnce: false },
  { method: 'prependListener', add: 'prependListener', isOnce: false },
  { method: 'once', add: 'on', isOnce: true },
  { method: 'prependOnceListener', add: 'prependListener', isOnce: true },
] as const;

type Listener = (...args: unknown[]) => unknown;

/**
 * Carries the active OpenTelemetry context through callbacks, promises and timers, in an
 * `AsyncLocalStorage` that is open to whoever needs it: a diagnostics channel can bind to it.
 *
 * @example
 * ```ts
 * import { channel } from 'node:diagnostics_channel';
 * import { type Context, ROOT_CONTEXT } from '@opentelemetry/api';
 * import { AsyncContextManager } from '@tracewell/opentelemetry';
 *
 * const manager = new AsyncContextManager();
 * channel('example').bindStore(manager.storage, (context) => context as Context);
 * channel('example').runStores(ROOT_CONTEXT, () => console.log(manager.active() === ROOT_CONTEXT)); // true
 * ```
 */
export class AsyncContextManager implements ContextManager {
  /** Holds the active context; empty where none was ever set. */
  readonly storage = new AsyncLocalStorage<Context>();
  /** The context of each emitter that is bound to one. */
  readonly #emitters = new WeakMap<EventEmitter, Context>();

  /** The active context; `ROOT_CONTEXT` where none was ever set. */
  active(): Context {
    return this.storage.getStore() ?? ROOT_CONTEXT;
  }

  /**
   * Runs a function with a context as the active one, also in everything asynchronous that it starts.
   *
   * @typeParam A - what the function takes
   * @typeParam F - the function
   * @param thisArg - its `this`
   * @param args - what it gets
   * @returns what it returns
   */
  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    const run: (...args: A) => ReturnType<F> = thisArg === undefined ? fn : fn.bind(thisArg);
    return this.storage.run(context, run, ...args);
  }

  /** Binds a function, or the listeners that an event emitter gets from now on, to a context. */
  bind<T>(context: Context, target: T): T {
    if (target instanceof EventEmitter) return this.#bindEmitter(context, target);
    if (typeof target === 'function') return this.#bindFunction(context, target as T & Listener);
    return target;
  }

  /**
   * Makes a context the active one for the rest of the current asynchronous execution; `with` is better
   * wherever a function can be given. Since `@opentelemetry/api` 1.10.
   *
   * @returns what takes it back
   */
  attach(context: Context): {
    /** Makes the context that was active before the active one again. */
    dispose(): void;
  } {
    const before = this.active();
    this.storage.enterWith(context);
    let isDisposed = false;
    return {
      dispose: () => {
        if (isDisposed) return;
        isDisposed = true;
        this.storage.enterWith(before);
      },
    };
  }

  enable(): this {
    return this;
  }

  disable(): this {
    this.storage.disable();
    return this;
  }

  #bindFunction<T extends Listener>(context: Context, target: T): T {
    const { storage } = this;
    const bound = function (this: unknown, ...args: unknown[]): unknown {
      return storage.run(context, () => target.apply(this, args));
    };
    // Express and others look at how many parameters a callback declares.
    Object.defineProperty(bound, 'length', { value: target.length, configurable: true });
    return bound as T;
  }

  #bindEmitter<T extends EventEmitter>(context: Context, emitter: T): T {
    const isBound = this.#emitters.has(emitter);
    this.#emitters.set(emitter, context);
    if (isBound) return emitter;
    const original = {
      on: emitter.on,
      addListener: emitter.addListener,
      prependListener: emitter.prependListener,
    };
    const bind = (listener: Listener): Listener =>
      this.#bindFunction(this.#emitters.get(emitter) ?? ROOT_CONTEXT, listener);
    for (const { method, add, isOnce } of ADDERS) {
      const value = function (this: EventEmitter, event: string | symbol, listener: Listener): EventEmitter {
        const bound = bind(listener);
        const added = isOnce
          ? function (this: EventEmitter, ...args: unknown[]): unknown {
              emitter.removeListener(event, added);
              return bound.apply(this, args);
            }
          : bound;
        // Node.js looks here when a listener is to be removed or listed, as it does for its own `once`.
        return original[add].call(this, event, Object.assign(added, { listener }));
      };
      Object.defineProperty(emitter, method, { configurable: true, writable: true, value });
    }
    return emitter;
  }
}
