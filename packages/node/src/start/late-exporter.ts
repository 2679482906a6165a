import { type BatchExporter, ExportError } from '@tracewell/plugin';

/**
 * An exporter that is there before what it exports to: batches wait until that is open. The queue of the
 * plugin around it holds what is recorded meanwhile, within its bound.
 *
 * @param open - called at once, for what is not open when the process exits cannot deliver; rejects if there
 * will never be anything, and then every batch is refused for good
 */
export function lateExporter(name: string, open: () => Promise<BatchExporter>): BatchExporter {
  return new LateExporter(name, open);
}

class LateExporter implements BatchExporter {
  readonly name: string;
  readonly #opening: Promise<BatchExporter>;
  /** What was opened, once it is there. */
  #opened: BatchExporter | undefined;
  /** Why there will never be anything. */
  #failure: ExportError | undefined;

  constructor(name: string, open: () => Promise<BatchExporter>) {
    this.name = name;
    this.#opening = this.#open(open);
    this.#opening.catch(() => {}); // told by every export
  }

  async export(...batch: Parameters<BatchExporter['export']>): Promise<void> {
    return (this.#opened ?? (await this.#opening)).export(...batch);
  }

  exportSync(...batch: Parameters<NonNullable<BatchExporter['exportSync']>>): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#opened?.exportSync === undefined) {
      const why =
        this.#opened === undefined ? 'the process ended before it was open' : 'it has no exportSync';
      throw new ExportError(`${this.name}: ${why}`, { retryable: false });
    }
    this.#opened.exportSync(...batch);
  }

  async flush(): Promise<void> {
    await this.#opened?.flush?.();
  }

  async shutdown(): Promise<void> {
    await this.#opened?.shutdown?.();
  }

  async #open(open: () => Promise<BatchExporter>): Promise<BatchExporter> {
    try {
      this.#opened = await open();
      return this.#opened;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      this.#failure = new ExportError(`${this.name}: could not be opened: ${why}`, {
        retryable: false,
        cause,
      });
      throw this.#failure;
    }
  }
}
