import {
  type AttributeValue,
  INVALID_SPAN,
  type PluginStats,
  type SpanContext,
  type SpanEvent,
  type SpanHandle,
  type SpanLink,
  type SpanStart,
  type SpanStatus,
  type TracerPlugin,
} from '@tracewell/plugin';
import { forwardStart } from '../fan-out/forward.ts';
import { HandleTable, MAX_LIVE_SPANS } from '../fan-out/handle-table.ts';
import { copyContext, isValidContext } from '../fan-out/identity.ts';
import type { Route } from './route.ts';

/** What a facade asks of the host that owns it. */
export interface FacadeOwner {
  /** A span ended on a route. */
  spanEnded(route: Route): void;
  flush(): Promise<void>;
  flushSync(): void;
  shutdown(): Promise<void>;
  /** The plugins that are not shut down yet. */
  routes(): Iterable<Route>;
}

/**
 * The plugin that an application holds on to while the host exchanges the ones behind it.
 *
 * Its handles are its own: the slot of each knows the plugin on which the span was started and the handle there,
 * so that a span ends where it began. A child whose parent began on a plugin that is not the active one any more
 * continues its trace by the parent's context.
 */
export class Facade implements Required<TracerPlugin> {
  readonly name = 'tracing';
  readonly #owner: FacadeOwner;
  readonly #table: HandleTable;
  /** The plugin's handle of the span in each slot. */
  #handles = new Float64Array(0);
  /** Where the span in each slot was started. */
  readonly #routes: (Route | undefined)[] = [];
  #active: Route | undefined;
  #refused = 0;

  constructor(owner: FacadeOwner, active: Route) {
    this.#owner = owner;
    this.#active = active;
    this.#table = new HandleTable(MAX_LIVE_SPANS, (capacity) => {
      const handles = new Float64Array(capacity);
      handles.set(this.#handles);
      this.#handles = handles;
    });
  }

  /** Sends new spans to another plugin, or to none. */
  activate(route: Route | undefined): void {
    this.#active = route;
  }

  startSpan(start: SpanStart): SpanHandle {
    const route = this.#active;
    if (route === undefined) return INVALID_SPAN;
    let forwarded: SpanStart;
    try {
      // Roots go through as they are; only a parent has to be translated.
      forwarded = start.parent === undefined ? start : this.#translate(start, start.parent, route);
    } catch {
      // A getter of the caller's threw, or there was no object at all.
      this.#refused += 1;
      return INVALID_SPAN;
    }
    const handle = route.startSpan(forwarded);
    if (handle === INVALID_SPAN) return INVALID_SPAN;
    const span = this.#table.acquire();
    if (span === INVALID_SPAN) {
      this.#refused += 1;
      this.#end(route, handle, undefined);
      return INVALID_SPAN;
    }
    const slot = this.#table.slotOf(span);
    this.#handles[slot] = handle;
    this.#routes[slot] = route;
    return span;
  }

  #translate(start: SpanStart, parent: SpanHandle, route: Route): SpanStart {
    if (parent === INVALID_SPAN) return start;
    const { context } = start;
    const slot = this.#table.slotOf(parent);
    if (slot < 0) return forwardStart(start, { context });
    const origin = this.#routes[slot]!;
    if (origin === route) return forwardStart(start, { parent: this.#handles[slot]!, context });
    const identity = this.spanContext(parent);
    return forwardStart(start, {
      context,
      remoteParent: isValidContext(identity) ? { ...copyContext(identity), isRemote: false } : undefined,
    });
  }

  setAttribute(span: SpanHandle, key: string, value: AttributeValue): void {
    const slot = this.#table.slotOf(span);
    if (slot < 0) return;
    const route = this.#routes[slot]!;
    try {
      route.plugin.setAttribute(this.#handles[slot]!, key, value);
    } catch (error) {
      route.failed('setAttribute', error);
    }
  }

  setStatus(span: SpanHandle, status: SpanStatus): void {
    const slot = this.#table.slotOf(span);
    if (slot < 0) return;
    const route = this.#routes[slot]!;
    try {
      route.plugin.setStatus(this.#handles[slot]!, status);
    } catch (error) {
      route.failed('setStatus', error);
    }
  }

  addEvent(span: SpanHandle, event: SpanEvent): void {
    const slot = this.#table.slotOf(span);
    if (slot < 0) return;
    const route = this.#routes[slot]!;
    try {
      route.plugin.addEvent(this.#handles[slot]!, event);
    } catch (error) {
      route.failed('addEvent', error);
    }
  }

  updateName(span: SpanHandle, name: string): void {
    const slot = this.#table.slotOf(span);
    if (slot < 0) return;
    const route = this.#routes[slot]!;
    try {
      route.plugin.updateName(this.#handles[slot]!, name);
    } catch (error) {
      route.failed('updateName', error);
    }
  }

  addLink(span: SpanHandle, link: SpanLink): void {
    const slot = this.#table.slotOf(span);
    if (slot < 0) return;
    const route = this.#routes[slot]!;
    try {
      route.plugin.addLink(this.#handles[slot]!, link);
    } catch (error) {
      route.failed('addLink', error);
    }
  }

  spanContext(span: SpanHandle): SpanContext | undefined {
    const slot = this.#table.slotOf(span);
    if (slot < 0) return undefined;
    const route = this.#routes[slot]!;
    try {
      return route.plugin.spanContext(this.#handles[slot]!);
    } catch (error) {
      route.failed('spanContext', error);
      return undefined;
    }
  }

  endSpan(span: SpanHandle, endTimeUnixNanos?: bigint): void {
    const slot = this.#table.slotOf(span);
    if (slot < 0) return;
    const route = this.#routes[slot]!;
    const handle = this.#handles[slot]!;
    this.#routes[slot] = undefined;
    this.#table.release(span);
    this.#end(route, handle, endTimeUnixNanos);
  }

  #end(route: Route, handle: SpanHandle, endTimeUnixNanos: bigint | undefined): void {
    try {
      if (endTimeUnixNanos === undefined) route.plugin.endSpan(handle);
      else route.plugin.endSpan(handle, endTimeUnixNanos);
    } catch (error) {
      route.failed('endSpan', error);
    }
    route.spanEnded();
    this.#owner.spanEnded(route);
  }

  flush(): Promise<void> {
    return this.#owner.flush();
  }

  flushSync(): void {
    this.#owner.flushSync();
  }

  shutdown(): Promise<void> {
    return this.#owner.shutdown();
  }

  stats(): PluginStats {
    const children = Array.from(this.#owner.routes(), (route) => route.stats());
    const sum = (count: 'started' | 'ended' | 'live' | 'unsampled'): number =>
      children.reduce((total, child) => total + child[count], 0);
    return {
      name: this.name,
      started: sum('started'),
      ended: sum('ended'),
      live: this.#table.size,
      buffered: 0,
      unsampled: sum('unsampled'),
      refused: this.#refused,
      exporters: [],
      children,
    };
  }
}
