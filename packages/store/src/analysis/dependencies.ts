/**
 * Who calls whom: for each pair of services, and for each database, queue or address that a service calls and
 * that records no spans itself, how often, how slowly and how often in vain.
 *
 * A call between services is a span whose parent is of another service, and is measured by that span. A call to
 * something else is a CLIENT or PRODUCER span that no span of another service answers, and that says by its
 * attributes what it calls.
 *
 * The parent is found by the lower half of the trace id's lower half and of the span id, 64 bits together, in a
 * hash table of 12 bytes a slot. Traces are looked at in slices of their ids, as many as it takes for a table
 * to stay below 50 MiB, so memory has a bound whatever the store holds.
 */
import { SpanKind, StatusCode } from '@tracewell/plugin';
import type { Operations } from '../hot/spans/operations.ts';
import { FLAG_KIND, FLAG_KIND_SHIFT, FLAG_STATUS } from '../hot/spans/row.ts';
import { checkFields, checkStrings, planWindow, type TimeWindow } from '../query/check.ts';
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

/** A checked query with everything filled in. */
export interface DependencyPlan extends TimeWindow {
  readonly service: string | undefined;
}

/**
 * What the search for calls reads of a span.
 *
 * @param traceLow - the last 4 bytes of the trace id, big-endian
 * @param spanKey - the last 4 bytes of the span id
 */
export type CallerVisitor = (operation: number, traceLow: number, spanKey: number) => void;

/**
 * @param parentKey - the last 4 bytes of the parent's span id; -1 if there is no parent
 * @param target - a number of `Targets`, for CLIENT and PRODUCER spans; 0 if they do not tell
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

/** Where the search gets its spans from. Each span comes once, in no particular order. */
export interface CallFacts {
  readonly operations: Operations;
  /** About how many spans there are in a window. */
  spansIn(window: TimeWindow): number;
  /** Calls `visit` for every span in the window. */
  visitCallers(window: TimeWindow, visit: CallerVisitor): Promise<void>;
  /** Calls `visit` for every span in the window whose trace is in the slice. */
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
    const callers = new Callers(spans / slices);
    await facts.visitCallers(plan, (operation, traceLow, spanKey) => {
      if (isWanted(traceLow)) callers.add(traceLow, spanKey, operation);
    });
    const unanswered = new Unanswered();
    await facts.visitCalls(
      plan,
      targets,
      isWanted,
      (operation, flags, durationBits, traceLow, spanKey, parentKey, target) => {
        const failed = (flags & FLAG_STATUS) === StatusCode.ERROR;
        const service = operations.serviceOf(operation);
        if (parentKey >= 0) {
          const caller = callers.find(traceLow, parentKey);
          const from = caller < 0 ? service : operations.serviceOf(callers.operation(caller));
          if (from !== service) {
            edges.addService(from, service, durationBits, failed);
            callers.setAnswered(caller);
          }
        }
        if (target === 0) return;
        const kind = (flags & FLAG_KIND) >>> FLAG_KIND_SHIFT;
        if (kind !== SpanKind.CLIENT && kind !== SpanKind.PRODUCER) return;
        unanswered.add(callers.find(traceLow, spanKey), service, target, durationBits, failed);
      },
    );
    for (const call of unanswered.calls(callers)) {
      edges.addTarget(call.service, call.target, call.durationBits, call.failed);
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

/** Spans by the lower parts of their ids: a hash table with open addressing. */
class Callers {
  // For each slot: trace, span, and the operation plus 1, with ANSWERED on top; 0 is a free slot.
  #words: Uint32Array;
  #mask: number;
  #count = 0;

  constructor(expected: number) {
    let slots = 1024;
    while (slots * MAX_LOAD < expected) slots *= 2;
    this.#words = new Uint32Array(slots * SLOT_WORDS);
    this.#mask = slots - 1;
  }

  add(traceLow: number, spanKey: number, operation: number): void {
    if (this.#count >= (this.#mask + 1) * MAX_LOAD) this.#grow();
    const at = this.#slot(traceLow, spanKey) * SLOT_WORDS;
    if (this.#words[at + 2] === 0) this.#count++;
    this.#words[at] = traceLow;
    this.#words[at + 1] = spanKey;
    this.#words[at + 2] = operation + 1;
  }

  /** The slot of a span; -1 if it is not here. */
  find(traceLow: number, spanKey: number): number {
    const slot = this.#slot(traceLow, spanKey);
    return this.#words[slot * SLOT_WORDS + 2] === 0 ? -1 : slot;
  }

  operation(slot: number): number {
    return (this.#words[slot * SLOT_WORDS + 2]! & ~ANSWERED) - 1;
  }

  setAnswered(slot: number): void {
    this.#words[slot * SLOT_WORDS + 2]! |= ANSWERED;
  }

  isAnswered(slot: number): boolean {
    return (this.#words[slot * SLOT_WORDS + 2]! & ANSWERED) !== 0;
  }

  /** The slot that holds a span, or the free one where it belongs. */
  #slot(traceLow: number, spanKey: number): number {
    const words = this.#words;
    const mask = this.#mask;
    let slot = Math.imul(traceLow ^ Math.imul(spanKey, 0x9e3779b1), 0x85ebca6b);
    slot = (slot ^ (slot >>> 15)) & mask;
    for (;;) {
      const at = slot * SLOT_WORDS;
      if (words[at + 2] === 0 || (words[at] === traceLow && words[at + 1] === spanKey)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const before = this.#words;
    this.#words = new Uint32Array(before.length * 2);
    this.#mask = this.#mask * 2 + 1;
    for (let at = 0; at < before.length; at += SLOT_WORDS) {
      if (before[at + 2] === 0) continue;
      const to = this.#slot(before[at]!, before[at + 1]!) * SLOT_WORDS;
      for (let word = 0; word < SLOT_WORDS; word++) this.#words[to + word] = before[at + word]!;
    }
  }
}

const SLOT_WORDS = 3;
const MAX_LOAD = 0.75;
const ANSWERED = 0x8000_0000;

/** Calls that may turn out to be answered by a span that comes later. */
class Unanswered {
  // For each: slot of its span plus 1, service, target with FAILED on top, duration.
  #words = new Uint32Array(1024);
  #length = 0;

  add(slot: number, service: number, target: number, durationBits: number, failed: boolean): void {
    if (this.#length === this.#words.length) {
      const words = new Uint32Array(this.#words.length * 2);
      words.set(this.#words);
      this.#words = words;
    }
    this.#words[this.#length++] = slot + 1;
    this.#words[this.#length++] = service;
    this.#words[this.#length++] = failed ? (target | FAILED) >>> 0 : target;
    this.#words[this.#length++] = durationBits;
  }

  *calls(
    callers: Callers,
  ): Generator<{ service: number; target: number; durationBits: number; failed: boolean }> {
    for (let at = 0; at < this.#length; at += 4) {
      const slot = this.#words[at]! - 1;
      if (slot >= 0 && callers.isAnswered(slot)) continue;
      const target = this.#words[at + 2]!;
      yield {
        service: this.#words[at + 1]!,
        target: (target & ~FAILED) >>> 0,
        durationBits: this.#words[at + 3]!,
        failed: (target & FAILED) !== 0,
      };
    }
  }
}

const FAILED = 0x8000_0000;

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
