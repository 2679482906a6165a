/**
 * Large payloads, each stored once under the name of its contents:
 *
 * ```
 * blobs/<aa>/<bb>/<sha256>   where aa and bb are the first four of its 64 hex digits
 *
 * byte 0  u32  magic "TWBL"
 *      4  u32  version: 1
 *      8  u64  length of the contents
 *     16       the contents, as one zstd frame (RFC 8878)
 * ```
 *
 * A blob is written under another name, synced and renamed, so it is there whole or not at all, and what is read
 * is compared with its name. Nothing counts how often a blob is named: `collect` is told which names live.
 *
 * **A blob that was stored for a row that is not visible yet must survive a collection** (F28). So nothing is
 * collected that was stored lately, and who stores a blob again that is there already makes it new again, unless
 * it is. It does not matter which thread or process stores and which collects.
 */
import { createHash, randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { TracewellError } from '@tracewell/plugin';
import { type FileSystem, writeAllSync } from '../fs/file-system.ts';
import { nextTurn, turnIsOver } from '../query/turn.ts';
import { shown } from '../shown.ts';

/** For how long after it was stored a blob is safe although nothing names it: an hour. */
export const GRACE_MS = 3_600_000;

/** The largest contents: what a frame of the log can hold. 16 MiB. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAGIC = 0x4c425754;
const VERSION = 1;
const HEADER_BYTES = 16;
const NAME = /^[0-9a-f]{64}$/;
const TEMPORARY = /^[0-9a-f]{64}\.[0-9a-f]{16}\.tmp$/;

/** How long payloads are kept, and how much of them, if not for as long as the rows that name them. */
export interface BlobLimits {
  /** Payloads that were last stored longer ago go. Default: none do. */
  readonly maxAgeMs?: number | undefined;
  /** When the files together are larger, the oldest payloads go. Default: none do. */
  readonly maxBytes?: number | undefined;
}

/** What a collection of payloads did, or would do. */
export interface CollectedBlobs {
  /** Payloads that no row names any more, and that are gone. */
  readonly unnamed: number;
  /** Payloads that went before their rows did, by their own age or size. */
  readonly dropped: number;
  /** Bytes of the files of both. */
  readonly freedBytes: number;
  /** Payloads that are there. */
  readonly kept: number;
  /** Bytes of their files. */
  readonly keptBytes: number;
}

/** A blob in the directory. */
export interface StoredBlob {
  readonly name: string;
  /** Of its file. */
  readonly bytes: number;
  /** When it was last stored, in milliseconds since the Unix epoch. */
  readonly modifiedMs: number;
}

/** The name of a blob with these contents. */
export function blobName(contents: Uint8Array): string {
  return createHash('sha256').update(contents).digest('hex');
}

/** The blobs of a directory. */
export class BlobStore {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #now: () => number;
  /** Directories with names that are not durable yet. */
  readonly #unsynced = new Set<string>();

  /**
   * @param directory - of the store
   * @param now - milliseconds since the Unix epoch
   */
  constructor(fs: FileSystem, directory: string, now: () => number = Date.now) {
    this.#fs = fs;
    this.#directory = join(directory, 'blobs');
    this.#now = now;
  }

  /**
   * Stores contents, unless they are there. Durable after the next {@link BlobStore.flush}. It waits for the disk,
   * as whoever compacts does in a thread of its own.
   *
   * @returns their name
   * @throws RangeError if there are more than 16 MiB
   */
  put(contents: Uint8Array): string {
    if (contents.length > MAX_BYTES) {
      throw new RangeError(
        `A blob of ${contents.length} bytes is larger than the ${MAX_BYTES} that are allowed`,
      );
    }
    const name = blobName(contents);
    const path = this.#path(name);
    const directory = dirname(path);
    // Also of one that is there: who stored it may have died before it was durable.
    for (const each of [directory, dirname(directory), this.#directory, dirname(this.#directory)]) {
      this.#unsynced.add(each);
    }
    const stat = this.#fs.statSync(path);
    if (stat !== undefined && this.#now() - stat.modifiedMs < GRACE_MS / 2) return name;

    this.#makeDirectories(directory);
    const temporary = `${path}.${randomBytes(8).toString('hex')}.tmp`;
    const file = this.#fs.openSync(temporary, 'create');
    try {
      writeAllSync(file, [header(contents.length), zstdCompressSync(contents)], 0);
      file.syncSync();
      file.closeSync();
      this.#fs.renameSync(temporary, path);
    } catch (error) {
      file.closeSync();
      this.#fs.unlinkSync(temporary);
      throw error;
    }
    return name;
  }

  /** Makes the names of what was stored durable. */
  flush(): void {
    for (const directory of this.#unsynced) this.#fs.syncDirectorySync(directory);
    this.#unsynced.clear();
  }

  /** Whether there is a blob of that name. @throws RangeError if it is no name of a blob */
  has(name: string): boolean {
    return this.#fs.statSync(this.#path(name)) !== undefined;
  }

  /**
   * Fetches contents by their name.
   *
   * @throws RangeError if it is no name of a blob
   * @throws TracewellError (`TW_BLOB_MISSING`, `TW_BLOB_DAMAGED`)
   */
  get(name: string): Uint8Array {
    const path = this.#path(name);
    const stored = this.#read(path, name);
    const view = new DataView(stored.buffer, stored.byteOffset, stored.length);
    const length = stored.length < HEADER_BYTES ? -1 : Number(view.getBigUint64(8, true));
    if (length < 0 || length > MAX_BYTES || view.getUint32(0, true) !== MAGIC) throw damaged(path);
    if (view.getUint32(4, true) !== VERSION) {
      throw new TracewellError('TW_BLOB_DAMAGED', `${path} was written by a newer version; update this one`);
    }
    let contents: Uint8Array;
    try {
      const buffer = zstdDecompressSync(stored.subarray(HEADER_BYTES), {
        maxOutputLength: Math.max(1, length),
      });
      contents = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
    } catch (error) {
      throw damaged(path, error);
    }
    if (contents.length !== length || blobName(contents) !== name) {
      throw damaged(path);
    }
    return contents;
  }

  /** All blobs. */
  *list(): Generator<StoredBlob> {
    for (const { path, name, directory } of this.#files()) {
      if (!NAME.test(name) || this.#path(name) !== path) continue;
      const stat = this.#fs.statSync(join(directory, name));
      if (stat !== undefined) yield { name, bytes: stat.size, modifiedMs: stat.modifiedMs };
    }
  }

  /**
   * Removes what nothing names, what the limits say, and what was left half written; nothing that was stored within
   * the last hour.
   *
   * @param isNamed - whether anything that lives names a blob
   * @param dryRun - whether to only say what would go
   */
  async collect(
    isNamed: (name: string) => boolean,
    { maxAgeMs = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY }: BlobLimits = {},
    dryRun = false,
  ): Promise<CollectedBlobs> {
    const now = this.#now();
    const kept: StoredBlob[] = [];
    let [unnamed, dropped, freedBytes, keptBytes] = [0, 0, 0, 0];
    const remove = async ({ name, bytes }: StoredBlob): Promise<void> => {
      if (!dryRun) this.#fs.unlinkSync(this.#path(name));
      freedBytes += bytes;
      if (turnIsOver()) await nextTurn();
    };
    for (const blob of this.list()) {
      if (turnIsOver()) await nextTurn();
      if (blob.modifiedMs > now - GRACE_MS || isNamed(blob.name)) {
        kept.push(blob);
        keptBytes += blob.bytes;
      } else {
        unnamed++;
        await remove(blob);
      }
    }
    kept.sort((a, b) => a.modifiedMs - b.modifiedMs);
    for (const blob of kept) {
      if (blob.modifiedMs > now - GRACE_MS) break;
      if (blob.modifiedMs >= now - maxAgeMs && keptBytes <= maxBytes) break;
      keptBytes -= blob.bytes;
      dropped++;
      await remove(blob);
    }
    if (!dryRun) this.#removeLeftovers(now - GRACE_MS);
    return { unnamed, dropped, freedBytes, kept: kept.length - dropped, keptBytes };
  }

  #removeLeftovers(before: number): void {
    for (const { path, name } of this.#files()) {
      if (!TEMPORARY.test(name)) continue;
      const stat = this.#fs.statSync(path);
      if (stat !== undefined && stat.modifiedMs <= before) this.#fs.unlinkSync(path);
    }
  }

  *#files(): Generator<{ path: string; name: string; directory: string }> {
    for (const first of this.#fs.listSync(this.#directory)) {
      for (const second of this.#fs.listSync(join(this.#directory, first))) {
        const directory = join(this.#directory, first, second);
        for (const name of this.#fs.listSync(directory))
          yield { path: join(directory, name), name, directory };
      }
    }
  }

  #read(path: string, name: string): Uint8Array {
    try {
      const file = this.#fs.openSync(path, 'read');
      try {
        const size = file.sizeSync();
        // Compressed, so hardly ever longer than the contents; a foreign file costs no large allocation.
        if (size > MAX_BYTES * 2) throw damaged(path);
        const stored = new Uint8Array(size);
        return stored.subarray(0, file.readSync(stored, 0));
      } finally {
        file.closeSync();
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw new TracewellError(
        'TW_BLOB_MISSING',
        `there is no blob ${name} in ${this.#directory}; retention may have dropped it, or the directory was copied without it`,
        { cause: error },
      );
    }
  }

  #makeDirectories(path: string): void {
    if (this.#fs.statSync(path) !== undefined) return;
    this.#makeDirectories(dirname(path));
    this.#fs.makeDirectorySync(path);
  }

  /** A name is checked before it becomes a path (F46). */
  #path(name: string): string {
    if (typeof name !== 'string' || !NAME.test(name)) {
      throw new RangeError(`A blob's name must be 64 lower-case hex digits, got ${shown(name)}`);
    }
    return join(this.#directory, name.slice(0, 2), name.slice(2, 4), name);
  }
}

function header(length: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, VERSION, true);
  view.setBigUint64(8, BigInt(length), true);
  return bytes;
}

function damaged(path: string, cause?: unknown): TracewellError {
  return new TracewellError(
    'TW_BLOB_DAMAGED',
    `${path} does not hold what its name says; restore it from a copy of the directory, and check the disk`,
    cause === undefined ? undefined : { cause },
  );
}
