import { isatty } from 'node:tty';

/*
 * How the spans are saved when the process ends, and nothing else about its end changes.
 *
 * `exit` covers `process.exit()`, an uncaught exception, an unhandled rejection and the natural end: by then the
 * exit code is settled and everybody's output written, so a synchronous flush is all there is to do.
 *
 * Signals are the hard part, because a listener takes the default action (death by that signal) away. So ours
 * is installed only while nobody else listens: then the default action would have come, and we bring it about
 * ourselves after flushing, by removing our listener and raising the signal again. The parent sees the same
 * status. As soon as somebody else listens, the decision is theirs, and ours goes away: what they do (exit,
 * raise again, live on) ends in `exit` or comes back to us. That ours is then really absent matters to libraries
 * that count listeners to find out whether they are the last, and to `process.once` listeners, which are gone
 * before the first of them runs.
 *
 * Two copies of this module in one process hand over to each other in the same way.
 */

/** What wants to be told that the process ends. */
export interface ProcessEndHook {
  /** Saves everything before it returns: nothing else will run. */
  flushSync(): void;
  /** Whether spans wait that only an asynchronous flush can save. Asked when the event loop has run empty. */
  needsFlush(): boolean;
  /** Starts that flush. Never rejects. */
  flush(): Promise<void>;
}

/** Signals that end a process by default and that a program is stopped with in daily life. */
const SIGNALS: readonly NodeJS.Signals[] =
  process.platform === 'win32'
    ? ['SIGINT', 'SIGHUP', 'SIGBREAK', 'SIGTERM']
    : ['SIGINT', 'SIGHUP', 'SIGTERM'];

const hooks = new Set<ProcessEndHook>();

/**
 * Saves spans when the process ends, until the function that it returns is called.
 *
 * @param hook - what is to be called
 */
export function onProcessEnd(hook: ProcessEndHook): () => void {
  if (hooks.size === 0) install();
  hooks.add(hook);
  return () => {
    if (hooks.delete(hook) && hooks.size === 0) uninstall();
  };
}

function install(): void {
  // First: a listener before ours could throw or exit. What those after it record is flushed as it ends.
  process.prependListener('exit', flushAll);
  process.on('beforeExit', beforeExit);
  if (!handlesSignals()) return;
  process.on('newListener', listenerAdded);
  process.on('removeListener', listenerRemoved);
  for (const signal of SIGNALS) listenIfAlone(signal);
}

function uninstall(): void {
  process.off('exit', flushAll);
  process.off('beforeExit', beforeExit);
  // Before the signals, or removing ours would bring it back.
  process.off('newListener', listenerAdded);
  process.off('removeListener', listenerRemoved);
  for (const signal of SIGNALS) process.off(signal, signalled);
}

/**
 * Worker threads get no signals, so there nobody hears of our listeners; to ask whether this is one takes 2 ms of
 * a start, which `node:worker_threads` needs. The first process of a PID namespace, as in a container, has no default action
 * that we could bring about: the kernel does not deliver to it what it does not listen for.
 */
function handlesSignals(): boolean {
  return process.platform !== 'linux' || process.pid !== 1;
}

function flushAll(): void {
  for (const hook of hooks) {
    try {
      hook.flushSync();
    } catch {
      // A hook reports its own errors; here is nobody left to tell, and the others wait.
    }
  }
}

function beforeExit(): void {
  // Node.js emits `beforeExit` again when this work is done; by then nothing needs a flush any more.
  for (const hook of hooks) if (hook.needsFlush()) void hook.flush();
}

function isSignal(event: string | symbol): event is NodeJS.Signals {
  return SIGNALS.includes(event as NodeJS.Signals);
}

function othersListen(signal: NodeJS.Signals): boolean {
  return process.listeners(signal).some((listener) => listener !== signalled);
}

function listenIfAlone(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) === 0) process.on(signal, signalled);
}

function listenerAdded(event: string | symbol, listener: unknown): void {
  if (!isSignal(event) || listener === signalled) return;
  // Only afterwards: were ours removed while it is still the only one, Node.js would stop watching the signal.
  // Signals arrive on the event loop, which is later than this.
  process.nextTick(() => {
    if (othersListen(event)) process.off(event, signalled);
  });
}

function listenerRemoved(event: string | symbol): void {
  if (isSignal(event) && event !== raising) listenIfAlone(event);
}

/** The signal that is being raised again, for which we no longer want to listen. */
let raising: NodeJS.Signals | undefined;

function signalled(signal: NodeJS.Signals, code?: number): void {
  // A program may emit the event by itself, which ends no process; only Node.js adds the number.
  if (typeof code !== 'number' || othersListen(signal)) return;
  flushAll();
  raising = signal;
  process.off(signal, signalled);
  leaveRawMode();
  process.kill(process.pid, signal);
}

/** Node.js itself resets the terminal when one of these signals kills it, but not once somebody has listened. */
function leaveRawMode(): void {
  if (isatty(0) && process.stdin.isRaw) process.stdin.setRawMode(false);
}
