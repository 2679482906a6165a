import { resolve } from 'node:path';
import type { HotTier } from '../hot/hot-tier.ts';
import type { Snapshot } from '../query/snapshot.ts';
import type { LogFrame } from '../tails/follower.ts';
import type { Position } from '../tails/position.ts';
import { BeginAgain, type Tail } from '../tails/tail.ts';
import type { Tails } from '../tails/tails.ts';
import { type ColdTexts, coldTexts } from './cold-texts.ts';
import type { SearchHit, SearchRequest } from './search-db.ts';
import { SearchDamagedError, SearchThread } from './search-thread.ts';
import { SEARCH_ATTRIBUTES, TextPicker } from './texts.ts';

/** What is searched, and who builds the index. */
export interface SearchOptions {
  /**
   * Keys of attributes of spans, events and log records whose texts are searched; a star at the end stands for any
   * rest. To be the same in every process that opens the directory: the index is built anew when they change.
   * Default: exceptions, database statements, URLs, prompts and completions by OpenTelemetry's names for them.
   */
  readonly attributes?: readonly string[];
  /**
   * Whether this process may be the one that builds the index, in a thread of its own. One of all that have the
   * directory open does. Default `true`.
   */
  readonly index?: boolean;
}

/** What the index lacked when it was asked, so that what is in there was not found. */
export interface SearchLag {
  /** Bytes of the log. */
  readonly logBytes: number;
  /** Files of the cold tier, while the index is built anew. */
  readonly coldFiles: number;
}

/** Bytes of frames that are indexed in one transaction. */
const STEP_BYTES = 4 * 1024 ** 2;
/** For how long frames are gathered, so that a busy store is not indexed span by span. */
const GATHER_MS = 250;
/**
 * Programs that live shorter than this need no index of what they store, and no thread for it: some 30 MB and, at
 * 1,000 spans a second, 2 % of a core. A query begins it at once.
 */
const START_MS = 10_000;
/** How long a query waits for what was stored before it to be indexed. */
const CATCH_UP_MS = 2000;
/** How often the files of the cold tier are listed anew, because one went while they were being entered. */
const MAX_ROUNDS = 10;
/** How often records are looked for that the store has no more. */
const FORGET_MS = 3_600_000;
/** Bytes of the log that the index may keep from compaction while nobody builds it. */
const RETAIN_BYTES = 256 * 1024 ** 2;

/** The full-text index of a directory, as one process sees it: a tail that builds it, and threads. */
export class SearchIndex {
  readonly picker: TextPicker;
  readonly #attributes: readonly string[];
  readonly #tails: Tails;
  readonly #indexer: SearchThread;
  readonly #reader: SearchThread;
  readonly #mayIndex: boolean;
  readonly #cold: ColdTexts;
  #tail: Tail | undefined;
  /** The files of the cold tier that are still to be entered. */
  #filling: { files: string[] } = { files: [] };
  #timer: NodeJS.Timeout | undefined;
  #forgetting: NodeJS.Timeout | undefined;

  /**
   * @param snapshot - what is visible now
   * @param hot - the hot tier
   * @param mayIndex - whether the store may be written to
   */
  constructor(
    directory: string,
    tails: Tails,
    snapshot: () => Snapshot,
    hot: Pick<HotTier, 'spans' | 'logs'>,
    options: SearchOptions,
    mayIndex: boolean,
  ) {
    this.#attributes = options.attributes ?? SEARCH_ATTRIBUTES;
    this.picker = new TextPicker(this.#attributes);
    this.#cold = coldTexts(snapshot, hot, this.picker);
    this.#tails = tails;
    this.#indexer = new SearchThread(resolve(directory));
    this.#reader = new SearchThread(resolve(directory));
    this.#mayIndex = mayIndex && options.index !== false;
    if (!this.#mayIndex) return;
    this.#timer = setTimeout(() => this.#begin(), START_MS);
    this.#timer.unref();
  }

  /**
   * Waits, for two seconds at most, until what was stored before the call can be found.
   *
   * @returns what is not indexed yet; `undefined` if everything is
   */
  async caughtUp(): Promise<SearchLag | undefined> {
    const tail = this.#begin();
    if (tail !== undefined) {
      const { promise: late, resolve: giveUp } = Promise.withResolvers<void>();
      const timer = setTimeout(giveUp, CATCH_UP_MS);
      // Why it is late, health tells.
      await Promise.race([tail.flush().catch(() => {}), late]);
      clearTimeout(timer);
    }
    const logBytes = this.#tails.lagBytes(NAME);
    const coldFiles = this.#filling.files.length;
    return logBytes === 0 && coldFiles === 0 ? undefined : { logBytes, coldFiles };
  }

  /**
   * Searches.
   *
   * @throws `TracewellError` (`TW_SEARCH_FAILED`), as a rejection
   */
  async find(request: SearchRequest): Promise<readonly SearchHit[]> {
    return this.#reader.call('find', request);
  }

  /** Ends the threads. To be called after the tails were stopped. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    clearInterval(this.#forgetting);
    await Promise.all([this.#indexer.close(), this.#reader.close()]);
  }

  /** Forgets what retention has dropped: now, and every hour. */
  #forgetNowAndThen(): void {
    const forget = async (): Promise<void> => {
      const oldest = { span: this.#cold.oldest('span'), log: this.#cold.oldest('log') };
      while (!this.#tails.stopped && (await this.#indexer.call('forget', oldest)));
    };
    clearInterval(this.#forgetting);
    // What fails is done the next time.
    const forgetQuietly = (): void => void forget().catch(() => {});
    this.#forgetting = setInterval(forgetQuietly, FORGET_MS);
    this.#forgetting.unref();
    forgetQuietly();
  }

  /** Enters what a new index lacks, in the background: the files of the cold tier, the newest first. */
  #enterFiles(missing: readonly string[]): void {
    const filling = { files: [...missing] };
    this.#filling = filling;
    const fill = async (): Promise<void> => {
      for (let rounds = 0; filling.files.length > 0 && rounds < MAX_ROUNDS; ) {
        const records = this.#cold.recordsOf(filling.files[0]!);
        if (records === undefined) {
          // Merged with others: what of it is in which file, nobody knows.
          filling.files = this.#cold.files();
          rounds++;
        } else {
          for await (const piece of records) {
            if (this.#filling !== filling || this.#tails.stopped) return;
            await this.#indexer.call('enter', piece);
          }
          filling.files.shift();
        }
        await this.#indexer.call('setMissingFiles', filling.files);
      }
    };
    // What failed is tried again when the index is opened the next time; `caughtUp` tells that it is not whole.
    fill().catch(() => {});
  }

  /** Begins the tail that builds the index, if this process may and can. */
  #begin(): Tail | undefined {
    clearTimeout(this.#timer);
    if (!this.#mayIndex || this.#tail !== undefined || this.#tails.stopped) return this.#tail;
    try {
      this.#tail = this.#beginTail();
    } catch {
      // The directory is gone, or full. The next search tries again.
    }
    return this.#tail;
  }

  #beginTail(): Tail {
    return this.#tails.begin(
      {
        name: NAME,
        from: async () => {
          const { positions, missingFiles } = await this.#indexer.call(
            'open',
            this.#attributes,
            this.#cold.files(),
          );
          this.#enterFiles(missingFiles);
          this.#forgetNowAndThen();
          return positions;
        },
        retainBytes: RETAIN_BYTES,
        stepBytes: STEP_BYTES,
        gatherMs: GATHER_MS,
        retry: { initialDelayMs: 1000, maxDelayMs: 30_000 },
        onError: () => {},
      },
      (frames, signal, positions) => this.#index(frames, signal, positions),
    );
  }

  async #index(
    frames: readonly LogFrame[],
    signal: AbortSignal,
    positions: readonly Position[],
  ): Promise<void> {
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      const indexed = frames.map(({ content, payload }) => ({ content, payload }));
      await Promise.race([this.#indexer.call('index', indexed, positions), aborted]);
    } catch (error) {
      throw error instanceof SearchDamagedError ? new BeginAgain() : error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}

/** The name of the tail. */
const NAME = 'search';
