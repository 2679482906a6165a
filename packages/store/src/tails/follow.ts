import { checkFields, wrongType } from '../query/check.ts';
import { shown } from '../shown.ts';
import type { FrameHandler, TailSettings } from './tail.ts';
import type { TailHealth, Tails } from './tails.ts';

/** How a tail is run. */
export interface FollowOptions {
  /**
   * Where a tail begins that nobody has run in this directory before: with the oldest frame that the log still
   * holds, or behind the newest one. Default `'start'`.
   */
  readonly from?: 'start' | 'now';
  /**
   * Bytes of the log that the tail may keep from compaction while it is behind. What falls out of this bound is
   * counted as `missedBytes`. Default 1 GiB.
   */
  readonly retainBytes?: number;
  /** Bytes of frames that are handed over at a time, about; a single frame may be larger. Default 1 MiB. */
  readonly stepBytes?: number;
  /** Milliseconds for which frames are gathered after the first one comes in. Default 0. */
  readonly gatherMs?: number;
  /** Milliseconds before the first retry of a step that failed; twice as many before each further one. Default 500. */
  readonly initialDelayMs?: number;
  /** Milliseconds between two retries at most. Default 30,000. */
  readonly maxDelayMs?: number;
  /** Told of every failure; the tail goes on by itself. Default: nobody, `health().tails` tells of the last. */
  readonly onError?: (error: unknown) => void;
}

/** A tail that runs in this process, or waits to. */
export interface LogTail {
  readonly name: string;

  /**
   * Resolves when everything that the logs of all writers held at the call is handled, here or by the process
   * that runs the tail. Tries again at once after a failure, unless the other side asked to wait.
   *
   * @throws what the handler rejects with; `TracewellError` (`TW_TAIL_STOPPED`) if it is stopped
   */
  flush(): Promise<void>;

  /** How the tail is; `undefined` once it has been removed. */
  health(): TailHealth | undefined;

  /** Stops. What is not handled yet is handed to whoever runs the tail next. Idempotent. */
  stop(): Promise<void>;

  /** As {@link LogTail.stop}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Begins a tail for a caller from outside.
 *
 * @throws TypeError, RangeError naming an argument that is none
 */
export function follow(
  tails: Tails,
  name: string,
  handler: FrameHandler,
  options: FollowOptions = {},
): LogTail {
  if (typeof handler !== 'function') throw wrongType(CALLER, 'handler', 'a function', handler);
  const tail = tails.begin(settingsOf(name, options), handler);
  return {
    name,
    flush: () => tail.flush(),
    health: () => tails.health().find((known) => known.name === name),
    stop: () => tails.end(tail),
    [Symbol.asyncDispose]: () => tails.end(tail),
  };
}

const CALLER = 'follow';
const GIBIBYTE = 1024 ** 3;
const HOUR_MS = 3_600_000;

const FIELDS: ReadonlySet<string> = new Set<keyof FollowOptions>([
  'from',
  'retainBytes',
  'stepBytes',
  'gatherMs',
  'initialDelayMs',
  'maxDelayMs',
  'onError',
]);

function settingsOf(name: string, options: FollowOptions): TailSettings {
  checkFields(CALLER, 'options', options, FIELDS);
  const { from = 'start', onError = () => {} } = options;
  if (from !== 'start' && from !== 'now') {
    throw new RangeError(`${CALLER}: from must be 'start' or 'now', got ${shown(from)}`);
  }
  if (typeof onError !== 'function') throw wrongType(CALLER, 'onError', 'a function', onError);
  const number = (field: keyof FollowOptions, fallback: number, min: number, max: number): number => {
    const value = options[field] ?? fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    throw new RangeError(
      `${CALLER}: ${field} must be a whole number from ${min} to ${max}, got ${shown(value)}`,
    );
  };
  return {
    name,
    from,
    retainBytes: number('retainBytes', GIBIBYTE, 0, Number.MAX_SAFE_INTEGER),
    stepBytes: number('stepBytes', 1024 ** 2, 1, 64 * 1024 ** 2),
    gatherMs: number('gatherMs', 0, 0, HOUR_MS),
    retry: {
      initialDelayMs: number('initialDelayMs', 500, 1, HOUR_MS),
      maxDelayMs: number('maxDelayMs', 30_000, 1, HOUR_MS),
    },
    onError,
  };
}
