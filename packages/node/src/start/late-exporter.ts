import { type BatchExporter, ExportError } from '@tracewell/plugin';

/**
 * An exporter that is there before what it exports to: batches wait until that is open. The queue of the
 * plugin around it holds what is recorded meanwhile, within its bound.
 *
 * @param opening - rejects if there will never be anything; then every batch is refused for good
 */
export function lateExporter(name: string, opening: Promise<BatchExporter>): BatchExporter {
  let opened: BatchExporter | undefined;
  opening.then(
    (exporter) => {
      opened = exporter;
    },
    () => {}, // told by whoever opens, and by every export
  );

  const open = async (): Promise<BatchExporter> => {
    try {
      return await opening;
    } catch (cause) {
      throw new ExportError(`${name}: could not be opened: ${messageOf(cause)}`, { retryable: false, cause });
    }
  };
  return {
    name,
    export: async (batch, options) => (opened ?? (await open())).export(batch, options),
    exportSync(batch) {
      if (opened === undefined) {
        throw new ExportError(`${name}: the process ended before it was open`, { retryable: false });
      }
      opened.exportSync?.(batch);
    },
    flush: async () => opened?.flush?.(),
    shutdown: async () => opened?.shutdown?.(),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
