/** Milliseconds as a person reads them: three digits, `12.3 ms`, or all of them from 100 ms on. */
export function shownMs(milliseconds: number): string {
  return `${milliseconds >= 100 ? Math.round(milliseconds) : Number(milliseconds.toPrecision(3))} ms`;
}

/** `once`, `2 times`, … */
export function shownTimes(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
