import { COLD_SIGNALS, type ColdSignal } from '../meta/catalog.ts';
import { shown } from '../shown.ts';
import type { HotLimits } from './plan-compaction.ts';
import type { ColdLimits, RetentionLimits } from './retention.ts';

/** When rows go cold, and when they go. */
export interface MaintenanceOptions {
  /**
   * Whether this process looks now and then at what is due, and does it unless another one is at it. Default `true`;
   * `compact` and `maintain` work either way.
   */
  readonly scheduled?: boolean | undefined;
  /** Milliseconds between two looks, 100 to 86,400,000. Default 60,000. */
  readonly intervalMs?: number | undefined;
  /**
   * Milliseconds after which what was stored goes to the cold tier, from 0 on. The hot tier answers faster and
   * takes memory, about 50 bytes a span. Default 24 hours.
   */
  readonly hotMaxAgeMs?: number | undefined;
  /** Bytes of the log beyond which the oldest of it goes to the cold tier, from 0 on. Default 512 MiB. */
  readonly hotMaxBytes?: number | undefined;
  /**
   * How long the cold tier keeps what, and how much. `payloads` are the values above 8 KiB, such as prompts: they go
   * with the last row that names them, and with limits of their own before that, which leaves the rows the
   * beginnings; those of the last hour stay in any case. Default: everything.
   */
  readonly retention?: Readonly<Partial<Record<ColdSignal | 'payloads', ColdLimits>>> | undefined;
}

/** The options with their defaults filled in. */
export interface MaintenanceSettings {
  readonly scheduled: boolean;
  readonly intervalMs: number;
  readonly hot: HotLimits;
  readonly retention: RetentionLimits;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const NAMES: readonly string[] = [
  'scheduled',
  'intervalMs',
  'hotMaxAgeMs',
  'hotMaxBytes',
  'retention',
] satisfies (keyof MaintenanceOptions)[];
const LIMIT_NAMES: readonly string[] = ['maxAgeMs', 'maxBytes'] satisfies (keyof ColdLimits)[];

/** Checks the options. @throws TypeError, RangeError naming an option that is none */
export function maintenanceSettings(options: MaintenanceOptions): MaintenanceSettings {
  checkNames('maintenance', options, NAMES);
  const {
    scheduled = true,
    intervalMs = 60_000,
    hotMaxAgeMs = DAY_MS,
    hotMaxBytes = 512 * 1024 * 1024,
    retention = {},
  } = options;
  if (typeof scheduled !== 'boolean') {
    throw new TypeError(`openStore: maintenance.scheduled must be true or false, got ${shown(scheduled)}`);
  }
  inRange('intervalMs', intervalMs, 100, DAY_MS);
  inRange('hotMaxAgeMs', hotMaxAgeMs, 0, Number.MAX_SAFE_INTEGER);
  inRange('hotMaxBytes', hotMaxBytes, 0, Number.MAX_SAFE_INTEGER);
  checkNames('maintenance.retention', retention, [...COLD_SIGNALS, 'payloads']);
  for (const [signal, limits] of Object.entries(retention)) {
    if (limits === undefined) continue;
    checkNames(`maintenance.retention.${signal}`, limits, LIMIT_NAMES);
    for (const [name, value] of Object.entries(limits)) {
      if (value !== undefined) inRange(`retention.${signal}.${name}`, value, 0, Number.MAX_SAFE_INTEGER);
    }
  }
  return { scheduled, intervalMs, hot: { maxAgeMs: hotMaxAgeMs, maxBytes: hotMaxBytes }, retention };
}

function checkNames(what: string, given: object, allowed: readonly string[]): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new TypeError(`openStore: ${what} must be an object, got ${shown(given)}`);
  }
  for (const name of Object.keys(given)) {
    if (allowed.includes(name)) continue;
    throw new TypeError(`openStore: ${name} is no field of ${what}; there are ${allowed.join(', ')}`);
  }
}

function inRange(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(
    `openStore: maintenance.${name} must be a whole number from ${min} to ${max}, got ${shown(value)}`,
  );
}
