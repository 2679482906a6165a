/** The kinds of telemetry that a store takes, as OTLP names them. */
export const SIGNALS = ['traces', 'logs', 'metrics'] as const;
/** One of {@link SIGNALS}. */
export type Signal = (typeof SIGNALS)[number];
