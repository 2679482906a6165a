// The messages in which files keep resources and scopes: a `ResourceSpans` without its scopes, a `ScopeSpans`
// without its spans. Those of logs and metrics are the same on the wire.

import { decodeResource, decodeScope } from '@tracewell/otlp';
import {
  RESOURCE_SPANS_RESOURCE,
  RESOURCE_SPANS_SCHEMA_URL,
  readVarint,
  SCOPE_SPANS_SCHEMA_URL,
  SCOPE_SPANS_SCOPE,
  skipVarint,
} from '@tracewell/otlp/wire';
import type { ResourceData, ScopeData } from '@tracewell/plugin';
import type { Values } from '../parquet/values.ts';
import { bytesAt } from './flat-column.ts';
import type { OriginColumns } from './origin-columns.ts';
import type { Origin } from './origins.ts';

const MAX_ORIGINS = 1024;
const NOTHING = new Uint8Array(0);

/** Decodes the resources and scopes of rows once, so that rows share them. */
export class DecodedOrigins {
  readonly #resources = new Remembered((message): ResourceData => {
    const [body, schema] = twoFields(message, RESOURCE_SPANS_RESOURCE, RESOURCE_SPANS_SCHEMA_URL);
    return decodeResource(message, body[0], body[1], schema[0], schema[1]);
  });
  readonly #scopes = new Remembered((message): ScopeData => {
    const [body, schema] = twoFields(message, SCOPE_SPANS_SCOPE, SCOPE_SPANS_SCHEMA_URL);
    return decodeScope(message, body[0], body[1], schema[0], schema[1]);
  });

  resource(values: Values, row: number): ResourceData {
    return this.#resources.of(values, row);
  }

  scope(values: Values, row: number): ScopeData {
    return this.#scopes.of(values, row);
  }
}

/** Numbers the resources and scopes of a file's rows in the row group that is being written. */
export class OriginNumbers {
  // `columns` is that of the call: a row group's are the same until `clear`.
  #columns: OriginColumns | undefined;
  readonly #resources = new Remembered((message) => this.#columns!.resource(originOf(message, NOTHING)));
  readonly #scopes = new Remembered((message) => this.#columns!.scope(originOf(NOTHING, message)));

  /** The number of a row's resource in `columns`. */
  resource(columns: OriginColumns, values: Values, row: number): number {
    this.#columns = columns;
    return this.#resources.of(values, row);
  }

  /** The number of a row's scope in `columns`. */
  scope(columns: OriginColumns, values: Values, row: number): number {
    this.#columns = columns;
    return this.#scopes.of(values, row);
  }

  /** Forgets all of them, because the row group ended. */
  clear(): void {
    this.#resources.clear();
    this.#scopes.clear();
  }
}

/** What was made of messages: found by their codes in a dictionary, or else by their bytes. */
class Remembered<Data> {
  readonly #make: (message: Uint8Array) => Data;
  #byCode = new WeakMap<object, (Data | undefined)[]>();
  readonly #byBytes = new Map<string, Data>();

  constructor(make: (message: Uint8Array) => Data) {
    this.#make = make;
  }

  of(values: Values, row: number): Data {
    if (!('codes' in values)) return this.#ofBytes(bytesAt(values, row));
    let known = this.#byCode.get(values.dictionary);
    if (known === undefined) {
      known = [];
      this.#byCode.set(values.dictionary, known);
    }
    const code = values.codes[row]!;
    const data = known[code];
    if (data !== undefined) return data;
    const made = this.#ofBytes(bytesAt(values, row));
    known[code] = made;
    return made;
  }

  #ofBytes(message: Uint8Array): Data {
    const key = Buffer.from(message.buffer, message.byteOffset, message.length).toString('latin1');
    let data = this.#byBytes.get(key);
    if (data === undefined) {
      data = this.#make(message);
      if (this.#byBytes.size === MAX_ORIGINS) this.#byBytes.clear();
      this.#byBytes.set(key, data);
    }
    return data;
  }

  clear(): void {
    this.#byCode = new WeakMap();
    this.#byBytes.clear();
  }
}

/** The parts of one of the messages; the other one is empty. */
function originOf(resource: Uint8Array, scope: Uint8Array): Origin {
  const [body, schema] = twoFields(resource, RESOURCE_SPANS_RESOURCE, RESOURCE_SPANS_SCHEMA_URL);
  const [scopeBody, scopeSchema] = twoFields(scope, SCOPE_SPANS_SCOPE, SCOPE_SPANS_SCHEMA_URL);
  return {
    bytes: resource.length > 0 ? resource : scope,
    resourceStart: body[0],
    resourceEnd: body[1],
    resourceSchemaStart: schema[0],
    resourceSchemaEnd: schema[1],
    scopeStart: scopeBody[0],
    scopeEnd: scopeBody[1],
    scopeSchemaStart: scopeSchema[0],
    scopeSchemaEnd: scopeSchema[1],
  };
}

type Range = readonly [start: number, end: number];
const NO_RANGE: Range = [-1, -1];

/** Where the two fields of a message that `OriginColumns` made lie. */
function twoFields(message: Uint8Array, first: number, second: number): readonly [Range, Range] {
  let one = NO_RANGE;
  let two = NO_RANGE;
  for (let at = 0; at < message.length; ) {
    const key = message[at]!;
    const body = skipVarint(message, at + 1);
    const end = body + readVarint(message, at + 1);
    if (key === first) one = [body, end];
    else if (key === second) two = [body, end];
    at = end;
  }
  return [one, two];
}
