import type { SpanData } from '@tracewell/plugin';
import { newestSpans } from '../../cold/spans/newest-spans.ts';
import { isUnfinished, preferredCopy } from '../../hot/spans/same-span.ts';
import type { SpanIndex } from '../../hot/spans/span-index.ts';
import type { ColdFile } from '../../meta/catalog.ts';
import type { TracePage } from '../../store.ts';
import type { Snapshot } from '../snapshot.ts';
import { nextTurn, turnIsOver } from '../turn.ts';
import type { ColdCopies } from './cold-copies.ts';
import type { FileTallies } from './file-tallies.ts';
import { findSpans } from './find-spans.ts';
import { findTrace } from './find-trace.ts';
import { hotCounts, type OperationCounts } from './list-services.ts';
import type { QueryPlan } from './plan.ts';
import { compareSpanKeys, encodeCursor } from './span-order.ts';
import type { SpanReader } from './span-reader.ts';
import { withoutCopies } from './without-copies.ts';

/** What is kept from one query to the next. */
export interface SpanTiers {
  readonly index: SpanIndex;
  readonly reader: SpanReader;
  readonly copies: ColdCopies;
  readonly tallies: FileTallies;
}

/** The spans of a snapshot, hot and cold as one. */
export class AllSpans {
  readonly #index: SpanIndex;
  readonly #reader: SpanReader;
  readonly #copies: ColdCopies;
  readonly #tallies: FileTallies;
  readonly #snapshot: Snapshot;

  constructor({ index, reader, copies, tallies }: SpanTiers, snapshot: Snapshot) {
    this.#index = index;
    this.#reader = reader;
    this.#copies = copies;
    this.#tallies = tallies;
    this.#snapshot = snapshot;
  }

  /** All spans of a trace, each once, in the order in which they started. */
  async trace(traceId: string): Promise<SpanData[]> {
    const spans = await findTrace(this.#index, traceId, this.#reader);
    const hot = spans.length;
    for (const file of this.#snapshot.readable('spans')) {
      try {
        spans.push(...this.#snapshot.files.spans(file, (open) => open.readTrace(traceId)));
      } catch (error) {
        this.#snapshot.skip(error);
      }
      if (turnIsOver()) await nextTurn();
    }
    return spans.length === hot ? spans : withoutCopies(spans).reverse();
  }

  /** Counts by operation the spans that started at `minStart` or later, each once. */
  async *counts(minStart: bigint): AsyncGenerator<OperationCounts> {
    await this.reconcile();
    yield* hotCounts(this.#index, minStart);
    for (const file of this.#snapshot.readable('spans', minStart)) {
      try {
        yield* await this.#tallies.of(file, minStart, this.#index.operations, this.#snapshot, this.#copies);
      } catch (error) {
        this.#snapshot.skip(error);
      }
    }
  }

  /** How many spans there are, each counted once. */
  async count(): Promise<number> {
    await this.reconcile();
    let spans = this.#index.spanCount();
    for (const file of this.#snapshot.readable('spans'))
      spans += file.rows - this.#copies.hiddenIn(file).size;
    return spans;
  }

  /** Hides all but one of the copies of each span, for whoever counts: see {@link ColdCopies}. */
  async reconcile(): Promise<void> {
    await this.#copies.hide(this.#snapshot);
  }

  /** A page of the spans that match. */
  async page(plan: QueryPlan): Promise<TracePage> {
    const { minStart, maxStart, after } = plan;
    const last =
      after !== undefined && after.startTimeUnixNanos < maxStart ? after.startTimeUnixNanos : maxStart;
    const files = last < 0n ? [] : this.#snapshot.readable('spans', minStart, last);
    const page =
      files.length === 0 ? await findSpans(this.#index, plan, this.#reader) : await this.#merged(plan, files);
    const { partial } = this.#snapshot;
    return partial === undefined ? page : { ...page, partial };
  }

  async #merged(plan: QueryPlan, files: readonly ColdFile[]): Promise<TracePage> {
    const found: SpanData[] = [];
    const sources = new Sources(this.#hot(plan), files, (file) => this.#cold(file, plan));
    for (;;) {
      const span = await sources.next();
      if (span === undefined) return { spans: found };
      if (isUnfinished(span) && (await this.#hasBetter(span))) continue;
      if (found.length === plan.limit) return { spans: found, cursor: encodeCursor(found.at(-1)!) };
      found.push(span);
    }
  }

  /** Whether a copy that stands for a span is somewhere: it need not match. */
  async #hasBetter(span: SpanData): Promise<boolean> {
    const all = await this.trace(span.traceId);
    return all.some((other) => preferredCopy(span, other) === 'second');
  }

  async *#hot(plan: QueryPlan): AsyncGenerator<SpanData> {
    for (let next = plan; ; ) {
      const { spans, cursor } = await findSpans(this.#index, next, this.#reader);
      yield* spans;
      if (cursor === undefined) return;
      next = { ...plan, after: spans.at(-1)! };
    }
  }

  async *#cold(file: ColdFile, plan: QueryPlan): AsyncGenerator<SpanData> {
    try {
      for (const span of this.#snapshot.files.eachOfSpans(file, (open) => newestSpans(open, plan))) {
        if (span !== undefined) yield span;
        else if (turnIsOver()) await nextTurn();
      }
    } catch (error) {
      this.#snapshot.skip(error);
    }
  }
}

/** The next span of a source, and where those behind it come from. */
interface Head {
  span: SpanData;
  readonly rest: AsyncGenerator<SpanData>;
}

/** Merges sources, each in the order of spans. A file is not looked into before its newest span could be the next. */
class Sources {
  readonly #files: ColdFile[];
  readonly #open: (file: ColdFile) => AsyncGenerator<SpanData>;
  readonly #heads: Head[] = [];
  #hot: AsyncGenerator<SpanData> | undefined;

  constructor(
    hot: AsyncGenerator<SpanData>,
    files: readonly ColdFile[],
    open: (file: ColdFile) => AsyncGenerator<SpanData>,
  ) {
    this.#hot = hot;
    this.#open = open;
    // The newest at the end, where it is taken from.
    this.#files = [...files].sort((a, b) => (a.maxTime < b.maxTime ? -1 : a.maxTime > b.maxTime ? 1 : 0));
  }

  /** The next span in the order; of its copies the one that stands for them. */
  async next(): Promise<SpanData | undefined> {
    if (this.#hot !== undefined) {
      const hot = this.#hot;
      this.#hot = undefined;
      await this.#begin(hot);
    }
    for (;;) {
      const newest = this.#files.at(-1);
      const start = this.#first()?.span.startTimeUnixNanos;
      if (newest === undefined || (start !== undefined && newest.maxTime < start)) break;
      this.#files.pop();
      await this.#begin(this.#open(newest));
    }
    const first = this.#first();
    if (first === undefined) return undefined;
    let best = first.span;
    const key = first.span;
    for (const head of [...this.#heads]) {
      if (compareSpanKeys(head.span, key) !== 0) continue;
      if (preferredCopy(best, head.span) === 'second') best = head.span;
      await this.#advance(head);
    }
    return best;
  }

  #first(): Head | undefined {
    let first: Head | undefined;
    for (const head of this.#heads) {
      if (first === undefined || compareSpanKeys(head.span, first.span) < 0) first = head;
    }
    return first;
  }

  async #begin(rest: AsyncGenerator<SpanData>): Promise<void> {
    const { done, value } = await rest.next();
    if (!done) this.#heads.push({ span: value, rest });
  }

  async #advance(head: Head): Promise<void> {
    const { done, value } = await head.rest.next();
    if (done) this.#heads.splice(this.#heads.indexOf(head), 1);
    else head.span = value;
  }
}
