/**
 * How much one span may hold, as OpenTelemetry's specification names it. What goes beyond a limit is dropped
 * or cut off, and counted in the span itself where OTLP has a field for it.
 *
 * Some bounds are fixed. Names of spans and events and descriptions of statuses are cut off after 16,384
 * UTF-16 units, for which OTLP has no count; a trace state of more than 8,192 is left out. Dropped and counted
 * are an attribute without a key, a value with more than 16 arrays and maps inside one another or more than
 * 10,000 values in it, and one that OTLP has no place for, such as a function or a bigint beyond 64 bits.
 *
 * @see https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-limits
 */
export interface SpanLimits {
  /** Attributes of a span. Further ones are dropped; those that are there can still be overwritten. Default 128. */
  readonly attributeCountLimit?: number;
  /**
   * UTF-16 units of a string, bytes of a byte array; longer ones are cut off, never through a character.
   * Default `Infinity`: then only `spanMaxBytes` bounds a value.
   */
  readonly attributeValueLengthLimit?: number;
  /** Events of a span. Beyond it the oldest gives way to the newest, as in OpenTelemetry's SDK. Default 128. */
  readonly eventCountLimit?: number;
  /** Links of a span. Beyond it the oldest gives way to the newest, as in OpenTelemetry's SDK. Default 128. */
  readonly linkCountLimit?: number;
  /** Attributes of one event. Default 128. */
  readonly attributePerEventCountLimit?: number;
  /** Attributes of one link. Default 128. */
  readonly attributePerLinkCountLimit?: number;
}

/** Span limits with every default filled in. */
export type ResolvedSpanLimits = Required<SpanLimits>;

const DEFAULTS: ResolvedSpanLimits = {
  attributeCountLimit: 128,
  attributeValueLengthLimit: Number.POSITIVE_INFINITY,
  eventCountLimit: 128,
  linkCountLimit: 128,
  attributePerEventCountLimit: 128,
  attributePerLinkCountLimit: 128,
};

/**
 * Fills in the defaults.
 *
 * @throws RangeError if a limit is neither a whole number from 0 on nor `Infinity`
 */
export function resolveSpanLimits(limits: SpanLimits = {}): ResolvedSpanLimits {
  const resolved: Record<keyof SpanLimits, number> = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof SpanLimits)[]) {
    const value = limits[name];
    if (value === undefined) continue;
    if (value !== Number.POSITIVE_INFINITY && !(Number.isInteger(value) && value >= 0)) {
      throw new RangeError(
        `limits.${name} must be a whole number from 0 on or Infinity, got ${String(value)}`,
      );
    }
    resolved[name] = value;
  }
  return resolved;
}

/** What {@link spanLimitsFromEnvironment} found. */
export interface SpanLimitsFromEnvironment {
  readonly limits: SpanLimits;
  /** What could not be understood and was left at its default, for a person to read; usually empty. */
  readonly warnings: readonly string[];
}

/** Per limit the variables that set it; the first that is set counts. */
const VARIABLES: Readonly<Record<keyof SpanLimits, readonly string[]>> = {
  attributeCountLimit: ['OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', 'OTEL_ATTRIBUTE_COUNT_LIMIT'],
  attributeValueLengthLimit: ['OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT'],
  eventCountLimit: ['OTEL_SPAN_EVENT_COUNT_LIMIT'],
  linkCountLimit: ['OTEL_SPAN_LINK_COUNT_LIMIT'],
  attributePerEventCountLimit: ['OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT'],
  attributePerLinkCountLimit: ['OTEL_LINK_ATTRIBUTE_COUNT_LIMIT'],
};

/**
 * The span limits that OpenTelemetry's standard variables ask for; absent where none is set.
 *
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#span-limits
 *
 * @example
 * ```ts
 * import { spanLimitsFromEnvironment } from '@tracewell/sdk';
 *
 * const { limits } = spanLimitsFromEnvironment({ OTEL_SPAN_EVENT_COUNT_LIMIT: '32' });
 * console.log(limits.eventCountLimit); // 32
 * ```
 */
export function spanLimitsFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): SpanLimitsFromEnvironment {
  const limits: { -readonly [Name in keyof SpanLimits]: number } = {};
  const warnings: string[] = [];
  for (const name of Object.keys(VARIABLES) as (keyof SpanLimits)[]) {
    for (const variable of VARIABLES[name]) {
      const text = environment[variable]?.trim();
      if (text === undefined || text === '') continue;
      if (!/^\d+$/.test(text)) {
        warnings.push(`${variable}: ${JSON.stringify(text)} is not a whole number from 0 on; ignored.`);
        continue;
      }
      limits[name] = Number(text);
      break;
    }
  }
  return { limits, warnings };
}
