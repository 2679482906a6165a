import { type Attributes, type AttributeValue, Double } from '@tracewell/plugin';

/*
 * Copies of what a caller passed in and may change afterwards. What cannot be recorded anyway (functions, class
 * instances, what is circular or throws when looked at) is left out here already, by the same rules as the
 * recorder's.
 */

const MAX_DEPTH = 16;
const MAX_VALUES = 10_000;
/** What an object of JavaScript costs, roughly, beside what it refers to. */
const OBJECT_BYTES = 48;

/** A value with an estimate of the memory that it takes. */
export interface Copied<Value> {
  readonly value: Value;
  readonly bytes: number;
}

/** Copies an attribute value; `undefined` if it cannot be recorded. Never throws. */
export function copyValue(value: AttributeValue | undefined): Copied<AttributeValue> | undefined {
  switch (typeof value) {
    case 'string':
      return { value, bytes: textBytes(value) };
    case 'boolean':
    case 'number':
    case 'bigint':
      return { value, bytes: 16 };
    case 'object':
      try {
        const copier = new Copier();
        return { value: copier.copy(value, 0), bytes: copier.bytes };
      } catch {
        return undefined;
      }
    default:
      return undefined;
  }
}

/** Copies attributes, leaving out what cannot be recorded. Never throws. */
export function copyAttributes(attributes: Attributes | undefined): Copied<Map<string, AttributeValue>> {
  const copies = new Map<string, AttributeValue>();
  let bytes = OBJECT_BYTES;
  if (typeof attributes !== 'object' || attributes === null) return { value: copies, bytes };
  for (const key of Object.keys(attributes)) {
    let copied: Copied<AttributeValue> | undefined;
    try {
      copied = copyValue(attributes[key]);
    } catch {
      // A getter threw.
    }
    if (copied === undefined) continue;
    copies.set(key, copied.value);
    bytes += textBytes(key) + copied.bytes;
  }
  return { value: copies, bytes };
}

/** Attributes as the contract passes them. */
export function toAttributes(map: ReadonlyMap<string, AttributeValue>): Attributes {
  const attributes: Record<string, AttributeValue> = Object.create(null);
  for (const [key, value] of map) attributes[key] = value;
  return attributes;
}

/** The memory that text takes, at most. */
export function textBytes(text: string): number {
  return OBJECT_BYTES + text.length * 2;
}

class Copier {
  bytes = 0;
  #values = 0;

  copy(value: AttributeValue, depth: number): AttributeValue {
    this.#values += 1;
    if (depth > MAX_DEPTH || this.#values > MAX_VALUES) throw new RangeError('too large');
    this.bytes += OBJECT_BYTES;
    if (typeof value === 'string') {
      this.bytes += value.length * 2;
      return value;
    }
    if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError('not a value');
    if (typeof value !== 'object' || value === null || value instanceof Double) return value;
    if (value instanceof Uint8Array) {
      this.bytes += value.length;
      return value.slice();
    }
    if (Array.isArray(value)) return Array.from(value, (item) => this.copy(item ?? null, depth + 1));
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw new TypeError('not plain');
    const copy: Record<string, AttributeValue> = Object.create(null);
    for (const [key, item] of Object.entries(value)) {
      if (item === undefined) continue;
      this.bytes += key.length * 2;
      copy[key] = this.copy(item, depth + 1);
    }
    return copy;
  }
}
