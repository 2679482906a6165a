import type { FetchRequest, FetchResponse } from './options.ts';

/** The headers of a request by lower-case name. */
export function requestHeaders({
  headers,
}: Pick<FetchRequest, 'headers'>): Map<string, string | readonly string[]> {
  const byName = new Map<string, string | readonly string[]>();
  if (typeof headers === 'string') {
    for (const line of headers.split('\r\n')) {
      const colon = line.indexOf(':');
      if (colon === -1) continue;
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      const known = byName.get(name);
      byName.set(name, known === undefined ? value : [known, value].flat());
    }
    return byName;
  }
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at];
    if (typeof name === 'string') byName.set(name.toLowerCase(), headers[at + 1]!);
  }
  return byName;
}

/** The headers of a response by lower-case name. */
export function responseHeaders({ headers }: Pick<FetchResponse, 'headers'>): Map<string, readonly string[]> {
  const byName = new Map<string, string[]>();
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = String(headers[at]).toLowerCase();
    const value = String(headers[at + 1]);
    const known = byName.get(name);
    if (known === undefined) byName.set(name, [value]);
    else known.push(value);
  }
  return byName;
}
