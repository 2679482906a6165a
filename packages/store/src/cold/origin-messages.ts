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
  readonly #resources = new Map<string, ResourceData>();
  readonly #scopes = new Map<string, ScopeData>();

  resource(values: Values, row: number): ResourceData {
    const message = bytesAt(values, row);
    return remembered(this.#resources, message, () => {
      const [body, schema] = twoFields(message, RESOURCE_SPANS_RESOURCE, RESOURCE_SPANS_SCHEMA_URL);
      return decodeResource(message, body[0], body[1], schema[0], schema[1]);
    });
  }

  scope(values: Values, row: number): ScopeData {
    const message = bytesAt(values, row);
    return remembered(this.#scopes, message, () => {
      const [body, schema] = twoFields(message, SCOPE_SPANS_SCOPE, SCOPE_SPANS_SCHEMA_URL);
      return decodeScope(message, body[0], body[1], schema[0], schema[1]);
    });
  }
}

function remembered<Data>(known: Map<string, Data>, message: Uint8Array, decode: () => Data): Data {
  const key = Buffer.from(message.buffer, message.byteOffset, message.length).toString('latin1');
  let data = known.get(key);
  if (data === undefined) {
    data = decode();
    if (known.size === MAX_ORIGINS) known.clear();
    known.set(key, data);
  }
  return data;
}

/** Numbers the resources and scopes of a file's rows in the row group that is being written. */
export class OriginNumbers {
  readonly #resources = new Map<string, number>();
  readonly #scopes = new Map<string, number>();

  /** The number of a row's resource in `columns`. */
  resource(columns: OriginColumns, values: Values, row: number): number {
    const message = bytesAt(values, row);
    return remembered(this.#resources, message, () => columns.resource(originOf(message, NOTHING)));
  }

  /** The number of a row's scope in `columns`. */
  scope(columns: OriginColumns, values: Values, row: number): number {
    const message = bytesAt(values, row);
    return remembered(this.#scopes, message, () => columns.scope(originOf(NOTHING, message)));
  }

  /** Forgets all of them, because the row group ended. */
  clear(): void {
    this.#resources.clear();
    this.#scopes.clear();
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
