import type { SpanData } from '../span.ts';
import { INVALID_SPAN, type SpanHandle, type SpanStart, type TracerPlugin } from '../tracer-plugin.ts';
import { check, type Rule, shown, within } from './rule.ts';

/**
 * Bounds on what one span keeps, under the names that the OpenTelemetry SDK and `@tracewell/sdk` give them.
 *
 * @see https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-limits
 */
export interface ConformanceLimits {
  /** Attributes of a span. */
  readonly attributeCountLimit: number;
  /** UTF-16 units of a string value, also inside arrays; what is longer is cut. */
  readonly attributeValueLengthLimit: number;
  /** Events of a span. */
  readonly eventCountLimit: number;
  /** Links of a span. */
  readonly linkCountLimit: number;
  /** Attributes of one event. */
  readonly attributePerEventCountLimit: number;
  /** Attributes of one link. */
  readonly attributePerLinkCountLimit: number;
}

/** What the suite asks of the plugin that it wants made. */
export interface PluginRequest {
  /** Bounds to apply. Asked for only if {@link PluginSuiteOptions.limits} is `true`. */
  readonly limits?: ConformanceLimits;
  /** `false`: leave every span out. Asked for only if {@link PluginSuiteOptions.sampling} is `true`. */
  readonly sampled?: boolean;
  /** `false`: the suite will record a million spans and not read them, so they need not be kept. */
  readonly keep?: boolean;
}

/** A plugin on trial, with what it delivers to. */
export interface PluginSubject {
  readonly plugin: TracerPlugin;
  /** Everything that the plugin has delivered so far, in any order. */
  spans(): readonly SpanData[] | Promise<readonly SpanData[]>;
  /**
   * Makes the next deliveries fail, or work again. Without it the rules on `FlushError` are skipped. A plugin
   * that backs off after a failure should do so for well under a second here.
   */
  failDelivery?(failing: boolean): void;
  /** Releases what the factory made. The suite does not call the plugin's `shutdown` outside the rules on it. */
  dispose?(): void | Promise<void>;
}

/** What `testTracerPlugin` takes. */
export interface PluginSuiteOptions {
  /** Makes a fresh plugin; called once for every rule. */
  create(request: PluginRequest): PluginSubject | Promise<PluginSubject>;
  /** Whether `create` honours `limits`. Default `false`: the rules on limits are skipped. */
  readonly limits?: boolean;
  /** Whether `create` honours `sampled: false`. Default `false`: the rule on sampling is skipped. */
  readonly sampling?: boolean;
  /**
   * How many spans the rule on reused handles starts and ends. Default 1,100,000: more than a generation
   * counter of 20 bits can tell apart.
   */
  readonly reuses?: number;
  /** How long a flush, a shutdown or a recovery may take, in milliseconds. Default 10,000. */
  readonly patienceMs?: number;
}

/** A rule of the plugin contract. */
export interface PluginRule extends Rule<PluginTrial> {
  /** What the rule asks of the plugin. */
  readonly request?: PluginRequest;
}

/** One plugin under one rule. */
export class PluginTrial {
  readonly subject: PluginSubject;
  readonly plugin: TracerPlugin;
  readonly reuses: number;
  readonly patienceMs: number;

  constructor(subject: PluginSubject, options: PluginSuiteOptions) {
    this.subject = subject;
    this.plugin = subject.plugin;
    this.reuses = options.reuses ?? 1_100_000;
    this.patienceMs = options.patienceMs ?? 10_000;
  }

  /** Starts a span that has to be sampled. */
  start(start: SpanStart): SpanHandle {
    const span = this.plugin.startSpan(start);
    check(
      span !== INVALID_SPAN,
      `the span ${shown(start.name)} was left out: startSpan returned INVALID_SPAN`,
    );
    return span;
  }

  /** Starts a span, does something to it, and ends it. */
  record(start: SpanStart, describe?: (span: SpanHandle) => void): SpanHandle {
    const span = this.start(start);
    describe?.(span);
    this.plugin.endSpan(span);
    return span;
  }

  /** Flushes. */
  async flush(): Promise<void> {
    await within(this.patienceMs, 'flush()', this.plugin.flush());
  }

  /** Flushes and reads what was delivered so far. */
  async delivered(): Promise<readonly SpanData[]> {
    await this.flush();
    return this.subject.spans();
  }

  /** Flushes, and returns the one span that was delivered. */
  async only(): Promise<SpanData> {
    const spans = await this.delivered();
    check(spans.length === 1, `one span was recorded, ${spans.length} were delivered`);
    return spans[0]!;
  }
}

/** The one span of a name. */
export function named(spans: readonly SpanData[], name: string): SpanData {
  const found = spans.filter((span) => span.name === name);
  check(found.length === 1, `one span called ${shown(name)} was recorded, ${found.length} were delivered`);
  return found[0]!;
}
