import type { Agent, AgentOptions } from 'node:http';
import type { AgentOptions as HttpsAgentOptions } from 'node:https';
import { createRequire } from 'node:module';
import type { OTLPExporterNodeConfigBase } from '@opentelemetry/otlp-exporter-base';

/** Options of `otlpExporter`; but for the last two, those of OpenTelemetry's `OTLPTraceExporter` by the same names. */
export interface OtlpExporterOptions {
  /**
   * Where to post, path included. Default: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, or
   * `OTEL_EXPORTER_OTLP_ENDPOINT` followed by `/v1/traces`, or `http://localhost:4318/v1/traces`.
   */
  readonly url?: string;
  /**
   * Headers to send, or a function that is asked for them before every request, for tokens that expire.
   * They come before those of `OTEL_EXPORTER_OTLP_[TRACES_]HEADERS`. They never appear in an error.
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
   * Options of the HTTP or HTTPS agent, or a function that makes one. Default: certificates and key from
   * `OTEL_EXPORTER_OTLP_[TRACES_]CERTIFICATE`, `…_CLIENT_CERTIFICATE` and `…_CLIENT_KEY`, if those are set.
   */
  readonly httpAgentOptions?:
    | AgentOptions
    | HttpsAgentOptions
    | ((protocol: string) => Agent | Promise<Agent>);
  /** Goes before the exporter's own product in the header `User-Agent`. */
  readonly userAgent?: string;
  /** Names the exporter in errors and statistics. Default `otlp`. */
  readonly name?: string;
  /** Is told what a receiver warned of although it took everything. Default: nobody is told. */
  readonly onWarning?: (message: string) => void;
}

/** Where and how to post, everything decided. */
export interface OtlpConfiguration {
  readonly url: URL;
  readonly headers: () => Promise<Record<string, string>>;
  readonly compression: 'none' | 'gzip';
  readonly timeoutMs: number;
  readonly concurrencyLimit: number;
  readonly agent: (protocol: string) => Agent | Promise<Agent>;
  readonly userAgent: string;
}

/** Our product in the header `User-Agent`, in the form that OpenTelemetry's specification asks of exporters. */
const USER_AGENT = 'OTel-OTLP-Exporter-Tracewell/0.1.0';

const require = createRequire(import.meta.url);

/**
 * Merges options, environment variables and defaults, by the code of OpenTelemetry's own exporter so that
 * they mean the same here. That code is loaded when the first exporter is made: it takes a fifth of the time
 * in which a program starts, and most programs that import this package have no collector.
 *
 * @throws RangeError if an option is invalid
 */
export function readConfiguration(options: OtlpExporterOptions): OtlpConfiguration {
  const { name: _name, onWarning: _onWarning, ...config } = options;
  if (config.url !== undefined && !isHttpUrl(config.url)) {
    // The URL itself stays out of the message: people put passwords into URLs.
    throw new RangeError('otlpExporter: url must be an absolute http: or https: URL');
  }
  if (config.compression !== undefined && config.compression !== 'none' && config.compression !== 'gzip') {
    throw new RangeError(
      `otlpExporter: compression must be "none" or "gzip", got ${String(config.compression)}`,
    );
  }
  for (const field of ['timeoutMillis', 'concurrencyLimit'] as const) {
    const value = config[field];
    if (value !== undefined && !(Number.isFinite(value) && value > 0)) {
      throw new RangeError(`otlpExporter: ${field} must be a number above 0, got ${String(value)}`);
    }
  }
  const { convertLegacyHttpOptions } =
    require('@opentelemetry/otlp-exporter-base/node-http') as typeof import('@opentelemetry/otlp-exporter-base/node-http');
  const merged = convertLegacyHttpOptions(config as OTLPExporterNodeConfigBase, 'TRACES', 'v1/traces', {
    'Content-Type': 'application/x-protobuf',
  });
  if (!isHttpUrl(merged.url)) {
    throw new RangeError('otlpExporter: OTEL_EXPORTER_OTLP_ENDPOINT must be an absolute http: or https: URL');
  }
  return {
    url: new URL(merged.url),
    headers: merged.headers,
    compression: merged.compression,
    timeoutMs: merged.timeoutMillis,
    concurrencyLimit: merged.concurrencyLimit,
    agent: merged.agentFactory,
    userAgent: options.userAgent === undefined ? USER_AGENT : `${options.userAgent} ${USER_AGENT}`,
  };
}

function isHttpUrl(url: string): boolean {
  const protocol = URL.canParse(url) ? new URL(url).protocol : undefined;
  return protocol === 'http:' || protocol === 'https:';
}
