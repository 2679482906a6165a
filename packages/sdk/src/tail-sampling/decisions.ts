/**
 * What was decided about traces, for the spans that arrive later. Bounded: the trace that was asked for least
 * recently is forgotten first.
 */
export class Decisions {
  readonly #byTraceId = new Map<string, boolean>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether a trace is kept; `undefined` if nothing was decided, or it is forgotten. */
  get(traceId: string): boolean | undefined {
    const keep = this.#byTraceId.get(traceId);
    if (keep !== undefined) this.#move(traceId, keep);
    return keep;
  }

  set(traceId: string, keep: boolean): void {
    this.#move(traceId, keep);
    if (this.#byTraceId.size > this.#limit) this.#byTraceId.delete(this.#byTraceId.keys().next().value!);
  }

  #move(traceId: string, keep: boolean): void {
    this.#byTraceId.delete(traceId);
    this.#byTraceId.set(traceId, keep);
  }
}
