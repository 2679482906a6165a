import type { Agent, AgentOptions } from 'node:http';
import type { AgentOptions as HttpsAgentOptions } from 'node:https';
import { VERSION } from '../version.ts';
import { type OtlpEnvironment, otlpEnvironment } from './environment.ts';

/** Options of `otlpExporter`; but for the last four, those of OpenTelemetry's `OTLPTraceExporter` by the same names. */
export interface OtlpExporterOptions {
  /**
   * Where to post, path included. Default: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, or
   * `OTEL_EXPORTER_OTLP_ENDPOINT` followed by `/v1/traces`, or `http://localhost:4318/v1/traces`.
   */
  readonly url?: string;
  /**
   * Headers to send, or a function that is asked for them before every request, for tokens that expire; while
   * the process exits, when nothing can be waited for, those of the request before are sent.
   * They come before those of `OTEL_EXPORTER_OTLP_HEADERS` and `OTEL_EXPORTER_OTLP_TRACES_HEADERS`. They never appear in an error.
   */
  readonly headers?: Readonly<Record<string, string>> | (() => Promise<Record<string, string>>);
  /** Default: `OTEL_EXPORTER_OTLP_[TRACES_]COMPRESSION`, or `none`. `gzip` costs some 10 ms of CPU a megabyte. */
  readonly compression?: 'none' | 'gzip';
  /**
   * How long one request may take from its first byte to the last of the answer, in milliseconds.
   * Default: `OTEL_EXPORTER_OTLP_[TRACES_]TIMEOUT`, or 10,000.
   */
  readonly timeoutMillis?: number;
  /** Requests in flight at once; further exports fail, to be retried. Default 30. */
  readonly concurrencyLimit?: number;
  /** Whether connections are kept for the next request. Default `true`. */
  readonly keepAlive?: boolean;
  /**
   * Options of the HTTP or HTTPS agent, or a function that makes one. Certificates and key that it does not
   * give come from `OTEL_EXPORTER_OTLP_[TRACES_]CERTIFICATE`, `…_CLIENT_CERTIFICATE` and `…_CLIENT_KEY`.
   * With a function, here or as one of the options, nothing can be delivered while the process exits: it cannot
   * be taken along to another process.
   */
  readonly httpAgentOptions?:
    | AgentOptions
    | HttpsAgentOptions
    | ((protocol: string) => Agent | Promise<Agent>);
  /** Goes before the exporter's own product in the header `User-Agent`. */
  readonly userAgent?: string;
  /**
   * How long delivering may hold up the end of the process, all batches together, in milliseconds. Default:
   * `TRACEWELL_EXIT_TIMEOUT`, and without that 2,000, which only a collector that does not answer uses up; 0
   * delivers nothing while the process exits.
   */
  readonly exitTimeoutMillis?: number;
  /** Where `OTEL_EXPORTER_OTLP_…` variables are read, once, when the exporter is made. Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Names the exporter in errors and statistics. Default `otlp`. */
  readonly name?: string;
  /**
   * Is told, in a sentence each, of variables that make no sense and were ignored, and of what a receiver
   * warned of although it took everything. Default: nobody is told.
   */
  readonly onWarning?: (message: string) => void;
}

/** Where and how to post, everything decided. */
export interface OtlpConfiguration {
  readonly url: URL;
  /** Lower-case names; the content type is among them. */
  readonly headers: Readonly<Record<string, string>> | (() => Promise<Record<string, string>>);
  readonly compression: 'none' | 'gzip';
  readonly timeoutMs: number;
  readonly exitTimeoutMs: number;
  readonly concurrencyLimit: number;
  /** Options, or what makes one. */
  readonly agent: HttpsAgentOptions | ((protocol: string) => Agent | Promise<Agent>);
  readonly userAgent: string;
}

/** Our product in the header `User-Agent`, in the form that OpenTelemetry's specification asks of exporters. */
const USER_AGENT = `OTel-OTLP-Exporter-Tracewell/${VERSION}`;

/** Where a collector on the same machine listens. */
const DEFAULT_URL = 'http://localhost:4318/v1/traces';

/**
 * Merges options, environment variables and defaults, in this order.
 *
 * This does what OpenTelemetry's own exporter does, to which a test holds it. Its code is not used because it
 * comes with nine packages, the whole SDK among them, and takes three times as long to load as the API.
 *
 * @throws RangeError if an option is invalid
 */
export function readConfiguration(options: OtlpExporterOptions): OtlpConfiguration {
  const { url, compression, userAgent } = options;
  if (url !== undefined && !isHttpUrl(url)) {
    // The URL itself stays out of the message: people put passwords into URLs.
    throw new RangeError('otlpExporter: url must be an absolute http: or https: URL');
  }
  if (compression !== undefined && compression !== 'none' && compression !== 'gzip') {
    throw new RangeError(`otlpExporter: compression must be "none" or "gzip", got ${String(compression)}`);
  }
  for (const field of ['timeoutMillis', 'concurrencyLimit'] as const) {
    const value = options[field];
    if (value !== undefined && !(Number.isFinite(value) && value > 0)) {
      throw new RangeError(`otlpExporter: ${field} must be a number above 0, got ${String(value)}`);
    }
  }
  const { exitTimeoutMillis } = options;
  if (exitTimeoutMillis !== undefined && !(Number.isFinite(exitTimeoutMillis) && exitTimeoutMillis >= 0)) {
    throw new RangeError(
      `otlpExporter: exitTimeoutMillis must be a number from 0 on, got ${String(exitTimeoutMillis)}`,
    );
  }
  const environment = otlpEnvironment(options.env ?? process.env, options.onWarning ?? (() => {}));
  return {
    url: url === undefined ? (environment.url ?? new URL(DEFAULT_URL)) : new URL(url),
    headers: headersOf(options, environment),
    compression: compression ?? environment.compression ?? 'none',
    timeoutMs: options.timeoutMillis ?? environment.timeoutMs ?? 10_000,
    exitTimeoutMs: exitTimeoutMillis ?? environment.exitTimeoutMs ?? 2000,
    concurrencyLimit: options.concurrencyLimit ?? 30,
    agent: agentOf(options, environment),
    userAgent: userAgent === undefined ? USER_AGENT : `${userAgent} ${USER_AGENT}`,
  };
}

function headersOf(options: OtlpExporterOptions, environment: OtlpEnvironment): OtlpConfiguration['headers'] {
  const { headers } = options;
  const merge = (given: Readonly<Record<string, string>>): Record<string, string> => {
    const merged: Record<string, string> = { ...environment.headers };
    for (const [key, value] of Object.entries(given)) {
      // One that is undefined, as configuration often is, would be sent as that word.
      if (value !== undefined && value !== null) merged[key.toLowerCase()] = String(value);
    }
    merged['content-type'] = 'application/x-protobuf';
    return merged;
  };
  if (typeof headers === 'function') return async () => merge((await headers()) ?? {});
  return merge(headers ?? {});
}

function agentOf(options: OtlpExporterOptions, environment: OtlpEnvironment): OtlpConfiguration['agent'] {
  const { httpAgentOptions, keepAlive = true } = options;
  if (typeof httpAgentOptions === 'function') return httpAgentOptions;
  return { keepAlive, ...environment.tls, ...httpAgentOptions };
}

function isHttpUrl(url: string): boolean {
  const protocol = URL.canParse(url) ? new URL(url).protocol : undefined;
  return protocol === 'http:' || protocol === 'https:';
}
