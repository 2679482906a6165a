// Exporters that each break the contract in one way, with the rules that have to notice.
import { decodeTraces } from '@tracewell/otlp';
import { ExportError } from '@tracewell/plugin';
import type { ReferenceExporter } from './reference-exporter.ts';

export interface BrokenExporter {
  /** The ids of the rules that have to fail, and of no other. */
  readonly breaks: readonly string[];
  change(exporter: ReferenceExporter): void;
}

export const brokenExporters: Readonly<Record<string, BrokenExporter>> = {
  'has no name': {
    breaks: ['name'],
    change(exporter) {
      exporter.name = '';
    },
  },
  'resolves before it has delivered': {
    breaks: ['delivers', 'order', 'large-batch', 'rejects', 'recovers', 'abort', 'flush'],
    change(exporter) {
      const sound = exporter.export.bind(exporter);
      exporter.export = async (batch, options) => {
        setTimeout(() => void sound(batch, options).catch(() => undefined), 5);
      };
    },
  },
  'sends the whole buffer instead of the batch': {
    breaks: ['delivers', 'order', 'large-batch', 'recovers', 'sync', 'flush', 'bytes-unchanged', 'shutdown'],
    change(exporter) {
      const sound = exporter.deliver.bind(exporter);
      exporter.deliver = (batch) => sound({ ...batch, bytes: new Uint8Array(batch.bytes.buffer) });
    },
  },
  'delivers the latest batch first': {
    breaks: ['order'],
    change(exporter) {
      exporter.deliver = refusing(exporter, (batch) => {
        exporter.delivered.unshift(...decodeTraces(batch.bytes));
      });
    },
  },
  'sends at most 512 spans of a batch': {
    breaks: ['large-batch'],
    change(exporter) {
      exporter.deliver = refusing(exporter, (batch) => {
        exporter.delivered.push(...decodeTraces(batch.bytes).slice(0, 512));
      });
    },
  },
  'writes into the batch': {
    breaks: ['bytes-unchanged'],
    change(exporter) {
      const sound = exporter.deliver.bind(exporter);
      exporter.deliver = (batch) => {
        sound(batch);
        batch.bytes[0] = 0xff;
      };
    },
  },
  'writes around the batch': {
    breaks: ['bytes-unchanged'],
    change(exporter) {
      const sound = exporter.deliver.bind(exporter);
      exporter.deliver = (batch) => {
        sound(batch);
        new Uint8Array(batch.bytes.buffer)[batch.bytes.byteOffset - 1] = 0xff;
      };
    },
  },
  'hides that it could not deliver': {
    breaks: ['rejects', 'recovers', 'abort'],
    change(exporter) {
      const sound = exporter.export.bind(exporter);
      exporter.export = (batch, options) => sound(batch, options).catch(() => undefined);
    },
  },
  'throws from export': {
    breaks: ['rejects', 'recovers'],
    change(exporter) {
      const sound = exporter.export.bind(exporter);
      exporter.export = (batch, options) => {
        if (exporter.failing) throw new ExportError('the array is closed', { retryable: true });
        return sound(batch, options);
      };
    },
  },
  'rejects with a string': {
    breaks: ['rejects'],
    change(exporter) {
      const sound = exporter.export.bind(exporter);
      exporter.export = (batch, options) =>
        sound(batch, options).catch((error) => Promise.reject(String(error)));
    },
  },
  'reports more refused spans than there were': {
    breaks: ['rejects'],
    change(exporter) {
      const sound = exporter.export.bind(exporter);
      exporter.export = (batch, options) =>
        sound(batch, options).catch(() =>
          Promise.reject(
            new ExportError('refused', { retryable: false, rejectedSpans: batch.spanCount + 1 }),
          ),
        );
    },
  },
  'delivers later what it has refused': {
    breaks: ['recovers'],
    change(exporter) {
      const sound = exporter.export.bind(exporter);
      const refused: Parameters<typeof sound>[0][] = [];
      exporter.export = async (batch, options) => {
        try {
          await sound(batch, options);
        } catch (error) {
          refused.push(batch);
          throw error;
        }
        for (const kept of refused.splice(0)) await sound(kept, options);
      };
    },
  },
  'ignores the signal': {
    breaks: ['abort'],
    change(exporter) {
      const sound = exporter.answer.bind(exporter);
      exporter.answer = () => sound(undefined);
    },
  },
  'needs the event loop for exportSync': {
    breaks: ['sync', 'sync-throws'],
    change(exporter) {
      exporter.exportSync = (batch) => void exporter.export(batch).catch(() => undefined);
    },
  },
  'leaves a batch out at exit that is in flight': {
    breaks: ['sync'],
    change(exporter) {
      const flying = new Set<unknown>();
      const soundExport = exporter.export.bind(exporter);
      const soundSync = exporter.exportSync.bind(exporter);
      exporter.export = async (batch, options) => {
        flying.add(batch);
        await new Promise((resolve) => setTimeout(resolve));
        return soundExport(batch, options);
      };
      exporter.exportSync = (batch) => {
        if (!flying.has(batch)) soundSync(batch);
      };
    },
  },
  'hides that it could not deliver at exit': {
    breaks: ['sync-throws'],
    change(exporter) {
      const sound = exporter.exportSync.bind(exporter);
      exporter.exportSync = (batch) => {
        if (!exporter.failing) sound(batch);
      };
    },
  },
  'delivers again at a flush': {
    breaks: ['flush'],
    change(exporter) {
      exporter.flush = async () => void exporter.delivered.push(...exporter.delivered);
    },
  },
  'rejects a flush without anything to do': {
    breaks: ['flush'],
    change(exporter) {
      exporter.flush = async () => {
        if (exporter.delivered.length === 0) throw new Error('nothing to flush');
      };
    },
  },
  'rejects a second shutdown': {
    breaks: ['shutdown'],
    change(exporter) {
      exporter.shutdown = async () => {
        if (exporter.isShutDown) throw new Error('shut down already');
        exporter.isShutDown = true;
      };
    },
  },
  'hangs after shutdown': {
    breaks: ['shutdown'],
    change(exporter) {
      const sound = exporter.export.bind(exporter);
      exporter.export = (batch, options) =>
        exporter.isShutDown ? new Promise(() => undefined) : sound(batch, options);
    },
  },
};

type Deliver = ReferenceExporter['deliver'];

/** Another way to deliver, with the failures of the sound one. */
function refusing(exporter: ReferenceExporter, deliver: Deliver): Deliver {
  return (batch) => {
    if (exporter.failing) throw new ExportError('the array is closed', { retryable: true });
    if (exporter.isShutDown) throw new ExportError('the exporter is shut down', { retryable: false });
    deliver(batch);
  };
}
