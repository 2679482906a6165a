import {
  type Attributes as ApiAttributes,
  type AttributeValue as ApiAttributeValue,
  type Exception,
  type Link,
  type Span,
  type SpanContext,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
} from '@opentelemetry/api';
import {
  type Attributes,
  type AttributeValue,
  INVALID_SPAN,
  type SpanEvent,
  type SpanHandle,
  type SpanLink,
  StatusCode,
  type TracerPlugin,
} from '@tracewell/plugin';
import { DrawnIdentity } from './drawn-identity.ts';
import { exceptionAttributes } from './exception.ts';
import { fromPluginContext, toPluginContext } from './span-context.ts';
import { isTimeInput, toUnixNanos } from './time.ts';

/**
 * A span of the OpenTelemetry API that is a plugin's span handle and nothing else: each call goes straight
 * to the plugin. With the handle `INVALID_SPAN` it is a span that is not sampled: it records nothing, and
 * carries its trace on.
 *
 * `createTracerProvider` makes them; `PluginTracerProvider.wrap` makes one of a handle.
 */
export class PluginSpan implements Span {
  /** The plugin that records the span. */
  readonly plugin: TracerPlugin;
  /** The span's handle there. Dead after {@link PluginSpan.end}, which is why that is the way to end it. */
  readonly handle: SpanHandle;
  /** The ids while nobody has asked for their digits. */
  readonly #identity: DrawnIdentity | undefined;
  #context: SpanContext | undefined;
  #ended = false;
  /** Once a span is known to be fine, nothing changes that: the API says so, the contract does not. */
  #isOk = false;

  /** @param identity - who the span is, if the caller knows it; otherwise the plugin is asked, once */
  constructor(plugin: TracerPlugin, handle: SpanHandle, identity?: SpanContext | DrawnIdentity) {
    this.plugin = plugin;
    this.handle = handle;
    const isDrawn = identity instanceof DrawnIdentity;
    this.#identity = isDrawn ? identity : undefined;
    this.#context = isDrawn ? undefined : identity;
  }

  /** Whether `handle` still is what the plugin knows this span by: it has not ended. */
  get isLive(): boolean {
    return !this.#ended;
  }

  /**
   * The ids as they were drawn, for a child to take its trace from.
   *
   * @internal
   */
  get drawnIdentity(): DrawnIdentity | undefined {
    return this.#identity;
  }

  spanContext(): SpanContext {
    this.#context ??= fromPluginContext(this.#identity ?? this.plugin.spanContext?.(this.handle));
    return this.#context;
  }

  isRecording(): boolean {
    return this.handle !== INVALID_SPAN && !this.#ended;
  }

  setAttribute(key: string, value: ApiAttributeValue): this {
    if (value !== undefined && value !== null) {
      this.plugin.setAttribute(this.handle, key, value as AttributeValue);
    }
    return this;
  }

  setAttributes(attributes: ApiAttributes): this {
    try {
      for (const key in attributes) {
        if (Object.hasOwn(attributes, key)) this.setAttribute(key, attributes[key]!);
      }
    } catch {
      // A getter of the caller's threw: what came before it is recorded, and its work goes on.
    }
    return this;
  }

  addEvent(name: string, attributesOrTime?: ApiAttributes | TimeInput, time?: TimeInput): this {
    let attributes: Attributes | undefined;
    let at = time;
    if (isTimeInput(attributesOrTime)) at ??= attributesOrTime;
    else if (typeof attributesOrTime === 'object' && attributesOrTime !== null) {
      attributes = attributesOrTime as Attributes;
    }
    this.plugin.addEvent(this.handle, toEvent(name, attributes, at));
    return this;
  }

  addLink(link: Link): this {
    return this.addLinks([link]);
  }

  addLinks(links: Link[]): this {
    for (const link of toPluginLinks(links)) this.plugin.addLink?.(this.handle, link);
    return this;
  }

  /**
   * Sets how the span ended, as OpenTelemetry has it: UNSET changes nothing, OK is final, and only an ERROR has a
   * message.
   */
  setStatus(status: SpanStatus): this {
    const { code, message } = status ?? {};
    if (this.#isOk || code === SpanStatusCode.UNSET) return this;
    if (code === SpanStatusCode.OK) {
      this.#isOk = true;
      this.plugin.setStatus(this.handle, OK);
    } else if (code === SpanStatusCode.ERROR) {
      // What is caught in JavaScript may be anything, and ends up here as a message of any type.
      this.plugin.setStatus(
        this.handle,
        typeof message === 'string' ? { code: StatusCode.ERROR, message } : ERROR,
      );
    }
    return this;
  }

  /** Renames the span, if the plugin can do that. */
  updateName(name: string): this {
    this.plugin.updateName?.(this.handle, name);
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const attributes = exceptionAttributes(exception);
    if (attributes !== undefined) this.plugin.addEvent(this.handle, toEvent('exception', attributes, time));
  }

  end(endTime?: TimeInput): void {
    if (this.#ended) return;
    // Children may start after the end, and then the plugin no longer knows the handle.
    if (this.#identity === undefined) this.spanContext();
    this.#ended = true;
    if (endTime === undefined) this.plugin.endSpan(this.handle);
    else this.plugin.endSpan(this.handle, toUnixNanos(endTime));
  }
}

const OK = { code: StatusCode.OK } as const;
const ERROR = { code: StatusCode.ERROR } as const;

/** Links as a plugin takes them; those that lead nowhere are left out. */
export function toPluginLinks(links: readonly Link[] | undefined): SpanLink[] {
  if (!Array.isArray(links)) return [];
  return links
    .filter((link) => typeof link?.context?.traceId === 'string')
    .map(({ context, attributes }) =>
      attributes === undefined
        ? { context: toPluginContext(context) }
        : { context: toPluginContext(context), attributes: attributes as Attributes },
    );
}

function toEvent(name: string, attributes: Attributes | undefined, time: TimeInput | undefined): SpanEvent {
  const timeUnixNanos = time === undefined ? undefined : toUnixNanos(time);
  if (timeUnixNanos === undefined) return attributes === undefined ? { name } : { name, attributes };
  return attributes === undefined ? { name, timeUnixNanos } : { name, attributes, timeUnixNanos };
}
