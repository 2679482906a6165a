import { type BatchExporter, ExportError } from '@tracewell/plugin';

/**
 * An exporter that is there before what it exports to: batches wait until that is open. The queue of the
 * plugin around it holds what is recorded meanwhile, within its bound.
 *
 * @param open - called at the first batch; rejects if there will never be anything, and then every batch is
 * refused for good
 */
export function lateExporter(name: string, open: () => Promise<BatchExporter>): BatchExporter {
  return new LateExporter(name, open);
}

/**
 * A {@link lateExporter} whose other side can deliver while the process exits. It is opened at once: what is not
 * open by then cannot.
 */
export function lateSyncExporter(name: string, open: () => Promise<BatchExporter>): BatchExporter {
  return new LateSyncExporter(name, open);
}

class LateExporter implements BatchExporter {
  readonly name: string;
  readonly #open: () => Promise<BatchExporter>;
  #opening: Promise<BatchExporter> | undefined;
  /** What was opened, once it is there. */
  protected opened: BatchExporter | undefined;

  constructor(name: string, open: () => Promise<BatchExporter>) {
    this.name = name;
    this.#open = open;
  }

  async export(...batch: Parameters<BatchExporter['export']>): Promise<void> {
    return (this.opened ?? (await this.opening())).export(...batch);
  }

  async flush(): Promise<void> {
    await this.opened?.flush?.();
  }

  async shutdown(): Promise<void> {
    await this.opened?.shutdown?.();
  }

  protected async opening(): Promise<BatchExporter> {
    this.#opening ??= this.#open();
    try {
      this.opened = await this.#opening;
      return this.opened;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ExportError(`${this.name}: could not be opened: ${why}`, { retryable: false, cause });
    }
  }
}

class LateSyncExporter extends LateExporter {
  constructor(name: string, open: () => Promise<BatchExporter>) {
    super(name, open);
    this.opening().catch(() => {}); // told by every export
  }

  exportSync(...batch: Parameters<NonNullable<BatchExporter['exportSync']>>): void {
    if (this.opened === undefined) {
      throw new ExportError(`${this.name}: the process ended before it was open`, { retryable: false });
    }
    this.opened.exportSync?.(...batch);
  }
}
