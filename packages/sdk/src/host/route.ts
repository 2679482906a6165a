import {
  INVALID_SPAN,
  type PluginStats,
  type SpanHandle,
  type SpanStart,
  type TracerPlugin,
} from '@tracewell/plugin';
import { Branch } from '../fan-out/branch.ts';
import { FanOutPlugin } from '../fan-out/fan-out.ts';
import type { ErrorReporter } from './error-reporter.ts';

/** A plugin with every operation that describes a span. */
export type RecordingPlugin = TracerPlugin &
  Required<Pick<TracerPlugin, 'updateName' | 'addLink' | 'spanContext'>>;

/** A plugin behind the facade, from its activation until it is shut down, with the spans that are on it. */
export class Route {
  /** Takes the spans. */
  readonly plugin: RecordingPlugin;
  /** Flushes, shuts down, and keeps errors in. */
  readonly branch: Branch;
  readonly failed: Branch['failed'];
  #started = 0;
  #ended = 0;
  #unsampled = 0;
  readonly #drained = Promise.withResolvers<void>();
  #draining = false;

  constructor(plugin: TracerPlugin, reporter: ErrorReporter) {
    this.branch = new Branch(plugin, reporter);
    this.failed = this.branch.failed.bind(this.branch);
    // A plugin that cannot tell the identity of its spans is told which they have, as in a fan-out of one.
    this.plugin = isRecordingPlugin(plugin)
      ? plugin
      : new FanOutPlugin([plugin], { name: plugin.name }, reporter);
  }

  startSpan(start: SpanStart): SpanHandle {
    let handle: SpanHandle = INVALID_SPAN;
    try {
      handle = this.plugin.startSpan(start);
    } catch (error) {
      this.failed('startSpan', error);
    }
    if (handle === INVALID_SPAN) this.#unsampled += 1;
    else this.#started += 1;
    return handle;
  }

  spanEnded(): void {
    this.#ended += 1;
    if (this.#draining && this.#ended === this.#started) this.#drained.resolve();
  }

  /** Resolves once no span is live on the plugin; new ones must not come any more. */
  drained(): Promise<void> {
    this.#draining = true;
    if (this.#ended === this.#started) this.#drained.resolve();
    return this.#drained.promise;
  }

  /** What the plugin says of itself, or what is seen from here if it says nothing. */
  stats(): PluginStats {
    return (
      this.branch.stats() ?? {
        name: this.branch.name,
        started: this.#started,
        ended: this.#ended,
        live: this.#started - this.#ended,
        buffered: 0,
        unsampled: this.#unsampled,
        refused: 0,
        exporters: [],
      }
    );
  }
}

function isRecordingPlugin(plugin: TracerPlugin): plugin is RecordingPlugin {
  return plugin.spanContext !== undefined && plugin.updateName !== undefined && plugin.addLink !== undefined;
}
