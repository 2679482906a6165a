import type { Attributes } from '@tracewell/plugin';

/** Reads the headers that were asked for as attributes `http.<direction>.header.<name>`. */
export type HeaderCapture = (
  header: (name: string) => string | number | readonly string[] | undefined,
) => Attributes;

/**
 * @param direction - whose headers they are
 * @param names - the headers, in any case
 * @returns `undefined` if there is nothing to capture, so that nothing needs doing per request
 */
export function headerCapture(
  direction: 'request' | 'response',
  names: readonly string[] | undefined,
): HeaderCapture | undefined {
  if (names === undefined || names.length === 0) return undefined;
  const keys = new Map(
    names.map((name) => [name.toLowerCase(), `http.${direction}.header.${name.toLowerCase()}`]),
  );
  return (header) => {
    const attributes: Record<string, readonly (string | number)[]> = {};
    for (const [name, key] of keys) {
      const value = header(name);
      if (value === undefined) continue;
      attributes[key] = typeof value === 'object' ? value : [value];
    }
    return attributes;
  };
}
