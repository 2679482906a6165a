import type { BatchExporter } from '@tracewell/plugin';
import {
  CLOCK_METHODS,
  checkFunction,
  checkMethods,
  checkObject,
  checkSampler,
  describe,
  isObject,
  milliseconds,
  oneOf,
  TIMERS_METHODS,
  text,
  wholeNumber,
} from '../options.ts';
import { MAX_LIVE_SPANS } from '../recorder/arena.ts';
import { systemClock } from '../recorder/clock.ts';
import { resolveSpanLimits } from '../recorder/limits.ts';
import type { RecorderSettings } from '../recorder/recorder.ts';
import { resourceFromEnvironment } from '../resource/resource-from-environment.ts';
import { alwaysOn } from '../sampling/always.ts';
import { parentBased } from '../sampling/parent-based.ts';
import type { DeliverySettings } from './delivery.ts';
import type { BufferedPluginOptions } from './options.ts';
import { nodeTimers } from './timers.ts';

/** The options of a buffered plugin, checked and complete. */
export interface BufferedSettings {
  readonly name: string;
  readonly recorder: RecorderSettings;
  readonly delivery: DeliverySettings;
}

const WHERE = 'bufferedPlugin';
const MEBIBYTE = 1_048_576;
/** The largest buffer that one span, batch or arena may be asked to take: what fits a 32-bit offset. */
const MAX_BYTES = 2 ** 31 - 1;
/** One for all, so that plugins without a sampler of their own are known to sample alike. */
const DEFAULT_SAMPLER = parentBased(alwaysOn());
const HOUR_MS = 3_600_000;

/**
 * Checks options and fills in the defaults.
 *
 * @throws TypeError or RangeError naming the field, what came and what is allowed
 */
export function resolveOptions(
  exporters: readonly BatchExporter[],
  options: BufferedPluginOptions,
): BufferedSettings {
  checkExporters(exporters);
  checkObject(WHERE, 'options', options);
  const name = text(WHERE, 'name', options.name, exporters.map((exporter) => exporter.name).join('+'));
  const bytes = (field: keyof BufferedPluginOptions & `${string}MaxBytes`, fallback: number): number =>
    wholeNumber(WHERE, field, options[field], fallback, MAX_BYTES);
  const { retry = {}, breaker = {}, onError } = options;
  const queueDropPolicy = oneOf(WHERE, 'queueDropPolicy', options.queueDropPolicy, ['oldest', 'newest']);
  checkObject(WHERE, 'limits', options.limits ?? {});
  checkObject(WHERE, 'retry', retry);
  checkObject(WHERE, 'breaker', breaker);
  checkFunction(WHERE, 'onError', onError);
  checkFunction(WHERE, 'random', options.random);
  checkMethods(WHERE, 'clock', options.clock, CLOCK_METHODS);
  checkMethods(WHERE, 'timers', options.timers, TIMERS_METHODS);
  if (options.sampler !== undefined) checkSampler(WHERE, 'sampler', options.sampler);
  const { resource } = options;
  if (resource !== undefined && !isObject(resource?.attributes)) {
    throw new TypeError(
      `${WHERE}: resource: give { attributes: { 'service.name': … } }, got ${describe(resource)}`,
    );
  }
  const spanMaxBytes = bytes('spanMaxBytes', MEBIBYTE);
  if (spanMaxBytes < 1024) {
    throw new RangeError(`${WHERE}: spanMaxBytes must be at least 1024, got ${spanMaxBytes}`);
  }
  const report = (error: unknown, exporter?: string): void => {
    try {
      onError?.(error, exporter === undefined ? { plugin: name } : { plugin: name, exporter });
    } catch {
      // Who listens to errors must not cause new ones.
    }
  };
  return {
    name,
    recorder: {
      resource: resource ?? resourceFromEnvironment(process.env, { onError: report }),
      sampler: options.sampler ?? DEFAULT_SAMPLER,
      limits: resolveSpanLimits(options.limits),
      liveMaxSpans: wholeNumber(WHERE, 'liveMaxSpans', options.liveMaxSpans, 65_536, MAX_LIVE_SPANS),
      liveMaxBytes: bytes('liveMaxBytes', 64 * MEBIBYTE),
      liveMaxAgeMs: milliseconds(WHERE, 'liveMaxAgeMs', options.liveMaxAgeMs, HOUR_MS),
      spanMaxBytes,
      batchMaxSpans: wholeNumber(WHERE, 'batchMaxSpans', options.batchMaxSpans, 512),
      batchMaxBytes: bytes('batchMaxBytes', MEBIBYTE / 2),
      clock: options.clock ?? systemClock,
      random: options.random,
      onError: report,
    },
    delivery: {
      queueMaxBytes: bytes('queueMaxBytes', 16 * MEBIBYTE),
      queueDropPolicy,
      exportTimeoutMs: milliseconds(WHERE, 'exportTimeoutMs', options.exportTimeoutMs, 30_000),
      initialDelayMs: milliseconds(WHERE, 'retry.initialDelayMs', retry.initialDelayMs, 1000),
      maxDelayMs: milliseconds(WHERE, 'retry.maxDelayMs', retry.maxDelayMs, 30_000),
      maxElapsedMs: milliseconds(WHERE, 'retry.maxElapsedMs', retry.maxElapsedMs, HOUR_MS),
      breakerFailures: wholeNumber(WHERE, 'breaker.failures', breaker.failures, 5),
      breakerOpenMs: milliseconds(WHERE, 'breaker.openMs', breaker.openMs, 30_000),
      timers: options.timers ?? nodeTimers,
      onError: report,
    },
  };
}

function checkExporters(exporters: readonly BatchExporter[]): void {
  if (exporters.length === 0) throw new TypeError(`${WHERE}: exporters must name at least one exporter`);
  for (const exporter of exporters) {
    if (typeof exporter?.export !== 'function' || typeof exporter.name !== 'string') {
      throw new TypeError(
        `${WHERE}: each exporter must be an object with a name and an export method, got ${describe(exporter)}`,
      );
    }
    for (const method of ['exportSync', 'flush', 'shutdown'] as const) {
      checkFunction(WHERE, `${method} of the exporter ${exporter.name}`, exporter[method]);
    }
  }
}
