/**
 * What became of the spans that one exporter was given. At every instant
 * `exported + retained + dropped` is the number of spans that it was given.
 */
export interface ExporterStats {
  readonly name: string;
  /** Spans that the exporter took over. */
  readonly exported: number;
  /** Spans queued or in flight. */
  readonly retained: number;
  /** Spans lost: refused by the back end, pushed out of a full queue, or given up. */
  readonly dropped: number;
  /** Encoded bytes queued or in flight. */
  readonly retainedBytes: number;
  /** The last error, if the last attempt failed. */
  readonly lastError?: unknown;
}

/** What a plugin did so far. Every count starts at 0 with the plugin and only grows, but for `live` and `buffered`. */
export interface PluginStats {
  readonly name: string;
  /** Spans started and sampled. */
  readonly started: number;
  /** Spans ended. */
  readonly ended: number;
  /** Spans started and not yet ended. */
  readonly live: number;
  /** Spans ended and not yet handed to the exporters. */
  readonly buffered: number;
  /** Spans that sampling left out. */
  readonly unsampled: number;
  /** Spans refused because the bound on live spans was reached, or that did not fit any buffer. */
  readonly refused: number;
  readonly exporters: readonly ExporterStats[];
  /** The plugins that this one forwards to, if any. */
  readonly children?: readonly PluginStats[];
}
