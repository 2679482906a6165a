import assert from 'node:assert/strict';
import { it } from 'node:test';
import { killLoop } from './kill-loop.ts';

// More than 200 rounds for the log; many more by the command at the head of kill-loop.ts.
for (const [through, rounds] of [
  ['log', 120],
  ['store', 100],
  ['cold', 30],
] as const) {
  const row = through === 'cold' ? 'F22' : 'F01';
  it(`${row} nothing acknowledged is lost in ${rounds} rounds of SIGKILL through the ${through}`, async () => {
    const seed = Date.now() % 1_000_000;
    const acknowledged = await killLoop({ rounds, through, seed });
    assert.ok(acknowledged > rounds, `only ${acknowledged} inserts in ${rounds} rounds of seed ${seed}`);
  });
}
