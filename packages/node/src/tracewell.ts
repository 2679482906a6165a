import { TracewellError } from '@tracewell/plugin';
import { checkTracewellOptions } from './start/check-options.ts';
import { launch } from './start/launch.ts';
import type { Started, TracewellNode } from './tracewell-node.ts';
import type { TracewellOptions } from './tracewell-options.ts';

/**
 * Instruments this process, as `node --import @tracewell/node/register` does: HTTP and fetch, whatever published
 * OpenTelemetry instrumentations are installed, exporters chosen by configuration.
 *
 * Modules that were loaded before are out of reach of the published instrumentations, so call it first, or use
 * the register hook; HTTP and fetch are instrumented at any time. A process is instrumented once: without
 * options, a second call returns what the first, or the register hook, set up.
 *
 * @throws `TracewellError`, as a rejection: `TW_ALREADY_STARTED` if options are given and the process is being
 * traced; those of `openStore` if the store cannot be opened
 * @throws TypeError, RangeError, as a rejection, naming an option that is none
 *
 * @example
 * ```ts
 * import { trace } from '@opentelemetry/api';
 * import { tracewell } from '@tracewell/node';
 *
 * await using tracing = await tracewell({ directory: '.tracewell' });
 * trace.getTracer('example').startActiveSpan('work', (span) => span.end());
 * await tracing.tracing.flush();
 * const { spans } = (await tracing.store?.queryTraces({ limit: 1 })) ?? { spans: [] };
 * console.log(spans[0]?.name); // work
 * ```
 */
export async function tracewell(options?: TracewellOptions): Promise<TracewellNode> {
  const { [RUNNING]: running } = globalThis as Registry;
  if (running !== undefined) {
    if (options === undefined) return running;
    throw new TracewellError(
      'TW_ALREADY_STARTED',
      'tracewell: this process is being traced, by an earlier call or the register hook; call tracewell() without options, or shut down first',
    );
  }
  const { node, opened } = startOnce(options);
  try {
    await opened;
  } catch (error) {
    await node.shutdown().catch(() => {});
    throw error;
  }
  return node;
}

/** What traces this process, whichever copy of this package started it. */
const RUNNING = Symbol.for('tracewell.node');

interface Registry {
  [RUNNING]?: TracewellNode | undefined;
}

/** Starts without waiting for the store; spans recorded meanwhile are kept for it. */
export function startOnce(options: TracewellOptions = {}): Started {
  checkTracewellOptions(options);
  const registry = globalThis as Registry;
  const started = launch(options, () => {
    registry[RUNNING] = undefined;
  });
  registry[RUNNING] = started.node;
  return started;
}
