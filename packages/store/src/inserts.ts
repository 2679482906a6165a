import {
  countDataPoints,
  countLogs,
  countSpans,
  splitLogs,
  splitMetrics,
  splitTraces,
  validateLogs,
  validateMetrics,
  validateTraces,
} from '@tracewell/otlp';
import type { HotRows, HotTier } from './hot/hot-tier.ts';
import { MAX_PAYLOAD_BYTES } from './log/frame.ts';
import { FrameKind, type Log } from './log/types.ts';
import type { Signal } from './signal.ts';
import type { InsertResult } from './store.ts';

/** What of a request is to be stored, and what became of the rest. */
export interface Admission {
  /** The bytes to write. */
  readonly payload: Uint8Array;
  /** What the index makes of them. */
  readonly rows: HotRows;
  readonly result: InsertResult;
}

/** How requests of a signal are taken. */
interface Intake {
  readonly kind: FrameKind;
  /** What one of its records is called. */
  readonly record: string;
  /** @throws `TracewellError` (`TW_DECODE_…`) if the bytes are no request */
  validate(bytes: Uint8Array): void;
  count(bytes: Uint8Array): number;
  split(bytes: Uint8Array, max: number): readonly { readonly bytes: Uint8Array }[];
  admit(hot: HotTier, payload: Uint8Array): Admission;
}

const INTAKES: Readonly<Record<Signal, Intake>> = {
  traces: {
    kind: FrameKind.TRACES,
    record: 'span',
    validate: validateTraces,
    count: countSpans,
    split: splitTraces,
    admit({ spans }, payload) {
      const rows = spans.prepare(payload);
      const { spanCount, rejected, reasons } = rows;
      return { payload, rows, result: { accepted: spanCount, rejected, reasons } };
    },
  },
  logs: {
    kind: FrameKind.LOGS,
    record: 'log record',
    validate: validateLogs,
    count: countLogs,
    split: splitLogs,
    admit({ logs }, payload) {
      const rows = logs.prepare(payload);
      return { payload, rows, result: { ...NOTHING, accepted: rows.count } };
    },
  },
  metrics: {
    kind: FrameKind.METRICS,
    record: 'data point',
    validate: validateMetrics,
    count: countDataPoints,
    split: splitMetrics,
    admit({ metrics }, bytes) {
      const { payload, rows, refused } = metrics.admit(bytes);
      const reasons = refused === 0 ? [] : [`more than ${metrics.maxSeries} series (maxSeries)`];
      return { payload, rows, result: { accepted: rows.count, rejected: refused, reasons } };
    },
  },
};

const NOTHING: InsertResult = { accepted: 0, rejected: 0, reasons: [] };

/** The way in: a request of any signal becomes frames of the log, which hands them to the index. */
export class Inserts {
  /** Records that were left out since opening. */
  readonly rejected: Record<Signal, number> = { traces: 0, logs: 0, metrics: 0 };
  readonly #log: Pick<Log<HotRows>, 'append' | 'appendSync'>;
  readonly #hot: HotTier;

  constructor(log: Pick<Log<HotRows>, 'append' | 'appendSync'>, hot: HotTier) {
    this.#log = log;
    this.#hot = hot;
  }

  /** As {@link Inserts.insert}, for bytes that come from outside. */
  async insertForeign(signal: Signal, bytes: Uint8Array): Promise<InsertResult> {
    INTAKES[signal].validate(bytes);
    return this.insert(signal, bytes);
  }

  /** Stores a request; resolves when it is as durable as the log promises, and found. */
  async insert(signal: Signal, bytes: Uint8Array): Promise<InsertResult> {
    const intake = INTAKES[signal];
    let result = NOTHING;
    for (const part of payloads(bytes, intake)) {
      const admission = intake.admit(this.#hot, part);
      if (admission.result.accepted > 0) {
        await this.#log.append(intake.kind, admission.payload, admission.rows);
      }
      result = this.#add(signal, result, admission);
    }
    return result;
  }

  /** As {@link Inserts.insert}, durable when it returns. */
  insertSync(signal: Signal, bytes: Uint8Array): InsertResult {
    const intake = INTAKES[signal];
    let result = NOTHING;
    for (const part of payloads(bytes, intake)) {
      const admission = intake.admit(this.#hot, part);
      if (admission.result.accepted > 0) {
        this.#log.appendSync(intake.kind, admission.payload, admission.rows);
      }
      result = this.#add(signal, result, admission);
    }
    return result;
  }

  #add(signal: Signal, before: InsertResult, { result }: Admission): InsertResult {
    this.rejected[signal] += result.rejected;
    return {
      accepted: before.accepted + result.accepted,
      rejected: before.rejected + result.rejected,
      reasons: [...new Set([...before.reasons, ...result.reasons])],
    };
  }
}

/** The request, or as many as it takes for each to fit a frame. */
function payloads(bytes: Uint8Array, intake: Intake): Uint8Array[] {
  if (bytes.length <= MAX_PAYLOAD_BYTES) return [bytes];
  const count = intake.count(bytes);
  if (count < 2) {
    throw new RangeError(
      `A ${intake.record} of ${bytes.length} bytes is larger than the ${MAX_PAYLOAD_BYTES} that fit the log`,
    );
  }
  return intake.split(bytes, Math.ceil(count / 2)).flatMap((half) => payloads(half.bytes, intake));
}
