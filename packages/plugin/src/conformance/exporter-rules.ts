import { ExportError } from '../errors.ts';
import type { ExporterTrial } from './exporter-trial.ts';
import { check, type Rule, same, shown, within } from './rule.ts';
import { type SampleBatch, sampleBatch } from './sample-batch.ts';

const noFailure = 'the factory gives no failDelivery';
const noHang = 'the factory gives no hangDelivery';

/** How a promise settled, never rejecting itself. */
type Outcome = { readonly resolved: true } | { readonly resolved: false; readonly error: unknown };

async function outcome(trial: ExporterTrial, what: string, promise: Promise<void>): Promise<Outcome> {
  const settled = promise.then(
    (): Outcome => ({ resolved: true }),
    (error: unknown): Outcome => ({ resolved: false, error }),
  );
  return within(trial.patienceMs, what, settled);
}

async function failure(trial: ExporterTrial, { batch }: SampleBatch): Promise<unknown> {
  const promise = trial.called('export()', () => trial.exporter.export(batch));
  const settled = await outcome(trial, 'export()', promise);
  check(!settled.resolved, 'export() resolved although the batch could not be delivered');
  return settled.error;
}

/** The rules of the batch exporter contract. */
export const exporterRules: readonly Rule<ExporterTrial>[] = [
  {
    id: 'name',
    contract: 'an exporter has a name, which errors and statistics show',
    remedy: 'give the exporter a `name` that is not empty',
    run({ exporter }) {
      check(typeof exporter.name === 'string' && exporter.name !== '', `the name is ${shown(exporter.name)}`);
    },
  },
  {
    id: 'delivers',
    contract: 'when export resolves, every span of the batch is delivered, once',
    remedy: 'resolve only after the back end has taken the batch',
    async run(trial) {
      const sample = sampleBatch(0, 3);
      await trial.export(sample.batch);
      const spans = await trial.subject.spans();
      same(trial.sorted(spans), trial.sorted(sample.spans), 'the names of the delivered spans');
      for (const { traceId, spanId, name } of sample.spans) {
        const got = spans.find((span) => span.name === name);
        same([got?.traceId, got?.spanId], [traceId, spanId], `the trace id and span id of ${name}`);
      }
    },
  },
  {
    id: 'order',
    contract: 'batches are delivered whole and in the order in which they were exported',
    remedy: 'finish with one batch before you begin the next, and do not sort or sample',
    async run(trial) {
      const samples = Array.from({ length: 20 }, (_, number) => sampleBatch(number, 5));
      for (const { batch } of samples) await trial.export(batch);
      const expected = trial.sorted(samples.flatMap(({ spans }) => spans));
      same(await trial.names(), expected, 'the names of the delivered spans');
    },
  },
  {
    id: 'large-batch',
    contract: 'a batch of many spans is delivered whole',
    remedy: 'split what the back end takes only in parts, and resolve after the last part',
    async run(trial) {
      const sample = sampleBatch(0, 5_000);
      await trial.export(sample.batch);
      const delivered = new Set(await trial.names());
      same(delivered.size, 5_000, 'the number of delivered spans');
    },
  },
  {
    id: 'bytes-unchanged',
    contract: 'an exporter does not change the bytes of a batch nor what lies around them, now or later',
    remedy: 'copy the bytes before you change them: other exporters hold the same',
    async run(trial) {
      const { batch } = sampleBatch(0, 10);
      const whole = new Uint8Array(batch.bytes.buffer);
      const before = whole.slice();
      await trial.export(batch);
      trial.exporter.exportSync?.(batch);
      await trial.exporter.flush?.();
      await trial.exporter.shutdown?.();
      check(batch.bytes.length > 0 && whole.length > 0, 'the buffer of the batch was detached');
      check(Buffer.compare(whole, before) === 0, 'the bytes of the batch have changed');
    },
  },
  {
    id: 'rejects',
    contract: 'an export that could not deliver rejects with an Error and never throws',
    remedy:
      'make export an async function and let the error of the back end through, as an ExportError if you can',
    async run(trial) {
      const { subject } = trial;
      if (subject.failDelivery === undefined) return noFailure;
      subject.failDelivery(true);
      const sample = sampleBatch(0, 3);
      const error = await failure(trial, sample);
      check(error instanceof Error, `export() rejected with ${shown(error)}, which is no Error`);
      if (!(error instanceof ExportError)) return undefined;
      check(typeof error.retryable === 'boolean', `ExportError.retryable is ${shown(error.retryable)}`);
      const { retryAfterMs: wait, rejectedSpans: rejected } = error;
      check(wait === undefined || wait >= 0, `ExportError.retryAfterMs is ${shown(wait)}`);
      check(
        rejected === undefined || (Number.isSafeInteger(rejected) && rejected >= 0 && rejected <= 3),
        `ExportError.rejectedSpans is ${shown(rejected)} for a batch of 3`,
      );
      return undefined;
    },
  },
  {
    id: 'recovers',
    contract: 'after a failure the next export works, and delivers its batch only',
    remedy: 'keep nothing of a batch whose export has rejected: the caller sends it again',
    async run(trial) {
      const { subject } = trial;
      if (subject.failDelivery === undefined) return noFailure;
      subject.failDelivery(true);
      await failure(trial, sampleBatch(0, 3));
      subject.failDelivery(false);
      const next = sampleBatch(1, 3);
      await trial.export(next.batch);
      same(await trial.names(), trial.sorted(next.spans), 'the names of the delivered spans');
      return undefined;
    },
  },
  {
    id: 'abort',
    contract: 'an export settles soon after its signal is aborted, also when it is aborted from the start',
    remedy: 'pass the signal on to what you wait for, or race with it',
    async run(trial) {
      const { subject, exporter } = trial;
      if (subject.hangDelivery === undefined) return noHang;
      subject.hangDelivery(true);
      try {
        const controller = new AbortController();
        const options = { signal: controller.signal };
        const pending = trial.called('export()', () => exporter.export(sampleBatch(0, 3).batch, options));
        pending.catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 20));
        controller.abort();
        const settled = await outcome(trial, 'an export() whose signal was aborted', pending);
        check(!settled.resolved, 'export() resolved although the back end never answered');
        const late = trial.called('export()', () => exporter.export(sampleBatch(1, 3).batch, options));
        await outcome(trial, 'an export() with an aborted signal', late);
      } finally {
        subject.hangDelivery(false);
      }
      return undefined;
    },
  },
  {
    id: 'sync',
    contract: 'exportSync delivers before it returns, also while an export is in flight',
    remedy: 'use synchronous calls only, and do not wait for what is under way',
    async run(trial) {
      const { subject, exporter } = trial;
      if (exporter.exportSync === undefined) return 'the exporter has no exportSync';
      const first = sampleBatch(0, 3);
      exporter.exportSync(first.batch);
      same(await trial.names(), trial.sorted(first.spans), 'the names of the delivered spans');

      const [flying, last] = [sampleBatch(1, 3), sampleBatch(2, 3)];
      const pending = exporter.export(flying.batch);
      exporter.exportSync(flying.batch);
      exporter.exportSync(last.batch);
      const delivered = new Set((await subject.spans()).map((span) => span.name));
      for (const { name } of [...flying.spans, ...last.spans]) {
        check(delivered.has(name), `${name} was not delivered when exportSync had returned`);
      }
      await outcome(trial, 'an export() that was overtaken', pending);
      return undefined;
    },
  },
  {
    id: 'sync-throws',
    contract: 'exportSync throws an Error when it could not deliver',
    remedy: 'let the error of the back end through',
    run(trial) {
      const { subject, exporter } = trial;
      if (exporter.exportSync === undefined) return 'the exporter has no exportSync';
      if (subject.failDelivery === undefined) return noFailure;
      subject.failDelivery(true);
      try {
        exporter.exportSync(sampleBatch(0, 3).batch);
      } catch (error) {
        check(error instanceof Error, `exportSync threw ${shown(error)}, which is no Error`);
        return undefined;
      }
      check(false, 'exportSync returned although the batch could not be delivered');
    },
  },
  {
    id: 'flush',
    contract: 'flush resolves, with nothing to do as well, and delivers nothing twice',
    remedy: 'return a resolved promise when there is nothing to flush',
    async run(trial) {
      const { exporter } = trial;
      if (exporter.flush === undefined) return 'the exporter has no flush';
      const flush = () =>
        within(
          trial.patienceMs,
          'flush()',
          trial.called('flush()', () => exporter.flush!()),
        );
      await flush();
      const sample = sampleBatch(0, 3);
      await trial.export(sample.batch);
      await Promise.all([flush(), flush()]);
      same(await trial.names(), trial.sorted(sample.spans), 'the names of the delivered spans');
      return undefined;
    },
  },
  {
    id: 'shutdown',
    contract: 'shutdown can be called again, also while it runs; an export afterwards settles',
    remedy: 'keep the promise of the first shutdown, and reject exports after it',
    async run(trial) {
      const { exporter } = trial;
      if (exporter.shutdown === undefined) return 'the exporter has no shutdown';
      const sample = sampleBatch(0, 3);
      await trial.export(sample.batch);
      const shutdown = () =>
        within(
          trial.patienceMs,
          'shutdown()',
          trial.called('shutdown()', () => exporter.shutdown!()),
        );
      await Promise.all([shutdown(), shutdown()]);
      await shutdown();
      const late = trial.called('export() after shutdown', () => exporter.export(sampleBatch(1, 1).batch));
      await outcome(trial, 'export() after shutdown', late);
      return undefined;
    },
  },
];
