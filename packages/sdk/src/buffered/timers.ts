/** Timers as the delivery of batches needs them, so that a test can be the clock. */
export interface Timers {
  /** Milliseconds that only ever grow. */
  now(): number;
  /** Calls back once after so many milliseconds, unless cancelled by the returned function. */
  after(delayMs: number, callback: () => void): () => void;
  /** Calls back soon, never before it returns. */
  soon(callback: () => void): void;
  /** A random number from 0 to below 1. */
  random(): number;
}

/** The timers of Node.js. A waiting one does not keep the process alive: what is queued then, `flushSync` saves. */
export const nodeTimers: Timers = {
  now: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  soon: (callback) => {
    setImmediate(callback);
  },
  random: Math.random,
};
