import { decodeResource, decodeScope } from '@tracewell/otlp';
import type { ResourceData, ScopeData } from '@tracewell/plugin';
import { ABSENT, GROUP_WORDS, type Groups } from '../hot/groups.ts';
import type { Segment } from '../log/types.ts';

/** What the records of a group share. */
export interface Origin {
  readonly resource: ResourceData;
  readonly scope: ScopeData;
}

/** The part of a segment's index that its origins are read with. */
export interface GroupedIndex {
  readonly segment: Segment;
  readonly groups: Groups;
}

const MAX_ORIGINS = 4096;

/** Reads the resources and scopes of records, and keeps what was decoded for as long as the segment's index lives. */
export class OriginReader {
  readonly #origins = new WeakMap<GroupedIndex, Map<number, Origin>>();
  // The one that was asked for last: records side by side mostly share it.
  #lastIndex: GroupedIndex | undefined;
  #lastGroup = 0;
  #lastOrigin: Origin | undefined;

  /**
   * Resource and scope of a group.
   *
   * @throws `TracewellError` (`TW_LOG_READ_FAILED`) if the file cannot be read, (`TW_DECODE_…`) if they cannot
   * be decoded
   */
  read(index: GroupedIndex, group: number): Origin {
    if (index === this.#lastIndex && group === this.#lastGroup && this.#lastOrigin !== undefined) {
      return this.#lastOrigin;
    }
    this.#lastOrigin = this.#find(index, group);
    this.#lastIndex = index;
    this.#lastGroup = group;
    return this.#lastOrigin;
  }

  #find(index: GroupedIndex, group: number): Origin {
    let origins = this.#origins.get(index);
    if (origins === undefined || origins.size > MAX_ORIGINS) {
      origins = new Map();
      this.#origins.set(index, origins);
    }
    let origin = origins.get(group);
    if (origin === undefined) {
      origin = readOrigin(index, group);
      origins.set(group, origin);
    }
    return origin;
  }
}

function readOrigin({ segment, groups }: GroupedIndex, group: number): Origin {
  const at = group * GROUP_WORDS;
  const range = (word: number): Uint8Array | undefined => {
    const start = groups.words[at + word]!;
    if (start === ABSENT) return undefined;
    return segment.read(start, groups.words[at + word + 1]! - start);
  };
  const resource = range(0);
  const resourceSchema = range(2);
  const scope = range(4);
  const scopeSchema = range(6);
  return {
    resource: withSchema(
      decodeResource(resource ?? EMPTY, resource ? 0 : -1, resource?.length ?? -1),
      resourceSchema,
    ),
    scope: withSchema(decodeScope(scope ?? EMPTY, scope ? 0 : -1, scope?.length ?? -1), scopeSchema),
  };
}

const EMPTY = new Uint8Array(0);

function withSchema<Part extends ResourceData | ScopeData>(part: Part, schema: Uint8Array | undefined): Part {
  return schema === undefined ? part : { ...part, schemaUrl: Buffer.from(schema).toString() };
}
