import type { BatchExporter, ExportOptions, SpanBatch } from '../batch-exporter.ts';
import { check, shown, within } from './rule.ts';
import type { SpanIdentity } from './sample-batch.ts';

/** An exporter on trial, with what it delivers to. */
export interface ExporterSubject {
  readonly exporter: BatchExporter;
  /** Every span that was delivered so far; `SpanData` will do. */
  spans(): readonly SpanIdentity[] | Promise<readonly SpanIdentity[]>;
  /** Makes the next deliveries fail, or work again. Without it the rules on failures are skipped. */
  failDelivery?(failing: boolean): void;
  /**
   * Makes the next deliveries hang, or go on. Without it the rules on deliveries that last are skipped. Where
   * the exporter has a timeout of its own, it should be longer than `patienceMs` here.
   */
  hangDelivery?(hanging: boolean): void;
  /** Releases what the factory made. The suite does not call `shutdown` outside the rules on it. */
  dispose?(): void | Promise<void>;
}

/** What `testBatchExporter` takes. */
export interface ExporterSuiteOptions {
  /** Makes a fresh exporter; called once for every rule. */
  create(): ExporterSubject | Promise<ExporterSubject>;
  /** Whether `spans()` returns spans in the order of their delivery. Default `true`. */
  readonly ordered?: boolean;
  /** How long an export, a flush or a shutdown may take, in milliseconds. Default 10,000. */
  readonly patienceMs?: number;
}

/** One exporter under one rule. */
export class ExporterTrial {
  readonly subject: ExporterSubject;
  readonly exporter: BatchExporter;
  readonly ordered: boolean;
  readonly patienceMs: number;

  constructor(subject: ExporterSubject, options: ExporterSuiteOptions) {
    this.subject = subject;
    this.exporter = subject.exporter;
    this.ordered = options.ordered ?? true;
    this.patienceMs = options.patienceMs ?? 10_000;
  }

  /** Exports; what is thrown rather than rejected breaks the rule at hand. */
  export(batch: SpanBatch, options?: ExportOptions): Promise<void> {
    const promise = this.called('export()', () => this.exporter.export(batch, options));
    return within(this.patienceMs, 'export()', promise);
  }

  /** Calls what has to return a promise, whatever happens. */
  called(what: string, call: () => Promise<void>): Promise<void> {
    let promise: Promise<void>;
    try {
      promise = call();
    } catch (error) {
      check(false, `${what} threw ${shown(error)} where it should have rejected`);
    }
    check(typeof promise?.then === 'function', `${what} returned ${shown(promise)}, not a promise`);
    return promise;
  }

  /** The names of all spans delivered, in an order that can be compared. */
  async names(): Promise<string[]> {
    return this.sorted(await this.subject.spans());
  }

  /** The names of spans, in their order where the order counts. */
  sorted(spans: readonly SpanIdentity[]): string[] {
    const names = spans.map((span) => span.name);
    return this.ordered ? names : names.sort();
  }
}
