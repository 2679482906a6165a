import { checkFields, wrongType } from '../query/check.ts';
import type { CompactionProgress } from './compactor.ts';

/** What `compact` takes. */
export interface CompactOptions {
  /** Told of each step. What it throws is ignored. */
  readonly onProgress?: ((progress: CompactionProgress) => void) | undefined;
  /** Ends the compaction after the segment that is being moved; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What `maintain` takes. */
export interface MaintainOptions {
  /** Whether to only say what would be done. Default `false`. */
  readonly dryRun?: boolean | undefined;
}

const COMPACT_FIELDS: ReadonlySet<string> = new Set<keyof CompactOptions>(['onProgress', 'signal']);
const MAINTAIN_FIELDS: ReadonlySet<string> = new Set<keyof MaintainOptions>(['dryRun']);

/** @throws TypeError naming the field */
export function checkCompactOptions(options: CompactOptions): CompactOptions {
  checkFields('compact', 'options', options, COMPACT_FIELDS);
  const { onProgress, signal } = options;
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw wrongType('compact', 'onProgress', 'a function', onProgress);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw wrongType('compact', 'signal', 'an AbortSignal', signal);
  }
  return options;
}

/** @throws TypeError naming the field */
export function checkMaintainOptions(options: MaintainOptions): MaintainOptions {
  checkFields('maintain', 'options', options, MAINTAIN_FIELDS);
  const { dryRun } = options;
  if (dryRun !== undefined && typeof dryRun !== 'boolean') {
    throw wrongType('maintain', 'dryRun', 'true or false', dryRun);
  }
  return options;
}
