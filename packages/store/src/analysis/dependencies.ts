/**
 * Who calls whom: for each pair of services, and for each database, queue or address that a service calls and
 * that records no spans itself, how often, how slowly and how often in vain.
 *
 * A call between services is a span whose parent is of another service, and is measured by that span. A call to
 * something else is a CLIENT or PRODUCER span that no span of another service answers, and that says by its
 * attributes what it calls.
 *
 * Finding parents is a join of the spans with themselves. Traces are looked at in slices of their ids, as many as
 * it takes for a slice to have at most 3 million spans, and a slice is dealt out by id into parts whose hash tables
 * fit the processor's cache: looking into one table of all spans took three times as long. So memory has a bound,
 * 24 bytes a span of a slice, whatever the store holds. Trace and span are told by 64 bits of their ids.
 */
import { StatusCode } from '@tracewell/plugin';
import type { Operations } from '../hot/spans/operations.ts';
import { FLAG_STATUS } from '../hot/spans/row.ts';
import { checkFields, checkStrings, planWindow, type TimeWindow } from '../query/check.ts';
import { nextTurn, turnIsOver } from '../query/turn.ts';
import { Figures, OTHERS, type SpanFigures } from './figures.ts';
import { Targets } from './targets.ts';

/** What {@link Store.queryDependencies} takes. */
export interface DependencyQuery {
  /** Only calls that this service makes or answers. Default: all. */
  readonly service?: string | undefined;
  /** Calls that started then or later. Nanoseconds since the Unix epoch, or a date. */
  readonly startTime?: bigint | Date | undefined;
  /** Calls that started before that. Nanoseconds since the Unix epoch, or a date. */
  readonly endTime?: bigint | Date | undefined;
  /** Calls that started within the last so many seconds. Not together with `startTime`. */
  readonly lastSeconds?: number | undefined;
}

/** That one service calls another, or something else. The figures are those of the calls. */
export interface Dependency extends SpanFigures {
  /** The service that calls. */
  readonly from: string;
  /** The service, database, queue or address that is called. */
  readonly to: string;
  readonly kind: 'service' | 'database' | 'messaging' | 'external';
  /** `postgresql`, `kafka` …; empty if it is a service, or not known. */
  readonly system: string;
}

/** What {@link Store.queryDependencies} finds. */
export interface DependencyReport {
  /** The most frequent first. */
  readonly dependencies: readonly Dependency[];
  /** Why calls may be missing, each reason once; absent if none are. */
  readonly partial?: readonly string[];
}

/** A checked query with everything filled in. */
export interface DependencyPlan extends TimeWindow {
  readonly service: string | undefined;
}

/**
 * What the search for calls reads of a span.
 *
 * @param flags - as in hot/spans/row.ts
 * @param durationBits - as in `SpanVisitor`
 * @param traceLow - the last 4 bytes of the trace id, big-endian
 * @param spanKey - the last 4 bytes of the span id
 * @param parentKey - the last 4 bytes of the parent's span id; -1 if there is no parent
 * @param target - a number of `Targets`, for CLIENT and PRODUCER spans; 0 for others, and if they do not tell
 */
export type CallVisitor = (
  operation: number,
  flags: number,
  durationBits: number,
  traceLow: number,
  spanKey: number,
  parentKey: number,
  target: number,
) => void;

/** Where the search gets its spans from. */
export interface CallFacts {
  readonly operations: Operations;
  /** About how many spans there are in a window. */
  spansIn(window: TimeWindow): number;
  /** Calls `visit` for every span in the window whose trace is wanted, each once, in no particular order. */
  visitCalls(
    window: TimeWindow,
    targets: Targets,
    isWanted: (traceLow: number) => boolean,
    visit: CallVisitor,
  ): Promise<void>;
}

const CALLER = 'queryDependencies';
const FIELDS: ReadonlySet<string> = new Set<keyof DependencyQuery>([
  'service',
  'startTime',
  'endTime',
  'lastSeconds',
]);
const SPANS_OF_SLICE = 3_000_000;

/** Checks a query and fills in what it leaves out. @throws TypeError, RangeError naming the field */
export function planDependencies(query: DependencyQuery, nowUnixNanos: bigint): DependencyPlan {
  checkFields(CALLER, 'query', query, FIELDS);
  const { service } = query;
  checkStrings(CALLER, { service });
  return { service, ...planWindow(CALLER, query, nowUnixNanos) };
}

/**
 * Finds who calls whom, the most frequent first.
 *
 * @param spansOfSlice - about how many spans are looked at at a time
 */
export async function findDependencies(
  facts: CallFacts,
  plan: DependencyPlan,
  spansOfSlice: number = SPANS_OF_SLICE,
): Promise<Dependency[]> {
  const { operations } = facts;
  const targets = new Targets();
  const edges = new Edges();
  const spans = facts.spansIn(plan);
  const slices = Math.max(1, Math.ceil(spans / spansOfSlice));
  for (let slice = 0; slice < slices; slice++) {
    const isWanted = (traceLow: number): boolean => slices === 1 || traceLow % slices === slice;
    const parts = Array.from({ length: PARTS }, () => new Part(spans / slices / PARTS));
    await facts.visitCalls(
      plan,
      targets,
      isWanted,
      (operation, flags, durationBits, traceLow, spanKey, parentKey, target) => {
        const failed = (flags & FLAG_STATUS) === StatusCode.ERROR;
        // Slices take the lowest bits.
        parts[traceLow >>> PART_SHIFT]!.add(
          operation,
          failed,
          durationBits,
          traceLow,
          spanKey,
          parentKey,
          target,
        );
      },
    );
    for (const part of parts) {
      part.join(operations, edges);
      if (turnIsOver()) await nextTurn();
    }
  }
  return edges
    .list(operations, targets)
    .filter(
      ({ from, to, kind }) =>
        plan.service === undefined || from === plan.service || (kind === 'service' && to === plan.service),
    )
    .sort((a, b) => b.spanCount - a.spanCount || compareNames(a, b));
}

function compareNames(a: Dependency, b: Dependency): number {
  return a.from < b.from ? -1 : a.from > b.from ? 1 : a.to < b.to ? -1 : 1;
}

// Of 3 million spans, 47,000 for each part, whose table is 256 KiB.
const PART_BITS = 6;
const PARTS = 1 << PART_BITS;
const PART_SHIFT = 32 - PART_BITS;

// A span, in words of 32 bits.
const WORDS = 6;
const TRACE = 0;
const SPAN = 1;
const PARENT = 2;
const OPERATION = 3;
const DURATION = 4;
const TARGET = 5;
// In the word of the operation, which has 18 bits.
const FAILED = 0x8000_0000;
const HAS_PARENT = 0x4000_0000;
const ANSWERED = 0x2000_0000;
const OPERATION_MASK = 0x1fff_ffff;

/** The spans of some traces. */
class Part {
  #words: Uint32Array;
  #length = 0;

  /** @param expected - about how many spans will come */
  constructor(expected: number) {
    // Some more, since ids are not spread quite evenly.
    this.#words = new Uint32Array(WORDS * (256 + Math.ceil(expected * 1.1)));
  }

  add(
    operation: number,
    failed: boolean,
    durationBits: number,
    traceLow: number,
    spanKey: number,
    parentKey: number,
    target: number,
  ): void {
    if (this.#length === this.#words.length) {
      const words = new Uint32Array(this.#words.length * 2);
      words.set(this.#words);
      this.#words = words;
    }
    const words = this.#words;
    const at = this.#length;
    words[at + TRACE] = traceLow;
    words[at + SPAN] = spanKey;
    words[at + PARENT] = parentKey;
    words[at + OPERATION] = operation | (failed ? FAILED : 0) | (parentKey >= 0 ? HAS_PARENT : 0);
    words[at + DURATION] = durationBits;
    words[at + TARGET] = target;
    this.#length = at + WORDS;
  }

  /** Finds the calls among the spans. */
  join(operations: Operations, edges: Edges): void {
    const words = this.#words;
    const end = this.#length;
    const table = this.#table();
    for (let at = 0; at < end; at += WORDS) {
      const own = words[at + OPERATION]!;
      if ((own & HAS_PARENT) === 0) continue;
      const parent = find(table, words, words[at + TRACE]!, words[at + PARENT]!);
      if (parent < 0) continue;
      const from = operations.serviceOf(words[parent + OPERATION]! & OPERATION_MASK);
      const to = operations.serviceOf(own & OPERATION_MASK);
      if (from === to) continue;
      words[parent + OPERATION]! |= ANSWERED;
      edges.addService(from, to, words[at + DURATION]!, (own & FAILED) !== 0);
    }
    for (let at = 0; at < end; at += WORDS) {
      const target = words[at + TARGET]!;
      const own = words[at + OPERATION]!;
      if (target === 0 || (own & ANSWERED) !== 0) continue;
      edges.addTarget(
        operations.serviceOf(own & OPERATION_MASK),
        target,
        words[at + DURATION]!,
        (own & FAILED) !== 0,
      );
    }
  }

  /** Where the spans are, by their ids: a hash table of places plus 1, with open addressing; 0 is a free slot. */
  #table(): Uint32Array {
    const words = this.#words;
    let slots = 16;
    while (slots * WORDS < this.#length * 2) slots *= 2;
    const table = new Uint32Array(slots);
    const mask = slots - 1;
    for (let at = 0; at < this.#length; at += WORDS) {
      let slot = hash(words[at + TRACE]!, words[at + SPAN]!) & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = at + 1;
    }
    return table;
  }
}

/** Where a span is among the words; -1 if it is not there. */
function find(table: Uint32Array, words: Uint32Array, traceLow: number, spanKey: number): number {
  const mask = table.length - 1;
  let slot = hash(traceLow, spanKey) & mask;
  for (;;) {
    const at = table[slot]! - 1;
    if (at < 0 || (words[at + TRACE] === traceLow && words[at + SPAN] === spanKey)) return at;
    slot = (slot + 1) & mask;
  }
}

function hash(traceLow: number, spanKey: number): number {
  const mixed = Math.imul(traceLow ^ Math.imul(spanKey, 0x9e3779b1), 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}

/** What was found, by pairs. */
class Edges {
  readonly #figures = new Figures();
  readonly #numbers = new Map<number, number>();
  readonly #pairs: { from: number; to: number; isTarget: boolean }[] = [];

  addService(from: number, to: number, durationBits: number, failed: boolean): void {
    this.#add(from, to, false, durationBits, failed);
  }

  addTarget(from: number, target: number, durationBits: number, failed: boolean): void {
    this.#add(from, target, true, durationBits, failed);
  }

  #add(from: number, to: number, isTarget: boolean, durationBits: number, failed: boolean): void {
    // Services are numbered with 16 bits, targets with 13.
    const key = from * 0x2_0000 + (isTarget ? 0x1_0000 + to : to);
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#pairs.push({ from, to, isTarget }) - 1;
      this.#numbers.set(key, number);
    }
    this.#figures.add(number, durationBits, failed);
  }

  list(operations: Operations, targets: Targets): Dependency[] {
    const nameOf = (service: number): string => operations.serviceName(service) ?? OTHERS;
    return this.#pairs.map(({ from, to, isTarget }, number) => {
      const figures = this.#figures.of(number);
      if (!isTarget) return { from: nameOf(from), to: nameOf(to), kind: 'service', system: '', ...figures };
      const { kind, system, name } = targets.get(to);
      return { from: nameOf(from), to: name === '' ? system : name, kind, system, ...figures };
    });
  }
}
