/**
 * A value that OTLP's `AnyValue` can hold.
 *
 * How JavaScript values map to the wire, in both directions:
 *
 * | JavaScript | OTLP |
 * | --- | --- |
 * | `string` | `string_value` |
 * | `boolean` | `bool_value` |
 * | `number` that is a safe integer (but not `-0`) | `int_value` |
 * | any other `number` | `double_value` |
 * | `bigint` (64 bits, signed) | `int_value`; decoding yields it only outside the safe integers |
 * | {@link Double} | `double_value`; decoding yields it only where a `number` would come back as an integer |
 * | `Uint8Array` | `bytes_value` |
 * | array | `array_value` |
 * | plain object | `kvlist_value` |
 * | `null` | an `AnyValue` with nothing set |
 *
 * The mapping loses nothing: whatever is decoded encodes to the same value again.
 *
 * @see https://opentelemetry.io/docs/specs/otel/common/#anyvalue
 */
export type AttributeValue =
  | string
  | boolean
  | number
  | bigint
  | Double
  | Uint8Array
  | null
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue };

/** Attributes by key. Decoded ones have a `null` prototype, so that no key can touch one. */
export type Attributes = { readonly [key: string]: AttributeValue | undefined };

/**
 * A 64-bit float whose value is a whole number.
 *
 * JavaScript cannot tell `1.0` from `1`; OTLP can. A bare `1` is recorded as an integer, which is what
 * nearly every JavaScript program means; wrap it where the difference matters. Spans of other languages
 * come back with it where they said `1.0`. It behaves as its number in arithmetic, templates and JSON.
 *
 * @example
 * ```ts
 * import { Double } from '@tracewell/plugin';
 *
 * const ratio = new Double(1);
 * console.log(Number(ratio) * 2, `${ratio}`, JSON.stringify({ ratio })); // 2 1 {"ratio":1}
 * ```
 */
export class Double {
  /** The number itself. */
  readonly value: number;

  constructor(value: number) {
    if (typeof value !== 'number') throw new TypeError(`Double: value must be a number, got ${typeof value}`);
    this.value = value;
  }

  /** The number itself, for arithmetic and comparisons. */
  valueOf(): number {
    return this.value;
  }

  /** The number as text, as in a template. */
  toString(): string {
    return String(this.value);
  }

  /** The number itself, as JSON shows it. */
  toJSON(): number {
    return this.value;
  }
}
