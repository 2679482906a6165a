/** The kinds of telemetry that a store takes, as OTLP names them. */
export const SIGNALS = ['traces', 'logs', 'metrics'] as const;
/** One of the signals: `'traces'`, `'logs'` or `'metrics'`. */
export type Signal = (typeof SIGNALS)[number];
