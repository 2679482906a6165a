import type { StoreOptions } from '@tracewell/store';
import { checkFetchOptions } from '../fetch/check-options.ts';
import { checkHttpOptions } from '../http/check-options.ts';
import {
  aFunction,
  type Check,
  checkedLater,
  listOf,
  options,
  orFalse,
  refuse,
  type Shape,
  someText,
} from '../options.ts';
import type { TracewellOptions } from '../tracewell-options.ts';

/** Options that say where spans go, which a plugin decides by itself. */
const DESTINATIONS = ['directory', 'store', 'exporters'] as const;

/**
 * Checks the options of `tracewell()` before it does anything. The values in `tracing` and `store` are left to
 * `startTracing` and `openStore`, but not their names, which those take from anybody.
 *
 * @throws TypeError naming the option, what came and what is allowed
 */
export function checkTracewellOptions(given: TracewellOptions): void {
  checkShape('tracewell: options', given);
  if (given.plugin === undefined) return;
  const idle = DESTINATIONS.find((name) => given[name] !== undefined);
  if (idle === undefined) return;
  throw new TypeError(
    `tracewell: options.${idle} does nothing beside options.plugin, which decides where spans go; give one of them`,
  );
}

const instrumentation: Check = (at, value) => {
  const { instrumentationName, enable, disable } = Object(value) as Readonly<Record<string, unknown>>;
  if (typeof instrumentationName === 'string' && isFunction(enable) && isFunction(disable)) return;
  refuse(at, 'an instrumentation (with instrumentationName, enable and disable)', value);
};

const instrumentations: Check = (at, value) => {
  if (value === 'installed' || value === false) return;
  if (!Array.isArray(value)) refuse(at, "'installed', an array of instrumentations or false", value);
  listOf(instrumentation)(at, value);
};

const exporter: Check = (at, value) => {
  const { name, export: deliver } = Object(value) as Readonly<Record<string, unknown>>;
  if (typeof name === 'string' && isFunction(deliver)) return;
  refuse(at, 'a BatchExporter (with name and export)', value);
};

const environment: Check = (at, value) => {
  if (typeof value !== 'object' || value === null) refuse(at, 'an object of variables', value);
  for (const [name, text] of Object.entries(value)) {
    if (text !== undefined && typeof text !== 'string') refuse(`${at}.${name}`, 'a string', text);
  }
};

const store: Shape<StoreOptions> = {
  readOnly: checkedLater,
  durability: checkedLater,
  syncIntervalMs: checkedLater,
  segmentBytes: checkedLater,
  maxPendingBytes: checkedLater,
  recovery: checkedLater,
  verify: checkedLater,
  scrubBytesPerSecond: checkedLater,
  search: checkedLater,
  maxSeries: checkedLater,
  genAiPrices: checkedLater,
  maintenance: checkedLater,
  replication: checkedLater,
  standby: checkedLater,
};

const tracing: Shape<NonNullable<TracewellOptions['tracing']>> = {
  name: checkedLater,
  resource: checkedLater,
  sampler: checkedLater,
  limits: checkedLater,
  liveMaxSpans: checkedLater,
  liveMaxBytes: checkedLater,
  liveMaxAgeMs: checkedLater,
  spanMaxBytes: checkedLater,
  batchMaxSpans: checkedLater,
  batchMaxBytes: checkedLater,
  queueMaxBytes: checkedLater,
  queueDropPolicy: checkedLater,
  exportTimeoutMs: checkedLater,
  retry: checkedLater,
  breaker: checkedLater,
  clock: checkedLater,
  random: checkedLater,
  timers: checkedLater,
  flushIntervalMs: checkedLater,
  flushSpans: checkedLater,
  flushTimeoutMs: checkedLater,
  shutdownTimeoutMs: checkedLater,
  saveAtProcessEnd: checkedLater,
};

const checkShape = options<TracewellOptions>({
  directory: someText,
  store: options(store),
  exporters: listOf(exporter),
  plugin: checkedLater,
  tracing: options(tracing),
  http: orFalse(checkHttpOptions),
  fetch: orFalse(checkFetchOptions),
  instrumentations,
  applicationFolder: someText,
  onError: aFunction,
  onWarning: aFunction,
  env: environment,
});

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}
