import { setImmediate as nextImmediate } from 'node:timers/promises';

const TURN_MS = 4;

// When the queries of this turn of the event loop have used up their share; 0 before the first looks.
let until = 0;

/**
 * Whether the queries of this turn of the event loop have run for long enough, all together: then it is time
 * to `await nextTurn()`. To be asked after each part of a query, and by each query at least once: a program
 * that makes one short query after the other would otherwise never leave the queue of promises, and its
 * timers and I/O would stand still.
 */
export function turnIsOver(): boolean {
  const now = performance.now();
  if (until === 0) {
    until = now + TURN_MS;
    setImmediate(endTurn);
  }
  return now >= until;
}

/** Lets everything else run. */
export async function nextTurn(): Promise<void> {
  await nextImmediate();
}

function endTurn(): void {
  until = 0;
}
