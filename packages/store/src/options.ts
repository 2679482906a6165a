import { checkPrices, type GenAiPrices } from './genai/gen-ai.ts';
import { LOG_OPTIONS } from './log/options.ts';
import type { LogOptions } from './log/types.ts';
import { checkSearchOptions } from './search/check.ts';
import type { SearchOptions } from './search/search-index.ts';
import { shown } from './shown.ts';

/** Options of {@link openStore}. The defaults suit an application that records itself. */
export interface StoreOptions extends LogOptions {
  /** What generative models cost, for spans that do not say it themselves. Default: their cost is not known. */
  readonly genAiPrices?: GenAiPrices | undefined;
  /**
   * How many series of metrics there may be in the hot tier, 1 to 10,000,000. Each takes about 400 bytes of memory;
   * a label with an id in it makes one of every request. Points of series beyond it are refused and counted; those of
   * known series are stored. Default 100,000.
   */
  readonly maxSeries?: number | undefined;
  /** What `queryTraces({ text })` searches, and whether this process may build the index for it. */
  readonly search?: SearchOptions | undefined;
}

/** The options by the parts of the store that they are for, with defaults filled in. */
export interface StoreSettings {
  /** Checked by the log. */
  readonly log: LogOptions;
  readonly genAiPrices: GenAiPrices;
  readonly maxSeries: number;
  readonly search: SearchOptions;
}

const OWN_OPTIONS: readonly string[] = ['genAiPrices', 'maxSeries', 'search'] satisfies (keyof Omit<
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
  const { genAiPrices = {}, maxSeries = 100_000, search = {}, ...log } = options;
  checkPrices(genAiPrices);
  checkSearchOptions(search);
  if (!Number.isInteger(maxSeries) || maxSeries < 1 || maxSeries > 10_000_000) {
    throw new RangeError(
      `openStore: maxSeries must be a whole number from 1 to 10000000, got ${shown(maxSeries)}`,
    );
  }
  return { log, genAiPrices, maxSeries, search };
}
