import type { Comment } from '../comments/comment.ts';
import { FrameKind, type LogIndexer, type Segment } from '../log/types.ts';
import { CommentIndex } from './comments/comment-index.ts';
import { LogIndex } from './logs/log-index.ts';
import type { LogRows } from './logs/log-rows.ts';
import { MetricIndex } from './metrics/metric-index.ts';
import type { PointRows } from './metrics/point-rows.ts';
import { loadSections, type Section, saveSections } from './sections.ts';
import type { SignalIndex } from './signal-index.ts';
import { SpanIndex } from './spans/span-index.ts';
import type { SpanRows } from './spans/span-rows.ts';

/** What is worked out of a payload before it is written, whatever its kind. */
export type HotRows = SpanRows | LogRows | PointRows | Comment;

/**
 * The hot tier: what the log drives. Each kind of frame has an index of its own, and a segment's `.idx` file
 * holds the saved ones of all of them.
 */
export class HotTier implements LogIndexer<HotRows> {
  readonly spans = new SpanIndex();
  readonly logs = new LogIndex();
  readonly metrics: MetricIndex;
  readonly comments = new CommentIndex();
  /** Frames that do not hold what their kind says. */
  unreadableFrames = 0;
  /** Goes up when rows leave the tier; who has read some before it and some after it has seen too little. */
  removals = 0;
  #retired: ReadonlySet<string> = new Set();
  readonly #indexes: ReadonlyMap<FrameKind, SignalIndex<HotRows>>;

  /** @param maxSeries - how many series of metrics inserts may make */
  constructor(maxSeries: number = Number.POSITIVE_INFINITY) {
    this.metrics = new MetricIndex(maxSeries);
    this.#indexes = new Map<FrameKind, SignalIndex<HotRows>>([
      [FrameKind.TRACES, this.spans],
      [FrameKind.LOGS, this.logs],
      [FrameKind.METRICS, this.metrics],
      [FrameKind.COMMENT, this.comments],
    ]);
  }

  addFrame(
    segment: Segment,
    payloadOffset: number,
    payload: Uint8Array,
    kind: FrameKind,
    _sequence: number,
    prepared?: HotRows,
  ): void {
    const index = this.#indexes.get(kind);
    if (index === undefined || this.#retired.has(segment.id)) return;
    let rows = prepared;
    if (rows === undefined) {
      try {
        rows = index.prepare(payload);
      } catch (error) {
        // Not written by an insert of ours: those are walked first. Counted, and the rest goes on.
        if (!(error instanceof Error && 'code' in error)) throw error;
        this.unreadableFrames++;
        return;
      }
    }
    index.addFrame(segment, payloadOffset, payload, rows);
  }

  load(segment: Segment, bytes: Uint8Array): boolean {
    if (this.#retired.has(segment.id)) return true;
    for (const section of loadSections(bytes) ?? [NO_SECTION]) {
      const index = this.#indexes.get(section.kind as FrameKind);
      if (index?.load(segment, section.bytes)) continue;
      // All or nothing: the frames come, and bring everything.
      this.remove(segment);
      return false;
    }
    return true;
  }

  save(segment: Segment): readonly Uint8Array[] {
    const sections: Section<readonly Uint8Array[]>[] = [];
    for (const [kind, index] of this.#indexes) {
      const bytes = index.save(segment);
      if (bytes !== undefined) sections.push({ kind, bytes });
    }
    return saveSections(sections);
  }

  /**
   * Forgets segments, and takes nothing of them any more: their rows are in files.
   *
   * @param retired - the ids of all such segments
   * @param segments - those that are there
   */
  retire(retired: ReadonlySet<string>, segments: Iterable<Segment>): void {
    const before = this.#retired;
    this.#retired = retired;
    for (const segment of segments)
      if (retired.has(segment.id) && !before.has(segment.id)) this.remove(segment);
  }

  /** Set by whoever knows better than the last {@link HotTier.retire} told. */
  isRetired = (segment: Segment): boolean => this.#retired.has(segment.id);

  remove(segment: Segment): void {
    this.removals++;
    for (const index of this.#indexes.values()) index.remove(segment);
  }
}

const NO_SECTION: Section<Uint8Array> = { kind: 0, bytes: new Uint8Array(0) };
