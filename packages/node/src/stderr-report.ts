import type { TracewellError } from '@tracewell/plugin';

/** A cause that goes on failing is told again after this time. */
const QUIET_MS = 60_000;

/**
 * Tells the user of the register hook, who has no other place to look, what went wrong: one line on standard
 * error each, and of one kind at most one a minute.
 */
export class StderrReport {
  readonly #quietUntil = new Map<string, number>();

  warn(message: string): void {
    process.stderr.write(`tracewell: ${message.replaceAll(/\s*\n\s*/g, ' ')}\n`);
  }

  error(error: TracewellError): void {
    // The messages of one cause differ in numbers: of spans, of milliseconds.
    const kind = `${error.code} ${error.message.replaceAll(/\d+/g, '#')}`;
    const now = performance.now();
    if (now < (this.#quietUntil.get(kind) ?? 0)) return;
    if (this.#quietUntil.size >= 100) this.#quietUntil.clear();
    this.#quietUntil.set(kind, now + QUIET_MS);
    this.warn(error.message);
  }
}
