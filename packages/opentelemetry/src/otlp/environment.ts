import { readFileSync } from 'node:fs';

/** What the variables of OpenTelemetry's OTLP exporter say; absent where they say nothing, or nothing sensible. */
export interface OtlpEnvironment {
  readonly url: URL | undefined;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly compression: 'none' | 'gzip' | undefined;
  readonly timeoutMs: number | undefined;
  readonly exitTimeoutMs: number | undefined;
  /** PEM: authorities to trust, and this client's certificate and key. */
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
}

/**
 * Reads `OTEL_EXPORTER_OTLP_*`, and `TRACEWELL_EXIT_TIMEOUT`, for which there is none. For each setting the variable for traces comes before the one for all
 * signals; only headers are taken from both.
 *
 * @param onWarning - is told of a value that is left out because it makes no sense; never the value of a
 * header or of a URL, which may be secret
 * @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export function otlpEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  onWarning: (message: string) => void,
): OtlpEnvironment {
  /** The more specific variable that is set, with its name. */
  const setting = (suffix: string): { name: string; value: string } | undefined => {
    for (const name of [`OTEL_EXPORTER_OTLP_TRACES_${suffix}`, `OTEL_EXPORTER_OTLP_${suffix}`]) {
      const value = env[name]?.trim();
      if (value) return { name, value };
    }
    return undefined;
  };

  const readUrl = (): URL | undefined => {
    const endpoint = setting('ENDPOINT');
    if (endpoint === undefined) return undefined;
    const url = URL.canParse(endpoint.value) ? new URL(endpoint.value) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol)) {
      onWarning(`${endpoint.name} must be an absolute http: or https: URL; it was ignored.`);
      return undefined;
    }
    // The endpoint for all signals is a base, the one for traces is taken as it is.
    if (endpoint.name === 'OTEL_EXPORTER_OTLP_ENDPOINT') {
      url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/traces`;
    }
    return url;
  };

  const readExitTimeout = (): number | undefined => {
    const text = env.TRACEWELL_EXIT_TIMEOUT?.trim();
    if (!text) return undefined;
    const value = Number(text);
    if (value >= 0 && Number.isFinite(value)) return value;
    onWarning(
      `TRACEWELL_EXIT_TIMEOUT must be a number of milliseconds from 0 on, got "${text}"; it was ignored.`,
    );
    return undefined;
  };

  const readTimeout = (): number | undefined => {
    const timeout = setting('TIMEOUT');
    if (timeout === undefined) return undefined;
    const value = Number(timeout.value);
    if (value > 0 && Number.isFinite(value)) return value;
    onWarning(
      `${timeout.name} must be a number of milliseconds above 0, got "${timeout.value}"; it was ignored.`,
    );
    return undefined;
  };

  const readCompression = (): 'none' | 'gzip' | undefined => {
    const compression = setting('COMPRESSION');
    if (compression === undefined) return undefined;
    const { name, value } = compression;
    if (value === 'none' || value === 'gzip') return value;
    onWarning(`${name} must be "none" or "gzip", got "${value}"; it was ignored.`);
    return undefined;
  };

  const readHeaders = (name: string): Record<string, string> => {
    const { headers, malformed } = parseHeaders(env[name]);
    if (malformed > 0) {
      onWarning(
        `${name}: ${malformed} of its members are not key=value, percent-encoded; they were ignored.`,
      );
    }
    return headers;
  };

  const readFile = (suffix: string): Buffer | undefined => {
    const file = setting(suffix);
    if (file === undefined) return undefined;
    try {
      return readFileSync(file.value);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      onWarning(`${file.name}: the file ${file.value} cannot be read (${code}); it was ignored.`);
      return undefined;
    }
  };

  const protocol = setting('PROTOCOL');
  if (protocol !== undefined && protocol.value !== 'http/protobuf') {
    onWarning(
      `${protocol.name}=${protocol.value} is not spoken here: spans are posted as http/protobuf, ` +
        'which collectors take on port 4318 by default.',
    );
  }

  const ca = readFile('CERTIFICATE');
  const cert = readFile('CLIENT_CERTIFICATE');
  const key = readFile('CLIENT_KEY');
  return {
    url: readUrl(),
    headers: {
      ...readHeaders('OTEL_EXPORTER_OTLP_HEADERS'),
      ...readHeaders('OTEL_EXPORTER_OTLP_TRACES_HEADERS'),
    },
    compression: readCompression(),
    timeoutMs: readTimeout(),
    exitTimeoutMs: readExitTimeout(),
    tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
  };
}

/** `key=value,key=value` in the form of W3C Baggage, percent-encoded; members that are malformed are counted. */
function parseHeaders(list: string | undefined): { headers: Record<string, string>; malformed: number } {
  const headers: Record<string, string> = {};
  let malformed = 0;
  for (const member of (list ?? '').split(',')) {
    if (member.trim() === '') continue;
    const pair = member.split(';', 1)[0]!;
    const equals = pair.indexOf('=');
    try {
      const key = decodeURIComponent(pair.slice(0, Math.max(0, equals)).trim());
      const value = decodeURIComponent(pair.slice(equals + 1).trim());
      if (key === '' || value === '') malformed += 1;
      else headers[key.toLowerCase()] = value;
    } catch {
      // A percent sign that begins nothing.
      malformed += 1;
    }
  }
  return { headers, malformed };
}
