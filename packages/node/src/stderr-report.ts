import type { TracewellError } from '@tracewell/plugin';

/** A cause that goes on failing is told again after this time. */
const QUIET_MS = 60_000;

/**
 * Tells the user of the register hook, who has no other place to look, what went wrong: one line on standard
 * error each, and of one kind at most one a minute.
 */
export class StderrReport {
  readonly #quietUntil = new Map<string, number>();
  /** The errors at the bottom of what was told. What they lead to later is no news. */
  readonly #told = new WeakSet<object>();
  /**
   * Whoever reads may be gone. A console, unlike the stream, keeps the error of its own write from ending
   * the application, and leaves those of later writes alone.
   */
  // biome-ignore lint/suspicious/noConsole: the class only, and an import of it would fail in an old Node.js
  readonly #console = new console.Console({ stdout: process.stderr, ignoreErrors: true });

  warn(message: string): void {
    this.#console.log(`tracewell: ${message.replaceAll(/\s*\n\s*/g, ' ')}`);
  }

  /** Tells that something cannot be had, and why; not again what this leads to. */
  failure(what: string, error: unknown): void {
    this.#told.add(rootOf(error));
    this.warn(`${what}: ${error instanceof Error ? error.message : error}`);
  }

  error(error: TracewellError): void {
    const root = rootOf(error);
    if (this.#told.has(root)) return;
    this.#told.add(root);
    // The messages of one cause differ in numbers: of spans, of milliseconds.
    const kind = `${error.code} ${error.message.replaceAll(/\d+/g, '#')}`;
    const now = performance.now();
    if (now < (this.#quietUntil.get(kind) ?? 0)) return;
    if (this.#quietUntil.size >= 100) this.#quietUntil.clear();
    this.#quietUntil.set(kind, now + QUIET_MS);
    this.warn(error.message);
  }
}

/** The error that the others in a chain of causes come from. */
function rootOf(error: unknown): object {
  let root: object = Object(error);
  for (let depth = 0; depth < 16; depth++) {
    const { cause } = root as { readonly cause?: unknown };
    if (typeof cause !== 'object' || cause === null) return root;
    root = cause;
  }
  return root;
}
