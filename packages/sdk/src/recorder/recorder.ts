import type {
  AttributeValue,
  PluginStats,
  Resource,
  SpanBatch,
  SpanContext,
  SpanEvent,
  SpanHandle,
  SpanLink,
  SpanStart,
  SpanStatus,
} from '@tracewell/plugin';
import type { Sampler } from '../sampling/sampler.ts';
import type { Clock } from './clock.ts';
import type { RandomSource } from './ids.ts';
import type { ResolvedSpanLimits } from './limits.ts';

export const MAX_LIVE_SPANS: number = 2 ** 20;

/** Everything that a {@link Recorder} needs to know, checked. */
export interface RecorderSettings {
  readonly resource: Resource;
  readonly sampler: Sampler;
  readonly limits: ResolvedSpanLimits;
  readonly liveMaxSpans: number;
  readonly liveMaxBytes: number;
  readonly liveMaxAgeMs: number;
  readonly spanMaxBytes: number;
  readonly batchMaxSpans: number;
  readonly batchMaxBytes: number;
  readonly clock: Clock;
  readonly random: RandomSource | undefined;
  readonly onError: (error: unknown) => void;
}

export class Recorder {
  constructor(settings: RecorderSettings, give: (batch: SpanBatch) => void) {
    void settings;
    void give;
  }
  startSpan(_start: SpanStart): SpanHandle {
    return 0;
  }
  setAttribute(_span: SpanHandle, _key: string, _value: AttributeValue): void {}
  setStatus(_span: SpanHandle, _status: SpanStatus): void {}
  addEvent(_span: SpanHandle, _event: SpanEvent): void {}
  endSpan(_span: SpanHandle, _endTimeUnixNanos?: bigint): void {}
  updateName(_span: SpanHandle, _name: string): void {}
  addLink(_span: SpanHandle, _link: SpanLink): void {}
  spanContext(_span: SpanHandle): SpanContext | undefined {
    return undefined;
  }
  closeBatch(): void {}
  endLiveSpans(): void {}
  close(): void {}
  counts(): Pick<PluginStats, 'started' | 'ended' | 'live' | 'buffered' | 'unsampled' | 'refused'> {
    return { started: 0, ended: 0, live: 0, buffered: 0, unsampled: 0, refused: 0 };
  }
}
