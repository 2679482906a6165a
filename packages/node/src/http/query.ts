/**
 * Query parameters whose values are secrets by their nature, the published HTTP instrumentation's own list:
 * signatures and credentials of presigned URLs.
 */
export const SENSITIVE_QUERY_PARAMETERS: readonly string[] = [
  'sig',
  'Signature',
  'AWSAccessKeyId',
  'X-Goog-Signature',
  'X-Amz-Signature',
  'X-Amz-Credential',
  'X-Amz-Security-Token',
];

const REDACTED = 'REDACTED';

/**
 * A query string (without its `?`) as `URLSearchParams` writes it, the values of some parameters replaced
 * by `REDACTED`.
 *
 * @param redacted - names of parameters, compared exactly
 */
export function redactedQuery(query: string, redacted: ReadonlySet<string>): string {
  if (isCanonical(query, redacted)) return query;
  const parameters = new URLSearchParams(query);
  for (const name of redacted) if (parameters.has(name)) parameters.set(name, REDACTED);
  return parameters.toString();
}

/** Whether a query string (without its `?`) has one of some parameters. */
export function hasParameter(query: string, names: ReadonlySet<string>): boolean {
  if (query === '') return false;
  const parameters = new URLSearchParams(query);
  for (const name of names) if (parameters.has(name)) return true;
  return false;
}

const AMPERSAND = 38;
const EQUALS = 61;

// Characters that URLSearchParams writes as they are: letters, digits, `*-._`, and `+`, which it reads as a
// space and writes as `+` again.
const PLAIN = new Uint8Array(128);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-._+') {
  PLAIN[character.charCodeAt(0)] = 1;
}

/**
 * Whether `URLSearchParams` would write the query back unchanged and nothing in it is redacted. Most queries
 * of most servers are like that, and going over them is ten times cheaper than parsing them.
 */
function isCanonical(query: string, redacted: ReadonlySet<string>): boolean {
  let nameStart = 0;
  let equalsAt = -1;
  for (let at = 0; at <= query.length; at++) {
    const code = at === query.length ? AMPERSAND : query.charCodeAt(at);
    if (code === AMPERSAND) {
      if (equalsAt === -1) return false; // `a` is written as `a=`, and an empty piece vanishes
      if (redacted.has(query.slice(nameStart, equalsAt))) return false;
      nameStart = at + 1;
      equalsAt = -1;
    } else if (code === EQUALS) {
      if (equalsAt !== -1) return false; // a second `=` is written as %3D
      equalsAt = at;
    } else if (code > 127 || PLAIN[code] === 0) {
      return false;
    }
  }
  return true;
}
