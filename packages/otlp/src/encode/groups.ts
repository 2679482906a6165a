import type { ResourceData, ScopeData } from '@tracewell/plugin';
import { asThrown, checkObject, inside } from './checks.ts';
import { writeResourceHead, writeScopeHead } from './resource.ts';
import { Writer } from './writer.ts';

/** What a request lists: a span, a log record or a metric. */
export interface Entry {
  readonly resource: ResourceData;
  readonly scope: ScopeData;
}

/** Entries that share a scope. */
export interface ScopeGroup<Type extends Entry> {
  readonly scope: ScopeData;
  /** The fields of the scope group but for the entries. */
  readonly head: Uint8Array;
  readonly entries: Type[];
  /** The place of each entry among all that were given, for errors. */
  readonly places: number[];
}

/** Scopes that share a resource. */
export interface ResourceGroup<Type extends Entry> {
  readonly resource: ResourceData;
  /** The fields of the resource group but for the scope groups. */
  readonly head: Uint8Array;
  readonly scopes: Groups<ScopeData, ScopeGroup<Type>>;
}

/**
 * Groups entries by resource, then by scope; objects that say the same share a group, whether they are the
 * same object or not. Groups keep the order of their first entry, entries the order within their group.
 *
 * @param name - what the entries are called in errors: `spans`
 * @throws `TypeError`, `RangeError` that begin with the name and place of an entry, for one that is no object or
 * whose resource or scope cannot be encoded
 */
export function groupEntries<Type extends Entry>(
  entries: Iterable<Type>,
  name: string,
): Iterable<ResourceGroup<Type>> {
  const resources = new Groups<ResourceData, ResourceGroup<Type>>(
    'resource',
    writeResourceHead,
    newResourceGroup,
  );
  let lastResource: ResourceData | undefined;
  let lastScope: ScopeData | undefined;
  let target: ScopeGroup<Type> | undefined;
  let place = 0;
  for (const entry of entries) {
    try {
      checkObject(entry, '');
      const { resource, scope } = entry;
      if (target === undefined || resource !== lastResource || scope !== lastScope) {
        target = resources.of(resource).scopes.of(scope);
        lastResource = resource;
        lastScope = scope;
      }
    } catch (error) {
      throw asThrown(`${name}[${place}]`, error);
    }
    target.entries.push(entry);
    target.places.push(place++);
  }
  return resources.all();
}

function newResourceGroup<Type extends Entry>(resource: ResourceData, head: Uint8Array): ResourceGroup<Type> {
  return {
    resource,
    head,
    scopes: new Groups<ScopeData, ScopeGroup<Type>>('scope', writeScopeHead, newScopeGroup),
  };
}

function newScopeGroup<Type extends Entry>(scope: ScopeData, head: Uint8Array): ScopeGroup<Type> {
  return { scope, head, entries: [], places: [] };
}

/** Finds the group of an object: by identity, which is a lookup, or else by the bytes that it encodes to. */
class Groups<Key extends object, Group> {
  readonly #name: string;
  readonly #byIdentity = new Map<Key, Group>();
  readonly #byBytes = new Map<string, Group>();
  readonly #write: (writer: Writer, at: number, key: Key) => number;
  readonly #make: (key: Key, head: Uint8Array) => Group;

  constructor(
    name: string,
    write: (writer: Writer, at: number, key: Key) => number,
    make: (key: Key, head: Uint8Array) => Group,
  ) {
    this.#name = name;
    this.#write = write;
    this.#make = make;
  }

  of(key: Key): Group {
    const known = this.#byIdentity.get(key);
    if (known !== undefined) return known;
    checkObject(key, this.#name);
    const head = this.#headOf(key);
    // One UTF-16 unit for each byte makes a key of them.
    const bytes = Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1');
    const group = this.#byBytes.get(bytes) ?? this.#make(key, head);
    this.#byBytes.set(bytes, group);
    this.#byIdentity.set(key, group);
    return group;
  }

  #headOf(key: Key): Uint8Array {
    const writer = new Writer();
    try {
      return writer.copy(this.#write(writer, 0, key));
    } catch (error) {
      throw inside(this.#name, error);
    } finally {
      writer.release();
    }
  }

  all(): Iterable<Group> {
    return this.#byBytes.values();
  }
}
