import type { Agent, IncomingMessage, RequestOptions } from 'node:http';
import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import { context } from '@opentelemetry/api';
import { ExportError } from '@tracewell/plugin';
import { suppressTracing } from '../api/context.ts';
import type { OtlpConfiguration } from './configuration.ts';

/** What is read of an answer. A partial success is some hundred bytes. */
const MAX_ANSWER_BYTES = 1 << 20;
/** Compressing less than this takes less time than handing it to another thread. */
const SYNC_GZIP_BYTES = 32 << 10;

const gzipAsync = promisify(gzip);

/** What a receiver answered. */
export interface OtlpAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly contentType: string | undefined;
  readonly body: Buffer;
  /** The headers that went out, so that whoever quotes the body can keep them out. */
  readonly sentHeaders: Readonly<Record<string, string>>;
}

/**
 * Posts OTLP bytes over HTTP. OpenTelemetry's own transport takes bytes too, but cannot be had without its
 * retries, and those would multiply with the ones of `bufferedPlugin`, swallow `Retry-After`, and not end
 * when nobody waits any more.
 */
export class OtlpTransport {
  readonly #configuration: OtlpConfiguration;
  #connection: Promise<{ request: typeof import('node:http').request; agent: Agent }> | undefined;

  constructor(configuration: OtlpConfiguration) {
    this.#configuration = configuration;
  }

  /**
   * Posts one request, invisible to any instrumentation.
   *
   * @throws ExportError if no answer came; retryable unless the request itself is impossible
   */
  async post(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<OtlpAnswer> {
    const { url, compression, timeoutMs, userAgent } = this.#configuration;
    const deadline = AbortSignal.timeout(timeoutMs);
    const aborted = signal === undefined ? deadline : AbortSignal.any([deadline, signal]);
    try {
      const [{ request, agent }, headers] = await Promise.all([
        this.#connect(),
        this.#configuration.headers(),
      ]);
      const body = compression === 'gzip' ? await compress(bytes) : bytes;
      const sent: Record<string, string> = {
        ...headers,
        'user-agent': userAgent,
        'content-length': String(body.length),
        ...(compression === 'gzip' && { 'content-encoding': 'gzip' }),
      };
      return await context.with(suppressTracing(context.active()), () =>
        exchange(request, url, { method: 'POST', headers: sent, agent, signal: aborted }, sent, body),
      );
    } catch (cause) {
      throw this.#error(cause, deadline.aborted, signal?.aborted === true);
    }
  }

  /** Closes the connections that are kept. */
  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    (await connection?.catch(() => undefined))?.agent.destroy();
  }

  #connect(): Promise<{ request: typeof import('node:http').request; agent: Agent }> {
    this.#connection ??= (async () => {
      const { protocol } = this.#configuration.url;
      const [{ request }, agent] = await Promise.all([
        protocol === 'https:' ? import('node:https') : import('node:http'),
        this.#configuration.agent(protocol),
      ]);
      return { request: request as typeof import('node:http').request, agent };
    })().catch((error) => {
      this.#connection = undefined;
      throw error;
    });
    return this.#connection;
  }

  #error(cause: unknown, timedOut: boolean, aborted: boolean): ExportError {
    const { url, timeoutMs } = this.#configuration;
    const where = `${url.origin}${url.pathname}`;
    if (timedOut) {
      return new ExportError(`${where} did not answer within ${timeoutMs} ms`, {
        retryable: true,
        code: 'TW_EXPORT_TIMEOUT',
      });
    }
    if (aborted) {
      return new ExportError(`the request to ${where} was given up`, {
        retryable: true,
        code: 'TW_EXPORT_TIMEOUT',
      });
    }
    const code = errorCode(cause);
    // What Node refuses to send at all, a line break in a header say, it will refuse again. Neither the
    // cause nor its message goes on: for such an error they may quote the header.
    if (code?.startsWith('ERR_INVALID_') || code?.startsWith('ERR_HTTP_')) {
      return new ExportError(`the request to ${where} cannot be sent: ${code}; check its headers`, {
        retryable: false,
      });
    }
    return new ExportError(`${where} cannot be reached: ${code ?? nameOf(cause)}`, {
      retryable: true,
      ...(code !== undefined && { cause }),
    });
  }
}

async function compress(bytes: Uint8Array): Promise<Buffer> {
  return bytes.length <= SYNC_GZIP_BYTES ? gzipSync(bytes) : gzipAsync(bytes);
}

function exchange(
  request: typeof import('node:http').request,
  url: URL,
  options: RequestOptions,
  sentHeaders: Readonly<Record<string, string>>,
  body: Uint8Array,
): Promise<OtlpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<OtlpAnswer>();
  const sending = request(url, options, (answer: IncomingMessage) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (): void => {
      resolve({
        status: answer.statusCode ?? 0,
        retryAfter: answer.headers['retry-after'],
        contentType: answer.headers['content-type'],
        body: Buffer.concat(chunks),
        sentHeaders,
      });
    };
    answer.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_ANSWER_BYTES) chunks.push(chunk);
      else {
        // The status is what counts, and it is known.
        finish();
        answer.destroy();
      }
    });
    answer.on('end', finish);
    answer.on('error', reject);
  });
  sending.on('error', reject);
  sending.end(body);
  return promise;
}

function errorCode(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
