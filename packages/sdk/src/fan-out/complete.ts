import type { TracerPlugin } from '@tracewell/plugin';
import type { ErrorReporter } from '../host/error-reporter.ts';
import { FanOutPlugin } from './fan-out.ts';
import { pluginList } from './plugin-list.ts';

/** A plugin with every operation, the optional ones included. */
export type CompletePlugin = Required<TracerPlugin>;

/**
 * One complete plugin for what stands behind another: the plugin itself if it is only one and has every operation,
 * a fan-out of all of them otherwise, which supplies what they lack.
 *
 * @param where - who asks, for the message
 * @throws TypeError or RangeError if there is no plugin, or one lacks what the contract requires
 */
export function completePlugin(
  where: string,
  plugins: TracerPlugin | readonly TracerPlugin[],
  reporter: ErrorReporter,
): CompletePlugin {
  const list = pluginList(where, plugins);
  const first = list[0]!;
  if (list.length === 1 && isComplete(first)) return first;
  return new FanOutPlugin(list, { name: list.map((plugin) => plugin.name).join('+') }, reporter);
}

const OPTIONAL = ['updateName', 'addLink', 'spanContext', 'flushSync', 'shutdown', 'stats'] as const;

function isComplete(plugin: TracerPlugin): plugin is CompletePlugin {
  return OPTIONAL.every((operation) => plugin[operation] !== undefined);
}
