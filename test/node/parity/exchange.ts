// Runs every scenario of one settings group in this process, recorded by one side, and prints what was
// recorded as JSON: node exchange.ts ours|theirs GROUP
import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordedSpan } from './recorded-span.ts';
import { groups } from './scenarios.ts';

const [, , side, groupName] = process.argv;
const group = groups[groupName!]!;
const recording =
  side === 'ours'
    ? await (await import('./record-ours.ts')).recordOurs(group.settings)
    : await (await import('./record-theirs.ts')).recordTheirs(group.settings);

const recorded: Record<string, RecordedSpan[]> = {};
for (const [name, run] of Object.entries(group.scenarios)) {
  if (process.env.TRACEWELL_TEST_VERBOSE) console.error(name);
  await run();
  // Until both ends of every connection have seen their last event.
  for (let waited = 0; recording.live() > 0 && waited < 50; waited++) await sleep(10);
  await sleep(10);
  recorded[name] = await recording.take();
}
process.stdout.write(JSON.stringify(recorded), () => process.exit(0));
