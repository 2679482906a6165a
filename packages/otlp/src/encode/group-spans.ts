import type { ResourceData, ScopeData, SpanData } from '@tracewell/plugin';
import { writeResourceHead, writeScopeHead } from './resource.ts';
import { Writer } from './writer.ts';

/** Spans that share a scope. */
export interface ScopeGroup {
  readonly scope: ScopeData;
  /** The fields of `ScopeSpans` but for the spans. */
  readonly head: Uint8Array;
  readonly spans: SpanData[];
}

/** Scopes that share a resource. */
export interface ResourceGroup {
  readonly resource: ResourceData;
  /** The fields of `ResourceSpans` but for the scopes. */
  readonly head: Uint8Array;
  readonly scopes: Groups<ScopeData, ScopeGroup>;
}

/**
 * Groups spans by resource, then by scope; objects that say the same share a group, whether they are the
 * same object or not. Groups keep the order of their first span, spans the order within their group.
 */
export function groupSpans(spans: Iterable<SpanData>): Iterable<ResourceGroup> {
  const resources = new Groups(writeResourceHead, newResourceGroup);
  let lastResource: ResourceData | undefined;
  let lastScope: ScopeData | undefined;
  let target: SpanData[] = [];
  for (const span of spans) {
    const { resource, scope } = span;
    if (resource !== lastResource || scope !== lastScope) {
      target = resources.of(resource).scopes.of(scope).spans;
      lastResource = resource;
      lastScope = scope;
    }
    target.push(span);
  }
  return resources.all();
}

function newResourceGroup(resource: ResourceData, head: Uint8Array): ResourceGroup {
  return { resource, head, scopes: new Groups(writeScopeHead, newScopeGroup) };
}

function newScopeGroup(scope: ScopeData, head: Uint8Array): ScopeGroup {
  return { scope, head, spans: [] };
}

/** Finds the group of an object: by identity, which is a lookup, or else by the bytes that it encodes to. */
class Groups<Key extends object, Group> {
  readonly #byIdentity = new Map<Key, Group>();
  readonly #byBytes = new Map<string, Group>();
  readonly #write: (writer: Writer, at: number, key: Key) => number;
  readonly #make: (key: Key, head: Uint8Array) => Group;

  constructor(
    write: (writer: Writer, at: number, key: Key) => number,
    make: (key: Key, head: Uint8Array) => Group,
  ) {
    this.#write = write;
    this.#make = make;
  }

  of(key: Key): Group {
    const known = this.#byIdentity.get(key);
    if (known !== undefined) return known;
    const writer = new Writer();
    const head = writer.copy(this.#write(writer, 0, key));
    writer.release();
    // One UTF-16 unit for each byte makes a key of them.
    const bytes = Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1');
    const group = this.#byBytes.get(bytes) ?? this.#make(key, head);
    this.#byBytes.set(bytes, group);
    this.#byIdentity.set(key, group);
    return group;
  }

  all(): Iterable<Group> {
    return this.#byBytes.values();
  }
}
