import type { RequestScanner } from '@tracewell/otlp';

// What entries of a scope share, in words: the number of their request, then ranges of its bytes, -1 for nothing.
const ORIGIN_WORDS = 9;

/** Where the parts of a request lie that some entries share. */
export interface Origin {
  readonly bytes: Uint8Array;
  readonly resourceStart: number;
  readonly resourceEnd: number;
  readonly resourceSchemaStart: number;
  readonly resourceSchemaEnd: number;
  readonly scopeStart: number;
  readonly scopeEnd: number;
  readonly scopeSchemaStart: number;
  readonly scopeSchemaEnd: number;
}

/** The resources and scopes of many requests: where they lie. */
export class Origins {
  readonly #requests: Uint8Array[] = [];
  readonly #origins: Int32Array[] = [];

  /** How many there are; their numbers are below it. */
  get size(): number {
    return this.#origins.length;
  }

  /** Numbers a request. */
  addRequest(bytes: Uint8Array): number {
    return this.#requests.push(bytes) - 1;
  }

  /** Numbers the resource and scope at which a scanner is. */
  add(request: number, scanner: RequestScanner): number {
    const words = new Int32Array(ORIGIN_WORDS);
    words[0] = request;
    words[1] = scanner.resourceStart;
    words[2] = scanner.resourceEnd;
    words[3] = scanner.resourceSchemaStart;
    words[4] = scanner.resourceSchemaEnd;
    words[5] = scanner.scopeStart;
    words[6] = scanner.scopeEnd;
    words[7] = scanner.scopeSchemaStart;
    words[8] = scanner.scopeSchemaEnd;
    return this.#origins.push(words) - 1;
  }

  /** The bytes of the request of a number. */
  requestOf(number: number): Uint8Array {
    return this.#requests[this.#origins[number]![0]!]!;
  }

  origin(number: number): Origin {
    const words = this.#origins[number]!;
    return {
      bytes: this.#requests[words[0]!]!,
      resourceStart: words[1]!,
      resourceEnd: words[2]!,
      resourceSchemaStart: words[3]!,
      resourceSchemaEnd: words[4]!,
      scopeStart: words[5]!,
      scopeEnd: words[6]!,
      scopeSchemaStart: words[7]!,
      scopeSchemaEnd: words[8]!,
    };
  }
}
