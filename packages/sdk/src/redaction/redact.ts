import {
  type Attributes,
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
import { type CompletePlugin, completePlugin } from '../fan-out/complete.ts';
import { forwardStart } from '../fan-out/forward.ts';
import { type ErrorCallback, ErrorReporter } from '../host/error-reporter.ts';
import { checkFunction, checkObject, describe, flag, text, wholeNumber } from '../options.ts';
import { Redactor, type Replacement } from './redactor.ts';
import type { RedactionPattern, RedactionRules } from './rules.ts';

/** What {@link redact} takes beside the plugins; `keys` and `patterns`, or there is nothing to do. */
export interface RedactionOptions extends RedactionRules {
  /**
   * What takes the place of a value that matches by key, or of the part that matches a pattern: a text;
   * `hash`, the first 128 bits of an HMAC-SHA-256, by which equal secrets can be told to be equal; or `remove`,
   * which leaves the attribute out (in an array, `null` in its place). Default the text `[redacted]`.
   */
  readonly replace?: 'remove' | 'hash' | { readonly text: string };
  /**
   * The key of `hash`. Default: a random one, so that hashes of this process can be compared with each other
   * only. Give all processes the same to compare across them, and keep it secret: values that are easily guessed
   * could be found out by trying.
   */
  readonly hashKey?: string;
  /** Whether patterns apply to status messages. Default `true`. */
  readonly statusMessages?: boolean;
  /** Whether patterns apply to the names of spans and events. Default `false`: they should hold no values at all. */
  readonly names?: boolean;
  /**
   * UTF-16 units of a string that patterns look at; what is longer is cut there, since nothing that no pattern has
   * seen should leave the process. It bounds what one value can cost. Default 16,384.
   */
  readonly valueMaxLength?: number;
  /** Told when one of several plugins throws; see `fanOut`. */
  readonly onError?: ErrorCallback;
}

/** What a {@link redact} did so far. */
export interface RedactionStats extends PluginStats {
  /** Values and parts of values that were redacted. */
  readonly redacted: number;
  readonly children: readonly PluginStats[];
}

/** The plugin that {@link redact} makes; it has every optional operation. */
export interface Redaction extends Required<TracerPlugin> {
  stats(): RedactionStats;
}

/**
 * Redacts attributes on their way to other plugins: those of spans, events and links, by key and by what their
 * values look like, before anything is encoded.
 *
 * A verdict on a key is remembered, and nothing is copied unless something has to be redacted. What cannot be
 * looked at, because a getter throws or a value is nested beyond 16 levels, is left out or replaced. Resource and
 * scope are not touched: they are the program's own words.
 *
 * @param plugins - where the spans go
 * @param options - see {@link RedactionOptions}; `secretRules` is a good beginning
 * @throws TypeError or RangeError if there is no plugin, one lacks what the contract requires, there is nothing to
 * redact, or an option is invalid
 *
 * @example
 * ```ts
 * import { bufferedPlugin, consoleExporter, redact, secretRules } from '@tracewell/sdk';
 *
 * const plugin = redact(bufferedPlugin(consoleExporter()), secretRules);
 * const span = plugin.startSpan({ name: 'GET /', attributes: { 'http.request.header.authorization': 'Bearer x' } });
 * plugin.setAttribute(span, 'url.full', 'https://shop.example/?token=mF_9.B5f-4.1JqM'); // …?token=[redacted]
 * plugin.endSpan(span);
 * await plugin.shutdown();
 * ```
 */
export function redact(
  plugins: TracerPlugin | readonly TracerPlugin[],
  options: RedactionOptions,
): Redaction {
  checkObject(WHERE, 'options', options);
  if (options.keys === undefined && options.patterns === undefined) {
    throw new TypeError(
      `${WHERE}: options must have keys or patterns, such as secretRules, got ${describe(options)}`,
    );
  }
  checkFunction(WHERE, 'onError', options.onError);
  return new RedactingPlugin(
    completePlugin(WHERE, plugins, new ErrorReporter(options.onError)),
    new Redactor({
      keys: list('keys', options.keys, (key) => typeof key === 'string' || key instanceof RegExp),
      patterns: list('patterns', options.patterns, (rule) => rule instanceof RegExp || isPattern(rule)),
      replacement: replacementOf(options.replace),
      hashKey: text(WHERE, 'hashKey', options.hashKey, undefined),
      valueMaxLength: wholeNumber(WHERE, 'valueMaxLength', options.valueMaxLength, 16_384),
    }),
    {
      statusMessages: flag(WHERE, 'statusMessages', options.statusMessages, true),
      names: flag(WHERE, 'names', options.names, false),
    },
  );
}

const WHERE = 'redact';

function list<Rule>(
  field: 'keys' | 'patterns',
  rules: readonly Rule[] = [],
  valid: (rule: Rule) => boolean,
): readonly Rule[] {
  if (!Array.isArray(rules)) {
    throw new TypeError(`${WHERE}: ${field} must be an array, got ${describe(rules)}`);
  }
  const at = rules.findIndex((rule) => !valid(rule));
  if (at < 0) return rules;
  const allowed =
    field === 'keys' ? 'a string or a regular expression' : 'a regular expression or { pattern, accept }';
  throw new TypeError(`${WHERE}: ${field}[${at}] must be ${allowed}, got ${describe(rules[at])}`);
}

function isPattern(rule: RedactionPattern): boolean {
  const { pattern, accept } = Object(rule) as Partial<RedactionPattern>;
  return pattern instanceof RegExp && (accept === undefined || typeof accept === 'function');
}

function replacementOf(replace: RedactionOptions['replace']): Replacement {
  const given = replace ?? { text: '[redacted]' };
  if (given === 'remove' || given === 'hash' || typeof given.text === 'string') return given;
  throw new TypeError(
    `${WHERE}: replace must be 'remove', 'hash' or { text: string }, got ${describe(given)}`,
  );
}

class RedactingPlugin implements Redaction {
  readonly name: string;
  readonly #inner: CompletePlugin;
  readonly #redactor: Redactor;
  readonly #where: { readonly statusMessages: boolean; readonly names: boolean };
  #refused = 0;

  constructor(
    inner: CompletePlugin,
    redactor: Redactor,
    where: { readonly statusMessages: boolean; readonly names: boolean },
  ) {
    this.name = `redact(${inner.name})`;
    this.#inner = inner;
    this.#redactor = redactor;
    this.#where = where;
  }

  startSpan(start: SpanStart): SpanHandle {
    let redacted: SpanStart;
    try {
      redacted = this.#start(start);
    } catch {
      // No object at all, or a getter of the caller's threw; what cannot be redacted is not recorded.
      this.#refused += 1;
      return INVALID_SPAN;
    }
    return this.#inner.startSpan(redacted);
  }

  #start(start: SpanStart): SpanStart {
    const { name, attributes, links } = start;
    const newName = this.#name(name);
    const newAttributes = this.#attributes(attributes);
    const newLinks = this.#links(links);
    if (newName === name && newAttributes === attributes && newLinks === links) return start;
    return {
      ...forwardStart(start, start),
      name: newName,
      ...(newAttributes === undefined ? {} : { attributes: newAttributes }),
      ...(newLinks === undefined ? {} : { links: newLinks }),
    };
  }

  setAttribute(span: SpanHandle, key: string, value: AttributeValue): void {
    let redacted: AttributeValue | undefined;
    try {
      redacted = this.#redactor.value(key, value);
    } catch {
      return;
    }
    if (redacted !== undefined) this.#inner.setAttribute(span, key, redacted);
  }

  setStatus(span: SpanHandle, status: SpanStatus): void {
    let redacted = status;
    try {
      const message = status?.message;
      if (this.#where.statusMessages && typeof message === 'string' && message !== '') {
        const text = this.#redactor.text(message);
        if (text !== message) redacted = { code: status.code, message: text };
      }
    } catch {
      return;
    }
    this.#inner.setStatus(span, redacted);
  }

  addEvent(span: SpanHandle, event: SpanEvent): void {
    let redacted = event;
    try {
      const { name, attributes } = event;
      const newName = this.#name(name);
      const newAttributes = this.#attributes(attributes);
      if (newName !== name || newAttributes !== attributes) {
        const { timeUnixNanos } = event;
        redacted = {
          name: newName,
          ...(timeUnixNanos === undefined ? {} : { timeUnixNanos }),
          ...(newAttributes === undefined ? {} : { attributes: newAttributes }),
        };
      }
    } catch {
      return;
    }
    this.#inner.addEvent(span, redacted);
  }

  updateName(span: SpanHandle, name: string): void {
    this.#inner.updateName(span, this.#name(name));
  }

  addLink(span: SpanHandle, link: SpanLink): void {
    let redacted: SpanLink;
    try {
      redacted = this.#link(link);
    } catch {
      return;
    }
    this.#inner.addLink(span, redacted);
  }

  endSpan(span: SpanHandle, endTimeUnixNanos?: bigint): void {
    if (endTimeUnixNanos === undefined) this.#inner.endSpan(span);
    else this.#inner.endSpan(span, endTimeUnixNanos);
  }

  spanContext(span: SpanHandle): SpanContext | undefined {
    return this.#inner.spanContext(span);
  }

  flush(): Promise<void> {
    return this.#inner.flush();
  }

  flushSync(): void {
    this.#inner.flushSync();
  }

  shutdown(): Promise<void> {
    return this.#inner.shutdown();
  }

  stats(): RedactionStats {
    const inner = this.#inner.stats();
    return {
      ...inner,
      name: this.name,
      refused: this.#refused,
      exporters: [],
      redacted: this.#redactor.count,
      children: [inner],
    };
  }

  #name(name: string): string {
    return this.#where.names && typeof name === 'string' ? this.#redactor.text(name) : name;
  }

  #attributes(attributes: Attributes | undefined): Attributes | undefined {
    if (typeof attributes !== 'object' || attributes === null) return attributes;
    return this.#redactor.attributes(attributes);
  }

  #links(links: SpanStart['links']): SpanStart['links'] {
    if (!Array.isArray(links)) return links;
    let same = true;
    const redacted: SpanLink[] = [];
    for (const link of links) {
      try {
        const one = this.#link(link);
        same &&= one === link;
        redacted.push(one);
      } catch {
        // What nobody could look at is left out.
        same = false;
      }
    }
    return same ? links : redacted;
  }

  #link(link: SpanLink): SpanLink {
    const attributes = this.#attributes(link.attributes);
    return attributes === link.attributes || attributes === undefined
      ? link
      : { context: link.context, attributes };
  }
}
