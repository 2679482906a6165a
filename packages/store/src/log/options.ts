import { shown } from '../shown.ts';
import type { LogOptions } from './types.ts';

/** The options of the log with their defaults filled in. */
export type LogSettings = Required<LogOptions>;

const DEFAULTS: LogSettings = {
  readOnly: false,
  durability: 'commit',
  syncIntervalMs: 100,
  segmentBytes: 64 * 1024 * 1024,
  maxPendingBytes: 64 * 1024 * 1024,
  recovery: 'stop',
  verify: false,
  scrubBytesPerSecond: 4 * 1024 * 1024,
};

/** The names of the options of the log. */
export const LOG_OPTIONS: readonly string[] = Object.keys(DEFAULTS);

/** Checks the options. @throws TypeError, RangeError naming an option that is none or outside its range */
export function settingsOf(options: LogOptions): LogSettings {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`openStore: options must be an object, got ${shown(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(DEFAULTS, name)) continue;
    throw new TypeError(`openStore: ${name} is no option; there are ${Object.keys(DEFAULTS).join(', ')}`);
  }
  const settings: LogSettings = {
    readOnly: options.readOnly ?? DEFAULTS.readOnly,
    durability: options.durability ?? DEFAULTS.durability,
    syncIntervalMs: options.syncIntervalMs ?? DEFAULTS.syncIntervalMs,
    segmentBytes: options.segmentBytes ?? DEFAULTS.segmentBytes,
    maxPendingBytes: options.maxPendingBytes ?? DEFAULTS.maxPendingBytes,
    recovery: options.recovery ?? DEFAULTS.recovery,
    verify: options.verify ?? DEFAULTS.verify,
    scrubBytesPerSecond: options.scrubBytesPerSecond ?? DEFAULTS.scrubBytesPerSecond,
  };
  trueOrFalse('readOnly', settings.readOnly);
  trueOrFalse('verify', settings.verify);
  oneOf('durability', settings.durability, ['commit', 'interval', 'none']);
  oneOf('recovery', settings.recovery, ['stop', 'salvage']);
  inRange('syncIntervalMs', settings.syncIntervalMs, 1, 60_000);
  inRange('segmentBytes', settings.segmentBytes, 64 * 1024, 1024 * 1024 * 1024);
  inRange('maxPendingBytes', settings.maxPendingBytes, 1, Number.MAX_SAFE_INTEGER);
  inRange('scrubBytesPerSecond', settings.scrubBytesPerSecond, 0, 1024 * 1024 * 1024);
  return settings;
}

function trueOrFalse(name: string, value: unknown): void {
  if (typeof value !== 'boolean') {
    throw new TypeError(`openStore: ${name} must be true or false, got ${shown(value)}`);
  }
}

function oneOf(name: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) {
    const choice = allowed.map(shown).join(', ');
    throw new RangeError(`openStore: ${name} must be one of ${choice}, got ${shown(value)}`);
  }
}

function inRange(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(
      `openStore: ${name} must be a whole number from ${min} to ${max}, got ${shown(value)}`,
    );
  }
}
