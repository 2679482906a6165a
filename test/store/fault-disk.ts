/**
 * A disk that fails the way disks do, on demand and by seed: the main harness for the log.
 *
 * A {@link FaultDisk} is what outlives processes. `boot()` gives a process on it: a `FileSystem`. Contents and
 * names exist twice, as processes see them (the page cache) and as they are on the platter; only a sync carries
 * one to the other. `kill()` ends all processes and keeps the page cache; `cutPower()` keeps what was synced,
 * and of the rest, sector by sector and name by name, whatever the seed says, in no order.
 */
import type { FileLock, FileStat, FileSystem, OpenFile } from '../../packages/store/src/fs/file-system.ts';

/** Seeded numbers from 0 to 1 (mulberry32), so that a failing run can be run again. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** An operation that a fault may be injected into. */
export type Operation =
  | 'open'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'rename'
  | 'unlink'
  | 'syncDirectory';

/**
 * What goes wrong with an operation: nothing, an error, or a write that stops after so many bytes. A failed
 * sync leaves the operating system believing that the pages are clean, as Linux does.
 */
export type Fault = undefined | Error | { readonly shortBytes: number };

const SECTOR = 512;

/** What a process waits for when it is dead. */
const NEVER = new Promise<never>(() => {});

class Contents {
  seen = new Uint8Array(0);
  length = 0;
  platter = new Uint8Array(0);
  /** Sectors written since a sync took them. */
  dirty = new Set<number>();
  lengthDirty = false;
  /** How many syncs have been begun, and by sector the number of the one whose copy is on the platter. */
  syncs = 0;
  syncedLength = 0;
  readonly syncedSectors = new Map<number, number>();

  resize(length: number): void {
    if (length > this.seen.length) {
      const grown = new Uint8Array(Math.max(length, this.seen.length * 2));
      grown.set(this.seen.subarray(0, this.length));
      this.seen = grown;
    }
    if (length < this.length) this.seen.fill(0, length, this.length);
    if (length !== this.length) this.lengthDirty = true;
    this.length = length;
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return;
    this.resize(Math.max(this.length, position + bytes.length));
    this.seen.set(bytes, position);
    const last = Math.floor((position + bytes.length - 1) / SECTOR);
    for (let sector = Math.floor(position / SECTOR); sector <= last; sector++) this.dirty.add(sector);
  }
}

interface Directory {
  readonly names: Map<string, Contents>;
  readonly platter: Map<string, Contents>;
  modifiedMs: number;
}

/** What outlives processes. */
export class FaultDisk {
  readonly random: () => number;
  /** Asked before each operation. */
  fault: (operation: Operation, path: string) => Fault = () => undefined;
  /** Bytes that all files together may have; more fails with ENOSPC after a short write. */
  capacity = Number.POSITIVE_INFINITY;
  /** The largest number of turns of the event loop that an asynchronous operation takes. */
  maxDelay = 3;
  readonly directories = new Map<string, Directory>();
  readonly locks = new Map<string, FaultProcess>();
  processes: FaultProcess[] = [];
  /** Goes on by itself, so that times differ. */
  nowMs = 1_800_000_000_000;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  randomBytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => this.random() * 256);

  /** A process on this disk. */
  boot(): FaultProcess {
    const process = new FaultProcess(this);
    this.processes.push(process);
    return process;
  }

  /** SIGKILL to every process. What they had written is seen by the next ones. */
  kill(): void {
    for (const process of this.processes) process.die();
    this.processes = [];
  }

  /**
   * Power off and on.
   *
   * @param unsynced - what becomes of what was not synced: all of it `lost`, or each sector and each name
   * `shuffled`, kept or lost by itself
   */
  cutPower(unsynced: 'lost' | 'shuffled'): void {
    this.kill();
    const keep = () => unsynced === 'shuffled' && this.random() < 0.5;
    for (const directory of this.directories.values()) {
      for (const name of new Set([...directory.names.keys(), ...directory.platter.keys()])) {
        const seen = directory.names.get(name);
        const kept = directory.platter.get(name);
        if (seen === kept || keep()) continue;
        if (kept === undefined) directory.names.delete(name);
        else directory.names.set(name, kept);
      }
      directory.platter.clear();
      for (const [name, contents] of directory.names) directory.platter.set(name, contents);
    }
    const all = new Set([...this.directories.values()].flatMap(({ names }) => [...names.values()]));
    for (const contents of all) {
      const length = !contents.lengthDirty || keep() ? contents.length : contents.platter.length;
      const bytes = new Uint8Array(length);
      bytes.set(contents.platter.subarray(0, length));
      for (const sector of contents.dirty) {
        if (!keep()) continue;
        const from = sector * SECTOR;
        const to = Math.min(from + SECTOR, length, contents.length);
        if (from < to) bytes.set(contents.seen.subarray(from, to), from);
      }
      contents.seen = bytes.slice();
      contents.length = length;
      contents.platter = bytes;
      contents.dirty.clear();
      contents.lengthDirty = false;
    }
  }

  /** The names of all files. */
  files(): string[] {
    return [...this.directories].flatMap(([path, { names }]) =>
      [...names.keys()].map((name) => `${path}/${name}`),
    );
  }

  /** A copy of what a file holds. */
  read(path: string): Uint8Array {
    const contents = this.find(path)!;
    return contents.seen.slice(0, contents.length);
  }

  /** Changes a file behind everybody's back, on the platter too. */
  change(path: string, edit: (bytes: Uint8Array) => Uint8Array): void {
    const contents = this.find(path)!;
    const edited = edit(this.read(path));
    contents.seen = edited.slice();
    contents.length = edited.length;
    contents.platter = edited.slice();
    contents.dirty.clear();
    contents.lengthDirty = false;
  }

  /** Puts a file there, or takes it away. */
  put(path: string, bytes: Uint8Array | undefined): void {
    const [directory, name] = split(path);
    const { names, platter } = this.directories.get(directory)!;
    if (bytes === undefined) {
      names.delete(name);
      platter.delete(name);
    } else {
      const contents = new Contents();
      names.set(name, contents);
      platter.set(name, contents);
      this.change(path, () => bytes);
    }
  }

  used(): number {
    let bytes = 0;
    for (const { names } of this.directories.values())
      for (const file of names.values()) bytes += file.length;
    return bytes;
  }

  find(path: string): Contents | undefined {
    const [directory, name] = split(path);
    return this.directories.get(directory)?.names.get(name);
  }
}

/** A file system error as Node.js makes them. */
export function fileError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

/** One process: after `die` nothing that it has begun has any further effect or result. */
export class FaultProcess implements FileSystem {
  readonly #disk: FaultDisk;
  dead = false;

  constructor(disk: FaultDisk) {
    this.#disk = disk;
  }

  die(): void {
    this.dead = true;
    for (const [path, holder] of this.#disk.locks) if (holder === this) this.#disk.locks.delete(path);
  }

  openSync(path: string, mode: 'read' | 'write' | 'create'): OpenFile {
    this.#meet('open', path);
    const disk = this.#disk;
    const [directoryPath, name] = split(path);
    const directory = disk.directories.get(directoryPath);
    let contents = directory?.names.get(name);
    if (mode === 'create') {
      if (contents !== undefined) throw fileError('EEXIST');
      if (directory === undefined) throw fileError('ENOENT');
      if (disk.used() >= disk.capacity) throw fileError('ENOSPC');
      contents = new Contents();
      directory.names.set(name, contents);
      directory.modifiedMs = ++disk.nowMs;
    }
    if (contents === undefined) throw fileError('ENOENT');
    return new FaultFile(disk, this, path, contents);
  }

  statSync(path: string): FileStat | undefined {
    const directory = this.#disk.directories.get(path);
    if (directory) return { size: 0, modifiedMs: directory.modifiedMs };
    const contents = this.#disk.find(path);
    return contents && { size: contents.length, modifiedMs: 0 };
  }

  listSync(path: string): string[] {
    const inside = [...this.#disk.directories.keys()].filter((name) => split(name)[0] === path);
    const files = [...(this.#disk.directories.get(path)?.names.keys() ?? [])];
    return [...inside.map((name) => split(name)[1]), ...files].sort();
  }

  makeDirectorySync(path: string): void {
    if (this.#disk.directories.has(path)) return;
    // Directories are durable at once: what of them gets lost is what is in them.
    this.#disk.directories.set(path, {
      names: new Map(),
      platter: new Map(),
      modifiedMs: ++this.#disk.nowMs,
    });
    const parent = this.#disk.directories.get(split(path)[0]);
    if (parent) parent.modifiedMs = ++this.#disk.nowMs;
  }

  renameSync(from: string, to: string): void {
    this.#meet('rename', from);
    const [directoryPath, name] = split(from);
    const directory = this.#disk.directories.get(directoryPath)!;
    const contents = directory.names.get(name);
    if (contents === undefined) throw fileError('ENOENT');
    directory.names.delete(name);
    directory.names.set(split(to)[1], contents);
    directory.modifiedMs = ++this.#disk.nowMs;
  }

  unlinkSync(path: string): void {
    this.#meet('unlink', path);
    const [directoryPath, name] = split(path);
    const directory = this.#disk.directories.get(directoryPath)!;
    if (!directory.names.delete(name)) throw fileError('ENOENT');
    directory.modifiedMs = ++this.#disk.nowMs;
  }

  async syncDirectory(path: string): Promise<void> {
    await this.delay();
    if (this.dead) await NEVER;
    this.syncDirectorySync(path);
  }

  syncDirectorySync(path: string): void {
    this.#meet('syncDirectory', path);
    const directory = this.#disk.directories.get(path);
    if (directory === undefined) return;
    directory.platter.clear();
    for (const [name, contents] of directory.names) directory.platter.set(name, contents);
  }

  tryLock(path: string): FileLock | undefined {
    const { locks } = this.#disk;
    if (locks.has(path)) return undefined;
    locks.set(path, this);
    return {
      release: () => {
        if (locks.get(path) === this) locks.delete(path);
      },
    };
  }

  isLocked(path: string): boolean {
    return this.#disk.locks.has(path);
  }

  /** Throws what the fault says; returns how many bytes a write may take. */
  #meet(operation: Operation, path: string): number {
    if (this.dead) throw new Error('this process is dead');
    const fault = this.#disk.fault(operation, path);
    if (fault instanceof Error) throw fault;
    return fault?.shortBytes ?? Number.POSITIVE_INFINITY;
  }

  /** As {@link #meet}, for the process's files. */
  meet(operation: Operation, path: string): number {
    return this.#meet(operation, path);
  }

  /** Some turns of the event loop; for ever if the process dies meanwhile. */
  async delay(): Promise<void> {
    for (let turns = Math.floor(this.#disk.random() * (this.#disk.maxDelay + 1)); turns > 0; turns--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (this.dead) await NEVER;
  }
}

class FaultFile implements OpenFile {
  readonly #disk: FaultDisk;
  readonly #process: FaultProcess;
  readonly #path: string;
  readonly #contents: Contents;
  #closed = false;

  constructor(disk: FaultDisk, process: FaultProcess, path: string, contents: Contents) {
    this.#disk = disk;
    this.#process = process;
    this.#path = path;
    this.#contents = contents;
  }

  readSync(target: Uint8Array, position: number): number {
    this.#meet('read');
    const { seen, length } = this.#contents;
    const count = Math.max(0, Math.min(target.length, length - position));
    target.set(seen.subarray(position, position + count));
    return count;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    await this.#process.delay();
    return this.readSync(target, position);
  }

  async write(pieces: readonly Uint8Array[], position: number): Promise<number> {
    if (this.#process.dead) await NEVER;
    // A part of it is written before the delay and the rest after, so that a process can die in between.
    const bytes = joined(pieces);
    const early = Math.floor(this.#disk.random() * this.#disk.random() * bytes.length);
    const before = this.#write(bytes.subarray(0, early), position);
    if (before < early) return before;
    await this.#process.delay();
    if (this.#process.dead) await NEVER;
    return early + this.#write(bytes.subarray(early), position + early);
  }

  writeSync(pieces: readonly Uint8Array[], position: number): number {
    return this.#write(joined(pieces), position);
  }

  #write(bytes: Uint8Array, position: number): number {
    const short = bytes.length === 0 ? 0 : this.#meet('write');
    const growth = Math.max(0, position + bytes.length - this.#contents.length);
    const room =
      bytes.length - growth + Math.max(0, Math.min(growth, this.#disk.capacity - this.#disk.used()));
    const count = Math.min(bytes.length, short, room);
    if (count === 0 && bytes.length > 0) throw fileError('ENOSPC');
    this.#contents.write(bytes.subarray(0, count), position);
    return count;
  }

  async sync(): Promise<void> {
    if (this.#process.dead) await NEVER;
    this.#open();
    // What is written from now on is not covered.
    const take = this.#take();
    await this.#process.delay();
    if (this.#process.dead) await NEVER;
    this.#meet('sync');
    take();
  }

  syncSync(): void {
    const take = this.#take();
    this.#meet('sync');
    take();
  }

  /** Takes the dirty sectors: they count as clean, whether or not what is returned brings them to the platter. */
  #take(): () => void {
    const contents = this.#contents;
    const { length } = contents;
    const number = ++contents.syncs;
    const sectors = [...contents.dirty].map((sector) => ({
      sector,
      bytes: contents.seen.slice(sector * SECTOR, Math.min((sector + 1) * SECTOR, length)),
    }));
    contents.dirty.clear();
    // A sync that was begun earlier and ends later brings back nothing that is older.
    return () => {
      if (number > contents.syncedLength) {
        const platter = new Uint8Array(length);
        platter.set(contents.platter.subarray(0, length));
        contents.platter = platter;
        contents.syncedLength = number;
        contents.lengthDirty = contents.length !== length;
      }
      for (const { sector, bytes } of sectors) {
        const from = sector * SECTOR;
        if ((contents.syncedSectors.get(sector) ?? 0) > number || from >= contents.platter.length) continue;
        contents.syncedSectors.set(sector, number);
        contents.platter.set(bytes.subarray(0, contents.platter.length - from), from);
      }
    };
  }

  truncateSync(length: number): void {
    this.#meet('truncate');
    this.#contents.resize(length);
  }

  sizeSync(): number {
    this.#open();
    return this.#contents.length;
  }

  closeSync(): void {
    this.#closed = true;
  }

  #open(): void {
    if (this.#closed) throw fileError('EBADF');
  }

  #meet(operation: Operation): number {
    this.#open();
    return this.#process.meet(operation, this.#path);
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}

function split(path: string): [string, string] {
  const slash = path.lastIndexOf('/');
  return [path.slice(0, slash) || '/', path.slice(slash + 1)];
}
