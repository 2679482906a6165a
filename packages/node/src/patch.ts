/** Takes something back; calling it again does nothing. */
export type Undo = () => void;

/**
 * Replaces a method that many objects share, usually one of a prototype.
 *
 * @param wrap - gets the method and returns what takes its place
 * @returns puts the method back, unless somebody has since replaced ours in turn: theirs may call it
 */
export function patchMethod<Target extends object, Key extends keyof Target>(
  target: Target,
  key: Key,
  wrap: (original: Target[Key]) => Target[Key],
): Undo {
  const own = Object.getOwnPropertyDescriptor(target, key);
  const patched = wrap(target[key]);
  Object.defineProperty(target, key, {
    value: patched,
    writable: true,
    configurable: true,
    enumerable: own?.enumerable ?? false,
  });
  return () => {
    if (target[key] !== patched) return;
    if (own === undefined) delete target[key];
    else Object.defineProperty(target, key, own);
  };
}
