import type { FileSystem } from '../fs/file-system.ts';

/** A directory that changed this recently may change again within the resolution of its time. */
const SETTLED_MS = 1000;

/** The names in a directory, listed again only when it has changed. */
export class DirectoryNames {
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #now: () => number;
  #listedMs = 0;
  #modifiedMs = Number.NaN;

  /** @param now - milliseconds since the Unix epoch */
  constructor(fs: FileSystem, path: string, now: () => number) {
    this.#fs = fs;
    this.#path = path;
    this.#now = now;
  }

  /** Lists the directory; `undefined` if it has not changed since the last time. */
  changed(): string[] | undefined {
    const listedMs = this.#now();
    const stat = this.#fs.statSync(this.#path);
    if (stat?.modifiedMs === this.#modifiedMs && this.#listedMs - this.#modifiedMs > SETTLED_MS)
      return undefined;
    this.forget();
    const names = this.#fs.listSync(this.#path);
    this.#listedMs = listedMs;
    this.#modifiedMs = stat?.modifiedMs ?? Number.NaN;
    return names;
  }

  /** The next call lists the directory, whatever its time says. */
  forget(): void {
    this.#modifiedMs = Number.NaN;
  }
}
