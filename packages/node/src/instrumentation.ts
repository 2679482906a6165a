/** Something that records spans until it is disabled. */
export interface Instrumentation {
  /** What it instruments. */
  readonly name: string;
  /** Stops recording; spans that are live end as they would have. Idempotent. */
  disable(): void;
}
