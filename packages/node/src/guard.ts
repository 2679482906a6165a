/**
 * Calls a hook of the application, and keeps what it throws from the request that it is about.
 *
 * @returns what the hook returned, or `undefined` if it threw
 */
export function guarded<Arguments extends unknown[], Result>(
  onError: (error: unknown) => void,
  hook: (...args: Arguments) => Result,
  ...args: Arguments
): Result | undefined {
  try {
    return hook(...args);
  } catch (error) {
    onError(error);
    return undefined;
  }
}
