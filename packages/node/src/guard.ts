/** Is told what was kept from the application; what it throws itself is ignored. */
export type OnError = (error: unknown) => void;

/**
 * Calls something that looks at a request, a hook of the application or code of ours, and keeps what it throws
 * from that request.
 *
 * @returns what it returned, or `undefined` if it threw
 */
export function guarded<Arguments extends unknown[], Result>(
  onError: OnError,
  look: (...args: Arguments) => Result,
  ...args: Arguments
): Result | undefined {
  try {
    return look(...args);
  } catch (error) {
    try {
      onError(error);
    } catch {
      // Nobody is left to be told.
    }
    return undefined;
  }
}

/** A subscriber of a channel, {@link guarded}: Node makes an uncaught exception of what one throws. */
export function guardedSubscriber(
  onError: OnError,
  subscriber: (message: unknown) => void,
): (message: unknown) => void {
  return (message) => guarded(onError, subscriber, message);
}
