import { decodeResource, decodeScope } from '@tracewell/otlp';
import {
  RESOURCE_ATTRIBUTES,
  RESOURCE_SPANS_RESOURCE,
  RESOURCE_SPANS_SCHEMA_URL,
  readVarint,
  SCOPE_SPANS_SCHEMA_URL,
  SCOPE_SPANS_SCOPE,
  skipVarint,
} from '@tracewell/otlp/wire';
import { UNKNOWN_SERVICE } from '../hot/services.ts';
import { ByteBuffer } from '../parquet/byte-buffer.ts';
import { BytesDictionary } from '../parquet/bytes-dictionary.ts';
import { GrowingUint32 } from '../parquet/growing.ts';
import type { Column, DictionaryValues, FlatColumn, MapColumn } from '../parquet/values.ts';
import { AttributeColumn } from './attributes/attribute-column.ts';
import { skipField } from './attributes/skip-field.ts';
import type { Origin } from './origins.ts';

const NONE = 0xffff_ffff;

/**
 * The columns that spans share by their resource and scope, while a row group is being built. A row is its resource
 * and its scope by number; what belongs to them is looked at once.
 */
export class OriginColumns {
  readonly #resources = new BytesDictionary();
  readonly #scopes = new BytesDictionary();
  readonly #services = new BytesDictionary();
  readonly #scopeNames = new BytesDictionary();
  readonly #scopeVersions = new BytesDictionary();
  /** A row for each resource. */
  readonly #attributes = new AttributeColumn(Number.POSITIVE_INFINITY);
  // By resource and by scope.
  readonly #serviceOf = new GrowingUint32();
  readonly #nameOf = new GrowingUint32();
  readonly #versionOf = new GrowingUint32();
  // By row.
  readonly #resourceCodes = new GrowingUint32();
  readonly #scopeCodes = new GrowingUint32();
  readonly #message = new ByteBuffer();

  /** Ends a row with the resource and the scope that {@link resource} and {@link scope} numbered. */
  addRow(resource: number, scope: number): void {
    this.#resourceCodes.push(resource);
    this.#scopeCodes.push(scope);
  }

  /** Numbers a resource. */
  resource(origin: Origin): number {
    const { bytes, resourceStart, resourceEnd, resourceSchemaStart, resourceSchemaEnd } = origin;
    const message = this.#message;
    message.length = 0;
    appendField(message, RESOURCE_SPANS_RESOURCE, bytes, resourceStart, resourceEnd);
    appendField(message, RESOURCE_SPANS_SCHEMA_URL, bytes, resourceSchemaStart, resourceSchemaEnd);
    const code = this.#resources.add(message.bytes, 0, message.length);
    if (this.#resources.isNew) {
      const name = decodeResource(bytes, resourceStart, resourceEnd).attributes['service.name'];
      this.#serviceOf.push(this.#services.addText(typeof name === 'string' ? name : UNKNOWN_SERVICE));
      if (resourceStart >= 0) addAttributes(this.#attributes, bytes, resourceStart, resourceEnd);
      this.#attributes.endRow();
    }
    return code;
  }

  /** Numbers a scope. */
  scope({ bytes, scopeStart, scopeEnd, scopeSchemaStart, scopeSchemaEnd }: Origin): number {
    const message = this.#message;
    message.length = 0;
    appendField(message, SCOPE_SPANS_SCOPE, bytes, scopeStart, scopeEnd);
    appendField(message, SCOPE_SPANS_SCHEMA_URL, bytes, scopeSchemaStart, scopeSchemaEnd);
    const code = this.#scopes.add(message.bytes, 0, message.length);
    if (this.#scopes.isNew) {
      const { name, version } = decodeScope(bytes, scopeStart, scopeEnd);
      this.#nameOf.push(name === '' ? NONE : this.#scopeNames.addText(name));
      this.#versionOf.push(version === '' ? NONE : this.#scopeVersions.addText(version));
    }
    return code;
  }

  /** The columns of all rows. */
  columns(): Record<
    'resource' | 'scope' | 'service_name' | 'scope_name' | 'scope_version' | 'resource_attributes',
    Column
  > {
    const resources = this.#resourceCodes.view();
    const scopes = this.#scopeCodes.view();
    return {
      resource: { values: { codes: resources, dictionary: this.#resources.values() } },
      scope: { values: { codes: scopes, dictionary: this.#scopes.values() } },
      service_name: columnOf(resources, this.#serviceOf.values, this.#services),
      scope_name: columnOf(scopes, this.#nameOf.values, this.#scopeNames),
      scope_version: columnOf(scopes, this.#versionOf.values, this.#scopeVersions),
      resource_attributes: repeatMaps(this.#attributes.maps(), resources),
    };
  }

  /** Begins anew. What {@link columns} returned is no longer good. */
  clear(): void {
    for (const dictionary of [
      this.#resources,
      this.#scopes,
      this.#services,
      this.#scopeNames,
      this.#scopeVersions,
      this.#attributes,
    ])
      dictionary.clear();
    for (const numbers of [
      this.#serviceOf,
      this.#nameOf,
      this.#versionOf,
      this.#resourceCodes,
      this.#scopeCodes,
    ])
      numbers.length = 0;
  }
}

/** Appends a field of bytes; nothing if there is none. */
function appendField(target: ByteBuffer, key: number, bytes: Uint8Array, start: number, end: number): void {
  if (start < 0) return;
  target.byte(key);
  target.varint(end - start);
  target.append(bytes.subarray(start, end));
}

/** Adds the attributes of a `Resource` message to the row. */
function addAttributes(column: AttributeColumn, bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; ) {
    const key = readVarint(bytes, at);
    const body = skipVarint(bytes, at);
    at = skipField(bytes, body, key);
    if (key === RESOURCE_ATTRIBUTES) column.add(bytes, skipVarint(bytes, body), at);
  }
}

/** A column of which each row's value follows from a number that it has. */
function columnOf(numbers: Uint32Array, codeOf: Uint32Array, dictionary: BytesDictionary): FlatColumn {
  const codes = new Uint32Array(numbers.length);
  let valid: Uint8Array | undefined;
  for (let row = 0; row < numbers.length; row++) {
    const code = codeOf[numbers[row]!]!;
    if (code === NONE) {
      valid ??= new Uint8Array(numbers.length).fill(1);
      valid[row] = 0;
    } else codes[row] = code;
  }
  return { values: { codes, dictionary: dictionary.values() }, valid };
}

/** Gives each row the map of its number. */
function repeatMaps(maps: MapColumn, numbers: Uint32Array): MapColumn {
  const keys = maps.keys as DictionaryValues;
  const values = maps.values as DictionaryValues;
  const offsets = new Uint32Array(numbers.length + 1);
  for (let row = 0; row < numbers.length; row++) {
    const number = numbers[row]!;
    offsets[row + 1] = offsets[row]! + maps.offsets[number + 1]! - maps.offsets[number]!;
  }
  const keyCodes = new Uint32Array(offsets[numbers.length]!);
  const valueCodes = new Uint32Array(keyCodes.length);
  for (let row = 0, at = 0; row < numbers.length; row++) {
    const end = maps.offsets[numbers[row]! + 1]!;
    for (let entry = maps.offsets[numbers[row]!]!; entry < end; entry++, at++) {
      keyCodes[at] = keys.codes[entry]!;
      valueCodes[at] = values.codes[entry]!;
    }
  }
  return {
    offsets,
    keys: { codes: keyCodes, dictionary: keys.dictionary },
    values: { codes: valueCodes, dictionary: values.dictionary },
  };
}
