import type { TracerPlugin } from '@tracewell/plugin';
import { describe, missingMethod } from '../options.ts';

const REQUIRED = ['startSpan', 'setAttribute', 'setStatus', 'addEvent', 'endSpan', 'flush'] as const;

/**
 * Throws unless something is a plugin: without this check it would be found out at its first span, and the
 * application would go on without any.
 *
 * @param where - who asks, for the message
 * @param field - what was given
 * @throws TypeError naming what is missing
 */
export function checkPlugin(where: string, field: string, plugin: unknown): void {
  const missing = missingMethod(plugin, REQUIRED);
  const { name } = Object(plugin) as Partial<TracerPlugin>;
  if (missing === undefined && typeof name === 'string' && name !== '') return;
  const isExporter = missingMethod(plugin, ['export']) === undefined;
  const hint = isExporter
    ? '; wrap an exporter with bufferedPlugin'
    : Array.isArray(plugin)
      ? '; put fanOut around several'
      : '';
  throw new TypeError(
    `${where}: ${field} must be a TracerPlugin, got ${describe(plugin)}; ${missing ?? 'name'} is missing${hint}`,
  );
}

/**
 * The plugins behind another: at least one, each with what the contract requires.
 *
 * @param where - who asks, for the message
 * @throws TypeError or RangeError naming which is none, and why
 */
export function pluginList(
  where: string,
  plugins: TracerPlugin | readonly TracerPlugin[],
): readonly TracerPlugin[] {
  if (!Array.isArray(plugins)) {
    checkPlugin(where, 'plugins', plugins);
    return [plugins as TracerPlugin];
  }
  if (plugins.length === 0) throw new RangeError(`${where}: plugins is empty; give at least one`);
  for (const [index, plugin] of plugins.entries()) checkPlugin(where, `plugins[${index}]`, plugin);
  return [...plugins];
}
