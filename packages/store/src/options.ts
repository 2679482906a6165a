import { checkPrices, type GenAiPrices } from './genai/gen-ai.ts';
import { LOG_OPTIONS } from './log/log.ts';
import type { LogOptions } from './log/types.ts';
import { shown } from './shown.ts';

/** Options of {@link openStore}. The defaults suit an application that records itself. */
export interface StoreOptions extends LogOptions {
  /** What generative models cost, for spans that do not say it themselves. Default: their cost is not known. */
  readonly genAiPrices?: GenAiPrices | undefined;
}

/** The options by the parts of the store that they are for, with defaults filled in. */
export interface StoreSettings {
  /** Checked by the log. */
  readonly log: LogOptions;
  readonly genAiPrices: GenAiPrices;
}

const OWN_OPTIONS: readonly string[] = ['genAiPrices'] satisfies (keyof Omit<
  StoreOptions,
  keyof LogOptions
>)[];

/** Checks the options. @throws TypeError, RangeError naming an option that is none */
export function settingsOf(options: StoreOptions): StoreSettings {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`openStore: options must be an object, got ${shown(options)}`);
  }
  const allowed = [...LOG_OPTIONS, ...OWN_OPTIONS];
  for (const name of Object.keys(options)) {
    if (allowed.includes(name)) continue;
    throw new TypeError(`openStore: ${name} is no option; there are ${allowed.join(', ')}`);
  }
  const { genAiPrices = {}, ...log } = options;
  checkPrices(genAiPrices);
  return { log, genAiPrices };
}
