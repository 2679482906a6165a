import { decodeResource, decodeScope, decodeSpan } from '@tracewell/otlp';
import { type ResourceData, type ScopeData, type SpanData, TracewellError } from '@tracewell/plugin';
import type { Block } from '../../hot/spans/block.ts';
import type { PlacedBlock } from '../../hot/spans/cross-copies.ts';
import { ABSENT, GROUP_WORDS } from '../../hot/spans/row.ts';
import type { SegmentIndex } from '../../hot/spans/segment-index.ts';
import { PageCache } from '../page-cache.ts';

/** What the spans of a group share. */
interface Origin {
  readonly resource: ResourceData;
  readonly scope: ScopeData;
}

// Spans with less than GAP bytes between them are read together: reading a page more is cheaper than a call.
const GAP = 4096;
const MAX_READ = 256 << 10;
const MAX_ORIGINS = 4096;

/** Reads spans back from their segments: only those that are asked for, decoded from the bytes as they came. */
export class SpanReader {
  /** Spans that could not be decoded. */
  unreadable = 0;
  readonly #pages = new PageCache();
  readonly #origins = new WeakMap<SegmentIndex, Map<number, Origin>>();
  // The one that was asked for last: spans side by side mostly share it.
  #lastIndex: SegmentIndex | undefined;
  #lastGroup = 0;
  #lastOrigin: Origin | undefined;

  /**
   * The span of a row; `undefined`, and counted, if its bytes cannot be decoded.
   *
   * @throws `TracewellError` (`TW_LOG_READ_FAILED`) if its file cannot be read
   */
  read({ index, block }: PlacedBlock, row: number): SpanData | undefined {
    const at = this.#pages.locate(index, block.offsetOf(row), block.lengthOf(row));
    return this.#decode(this.#pages.bytes, at, index, block, row);
  }

  /**
   * The spans of several rows of a block, rows in ascending order; what lies side by side is read at once.
   * Leaves out, and counts, what cannot be decoded.
   */
  *readMany({ index, block }: PlacedBlock, rows: readonly number[]): Generator<SpanData> {
    for (let from = 0; from < rows.length; ) {
      const start = block.offsetOf(rows[from]!);
      let until = from;
      let end = start;
      while (until < rows.length) {
        const row = rows[until]!;
        const rowEnd = block.offsetOf(row) + block.lengthOf(row);
        if (until > from && (block.offsetOf(row) - end > GAP || rowEnd - start > MAX_READ)) break;
        end = rowEnd;
        until++;
      }
      const bytes = index.segment.read(start, end - start);
      for (; from < until; from++) {
        const row = rows[from]!;
        const span = this.#decode(bytes, block.offsetOf(row) - start, index, block, row);
        if (span !== undefined) yield span;
      }
    }
  }

  #decode(
    bytes: Uint8Array,
    at: number,
    index: SegmentIndex,
    block: Block,
    row: number,
  ): SpanData | undefined {
    try {
      const { resource, scope } = this.#originOf(index, block.groupOf(row));
      return decodeSpan(bytes, at, at + block.lengthOf(row), resource, scope);
    } catch (error) {
      if (error instanceof TracewellError && error.code === 'TW_LOG_READ_FAILED') throw error;
      this.unreadable++;
      return undefined;
    }
  }

  #originOf(index: SegmentIndex, group: number): Origin {
    if (index === this.#lastIndex && group === this.#lastGroup && this.#lastOrigin !== undefined) {
      return this.#lastOrigin;
    }
    this.#lastOrigin = this.#findOrigin(index, group);
    this.#lastIndex = index;
    this.#lastGroup = group;
    return this.#lastOrigin;
  }

  #findOrigin(index: SegmentIndex, group: number): Origin {
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

function readOrigin(index: SegmentIndex, group: number): Origin {
  const at = group * GROUP_WORDS;
  const range = (word: number): Uint8Array | undefined => {
    const start = index.groups.words[at + word]!;
    if (start === ABSENT) return undefined;
    return index.segment.read(start, index.groups.words[at + word + 1]! - start);
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
