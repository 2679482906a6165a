/** What one proxy said of the request that it forwarded; only what becomes attributes. */
export interface ForwardedElement {
  readonly for?: string;
  readonly host?: string;
  readonly proto?: string;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const PAIR = new RegExp(`[ \\t]*(${TOKEN})=(?:(${TOKEN})|"((?:[^"\\\\]|\\\\.)*)")[ \\t]*([;,]|$)`, 'y');

/**
 * Parses a `Forwarded` header. A malformed one counts as absent: whoever sends nonsense is not believed in
 * part.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7239#section-4
 */
export function parseForwarded(header: string): ForwardedElement[] {
  const elements: ForwardedElement[] = [];
  let element: Record<string, string> = Object.create(null);
  PAIR.lastIndex = 0;
  for (;;) {
    const pair = PAIR.exec(header);
    if (pair === null) return [];
    const [, name, token, quoted, end] = pair;
    element[name!.toLowerCase()] = token ?? quoted!.replace(/\\(.)/g, '$1');
    if (end !== ';') {
      elements.push(element);
      element = Object.create(null);
    }
    if (end === '') return elements;
  }
}
