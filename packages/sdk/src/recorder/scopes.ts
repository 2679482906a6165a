import type { InstrumentationScope } from '@tracewell/plugin';
import { type EncodedHeader, encodeScope } from './headers.ts';

/** Scopes that a recorder tells apart; see {@link Scopes}. */
const MAX_SCOPES = 1024;

const UNNAMED: InstrumentationScope = { name: '' };
const OTHER: InstrumentationScope = { name: 'tracewell.other-scopes' };

/**
 * The instrumentation scopes of the process, numbered. There are a handful, each one an object that its
 * library passes with every span, so identity finds it; equal ones share a number.
 *
 * Somebody might make up new ones for ever: after 1,024 of them, the spans of any further one are recorded
 * under the scope `tracewell.other-scopes`.
 */
export class Scopes {
  /** By number: what a scope looks like in a batch. */
  readonly encoded: EncodedHeader[] = [];
  #last: InstrumentationScope | undefined;
  #lastNumber = 0;
  readonly #byIdentity = new WeakMap<InstrumentationScope, number>();
  readonly #byContent = new Map<string, number>();

  constructor() {
    this.#numberByContent(UNNAMED);
  }

  /** The number of a scope, 0 for none. */
  numberOf(scope: InstrumentationScope | undefined): number {
    if (scope === this.#last) return this.#lastNumber;
    if (typeof scope !== 'object' || scope === null) return 0;
    let number = this.#byIdentity.get(scope);
    if (number === undefined) {
      number = this.#numberByContent(scope);
      this.#byIdentity.set(scope, number);
    }
    this.#last = scope;
    this.#lastNumber = number;
    return number;
  }

  #numberByContent(scope: InstrumentationScope): number {
    const encoded = encodeScope(scope);
    const content = Buffer.concat([encoded.head, encoded.tail]).toString('latin1');
    const known = this.#byContent.get(content);
    if (known !== undefined) return known;
    if (this.encoded.length >= MAX_SCOPES && scope !== OTHER) return this.#numberByContent(OTHER);
    this.encoded.push(encoded);
    this.#byContent.set(content, this.encoded.length - 1);
    return this.encoded.length - 1;
  }
}
