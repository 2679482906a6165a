import type { HeldSpan } from './held-span.ts';

/** A trace that is not decided. */
export class HeldTrace {
  readonly traceId: string;
  /** In the order in which they started, so that parents come before their children. */
  readonly spans: HeldSpan[] = [];
  /** The memory that its spans take, by estimate. */
  bytes = 0;
  /** Open spans without an open parent in this trace: those that began it here. */
  openRoots = 0;
  /** When to decide, once no such span is open. */
  dueAt = 0;
  older: HeldTrace | undefined;
  younger: HeldTrace | undefined;

  constructor(traceId: string) {
    this.traceId = traceId;
  }
}

/**
 * The undecided traces, by id and by age. The age is a list of its own, since the first key of a map is slow to find
 * where many before it were deleted.
 */
export class HeldTraces {
  readonly #byTraceId = new Map<string, HeldTrace>();
  #oldest: HeldTrace | undefined;
  #youngest: HeldTrace | undefined;

  get size(): number {
    return this.#byTraceId.size;
  }

  get oldest(): HeldTrace | undefined {
    return this.#oldest;
  }

  get(traceId: string): HeldTrace | undefined {
    return this.#byTraceId.get(traceId);
  }

  /** Begins to hold a trace. */
  add(traceId: string): HeldTrace {
    const trace = new HeldTrace(traceId);
    this.#byTraceId.set(traceId, trace);
    trace.older = this.#youngest;
    if (this.#youngest === undefined) this.#oldest = trace;
    else this.#youngest.younger = trace;
    this.#youngest = trace;
    return trace;
  }

  /** Holds a trace no longer. */
  remove(trace: HeldTrace): void {
    this.#byTraceId.delete(trace.traceId);
    if (trace.older === undefined) this.#oldest = trace.younger;
    else trace.older.younger = trace.younger;
    if (trace.younger === undefined) this.#youngest = trace.older;
    else trace.younger.older = trace.older;
  }
}
