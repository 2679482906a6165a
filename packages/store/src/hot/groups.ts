/** 32-bit words of a group: the ranges of resource, its schema URL, scope, its schema URL, each start and end. */
export const GROUP_WORDS = 8;
/** The start and end of what a group has not got. */
export const ABSENT = 0xffff_ffff;

// Programs send the same few resources and scopes with every request; a copy of the last ones is enough to
// store the place of each only once.
const RECENT = 64;
const RECENT_MAX_BYTES = 16 << 10;

/**
 * Where in a segment the resources and scopes of its spans, or of other records, lie, a number for each pair. Equal pairs mostly
 * share a number, and so what is decoded from them.
 */
export class Groups {
  /** `GROUP_WORDS` words a group: offsets in the segment. */
  words: Uint32Array = new Uint32Array(4 * GROUP_WORDS);
  count = 0;
  // By hash: the group and a copy of its bytes. In the order of their last use.
  readonly #recent = new Map<number, { readonly group: number; readonly bytes: Uint8Array }>();

  /** The number of a group of a frame, whose words lie at `at` and count from the payload's start. */
  add(payload: Uint8Array, base: number, words: Uint32Array, at: number): number {
    const recent = this.#recent;
    const hash = hashRanges(payload, words, at);
    const known = recent.get(hash);
    if (known !== undefined && sameRanges(known.bytes, payload, words, at)) {
      // To the end: the first key of a Map is the one that was used least recently.
      recent.delete(hash);
      recent.set(hash, known);
      return known.group;
    }
    const group = this.#append(base, words, at);
    const bytes = copyRanges(payload, words, at);
    if (bytes.length <= RECENT_MAX_BYTES) {
      recent.set(hash, { group, bytes });
      if (recent.size > RECENT) recent.delete(recent.keys().next().value!);
    }
    return group;
  }

  /** Gives back what only adding needs. */
  trim(): void {
    this.words = this.words.slice(0, this.count * GROUP_WORDS);
    this.#recent.clear();
  }

  /** Groups that were saved. */
  static from(words: Uint32Array): Groups {
    const groups = new Groups();
    groups.words = words;
    groups.count = words.length / GROUP_WORDS;
    return groups;
  }

  #append(base: number, words: Uint32Array, at: number): number {
    const to = this.count * GROUP_WORDS;
    if (to === this.words.length) {
      const larger = new Uint32Array(Math.max(this.words.length * 2, GROUP_WORDS));
      larger.set(this.words);
      this.words = larger;
    }
    for (let index = 0; index < GROUP_WORDS; index++) {
      const word = words[at + index]!;
      this.words[to + index] = word === ABSENT ? ABSENT : base + word;
    }
    return this.count++;
  }
}

/** The part of a scanner that says where resource and scope of a record lie; -1 for what there is not. */
export interface ScannedGroup {
  readonly resourceStart: number;
  readonly resourceEnd: number;
  readonly resourceSchemaStart: number;
  readonly resourceSchemaEnd: number;
  readonly scopeStart: number;
  readonly scopeEnd: number;
  readonly scopeSchemaStart: number;
  readonly scopeSchemaEnd: number;
}

/** Appends the `GROUP_WORDS` words of a group, as offsets in the payload. */
export function pushGroup(groups: number[], scanned: ScannedGroup): void {
  pushRange(groups, scanned.resourceStart, scanned.resourceEnd);
  pushRange(groups, scanned.resourceSchemaStart, scanned.resourceSchemaEnd);
  pushRange(groups, scanned.scopeStart, scanned.scopeEnd);
  pushRange(groups, scanned.scopeSchemaStart, scanned.scopeSchemaEnd);
}

function pushRange(groups: number[], start: number, end: number): void {
  if (start < 0) groups.push(ABSENT, ABSENT);
  else groups.push(start, end);
}

function hashRanges(payload: Uint8Array, words: Uint32Array, at: number): number {
  let hash = 0;
  for (let range = at; range < at + GROUP_WORDS; range += 2) {
    const start = words[range]!;
    const end = words[range + 1]!;
    hash = Math.imul(hash ^ (start === ABSENT ? ABSENT : end - start), 0x85ebca6b);
    if (start === ABSENT) continue;
    for (let index = start; index < end; index++) hash = Math.imul(hash ^ payload[index]!, 0x01000193);
  }
  return hash;
}

/** The ranges one after the other, each behind its length. */
function copyRanges(payload: Uint8Array, words: Uint32Array, at: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let range = at; range < at + GROUP_WORDS; range += 2) {
    const start = words[range]!;
    const end = words[range + 1]!;
    parts.push(new Uint8Array(Uint32Array.of(start === ABSENT ? ABSENT : end - start).buffer));
    if (start !== ABSENT) parts.push(payload.subarray(start, end));
  }
  return Buffer.concat(parts);
}

function sameRanges(copy: Uint8Array, payload: Uint8Array, words: Uint32Array, at: number): boolean {
  let from = 0;
  const lengths = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
  for (let range = at; range < at + GROUP_WORDS; range += 2) {
    const start = words[range]!;
    const end = words[range + 1]!;
    if (lengths.getUint32(from, true) !== (start === ABSENT ? ABSENT : end - start)) return false;
    from += 4;
    if (start === ABSENT) continue;
    for (let index = start; index < end; index++) if (copy[from++] !== payload[index]) return false;
  }
  return true;
}
