// The methods of RFC 9110, PATCH (RFC 5789) and QUERY: what the semantic conventions call known.
const KNOWN = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'QUERY',
]);

/**
 * The value of `http.request.method` for a method as it came: itself in upper case if it is known, `_OTHER`
 * if it is not, so that no client can make a metric's dimension grow.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 */
export function normalizedMethod(method: string): string {
  if (KNOWN.has(method)) return method;
  const upper = method.toUpperCase();
  return KNOWN.has(upper) ? upper : '_OTHER';
}
