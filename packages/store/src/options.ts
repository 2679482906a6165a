import { checkPrices, type GenAiPrices } from './genai/gen-ai.ts';
import { LOG_OPTIONS } from './log/options.ts';
import type { LogOptions } from './log/types.ts';
import {
  type MaintenanceOptions,
  type MaintenanceSettings,
  maintenanceSettings,
} from './maintenance/options.ts';
import { checkReplicationOptions } from './replication/check.ts';
import type { ReplicationOptions } from './replication/leader.ts';
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
  /** The standbys that the log is shipped to, and how many of them an insert waits for. Default: none. */
  readonly replication?: ReplicationOptions | undefined;
  /**
   * Whether this is a standby: it takes what a leader ships (`applyFramedWal`), answers queries, and refuses inserts
   * until it is promoted and opened again. A new directory, an earlier standby, or a copy of the leader's directory.
   * Default `false`.
   */
  readonly standby?: boolean | undefined;
  /** When rows go to the cold tier, and when they go for good. */
  readonly maintenance?: MaintenanceOptions | undefined;
}

/** The options by the parts of the store that they are for, with defaults filled in. */
export interface StoreSettings {
  /** Checked by the log. */
  readonly log: LogOptions;
  readonly genAiPrices: GenAiPrices;
  readonly maxSeries: number;
  readonly search: SearchOptions;
  readonly replication: ReplicationOptions | undefined;
  readonly standby: boolean;
  readonly maintenance: MaintenanceSettings;
}

const OWN_OPTIONS: readonly string[] = [
  'genAiPrices',
  'maxSeries',
  'search',
  'replication',
  'standby',
  'maintenance',
] satisfies (keyof Omit<StoreOptions, keyof LogOptions>)[];

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
  const {
    genAiPrices = {},
    maxSeries = 100_000,
    search = {},
    replication,
    standby = false,
    maintenance = {},
    ...log
  } = options;
  checkPrices(genAiPrices);
  checkSearchOptions(search);
  checkRoles(options);
  if (!Number.isInteger(maxSeries) || maxSeries < 1 || maxSeries > 10_000_000) {
    throw new RangeError(
      `openStore: maxSeries must be a whole number from 1 to 10000000, got ${shown(maxSeries)}`,
    );
  }
  // A standby's own log would be none of the leader's.
  const ownLog = standby ? { ...log, readOnly: true } : log;
  return {
    log: ownLog,
    genAiPrices,
    maxSeries,
    search,
    replication,
    standby,
    maintenance: maintenanceSettings(maintenance),
  };
}

function checkRoles({ replication, standby, readOnly }: StoreOptions): void {
  if (standby !== undefined && typeof standby !== 'boolean') {
    throw new TypeError(`openStore: standby must be true or false, got ${shown(standby)}`);
  }
  if (replication === undefined) return;
  checkReplicationOptions(replication);
  if (standby || readOnly) {
    throw new TypeError(
      'openStore: a store that is a standby or only read has no log of its own to replicate',
    );
  }
}
