import type { Agent, IncomingMessage, RequestOptions } from 'node:http';
import { promisify } from 'node:util';
import { context } from '@opentelemetry/api';
import { ExportError } from '@tracewell/plugin';
import { suppressTracing } from '../api/context.ts';
import type { OtlpConfiguration } from './configuration.ts';
import { type ExitOutcome, postFromChild } from './exit-post.ts';

/** What is read of an answer. A partial success is some hundred bytes. */
const MAX_ANSWER_BYTES = 1 << 20;
/** Compressing less than this takes less time than handing it to another thread. */
const SYNC_GZIP_BYTES = 32 << 10;

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
  readonly #name: string;
  readonly #configuration: OtlpConfiguration;
  #connection: Promise<{ request: typeof import('node:http').request; agent: Agent }> | undefined;
  /** Those of the last request, or those that are always the same. */
  #headers: Readonly<Record<string, string>> | undefined;

  /** @param name - of the exporter, with which every error begins */
  constructor(name: string, configuration: OtlpConfiguration) {
    this.#name = name;
    this.#configuration = configuration;
    if (typeof configuration.headers !== 'function') this.#headers = configuration.headers;
  }

  /**
   * Posts one request, invisible to any instrumentation.
   *
   * @throws ExportError if no answer came; retryable unless the request itself is impossible
   */
  async post(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<OtlpAnswer> {
    const { url, compression, timeoutMs, headers } = this.#configuration;
    const deadline = AbortSignal.timeout(timeoutMs);
    const aborted = signal === undefined ? deadline : AbortSignal.any([deadline, signal]);
    try {
      const [{ request, agent }, asked] = await Promise.all([
        this.#connect(),
        typeof headers === 'function' ? headers() : headers,
      ]);
      this.#headers = asked;
      const body = compression === 'gzip' ? await compress(bytes) : bytes;
      const sent = this.#complete(asked, body);
      return await context.with(suppressTracing(context.active()), () =>
        exchange(request, url, { method: 'POST', headers: sent, agent, signal: aborted }, sent, body),
      );
    } catch (cause) {
      if (deadline.aborted) throw this.#timeout(timeoutMs);
      if (signal?.aborted === true) {
        throw new ExportError(`${this.#name}: the request to ${this.#where} was given up`, {
          retryable: true,
          code: 'TW_EXPORT_TIMEOUT',
        });
      }
      throw this.#error(cause);
    }
  }

  /**
   * Posts one request before it returns, from a process of its own.
   *
   * @param timeoutMs - what is left of `exitTimeoutMs`
   * @throws ExportError if no answer came within this time; retryable unless the request itself is impossible
   */
  postSync(bytes: Uint8Array, timeoutMs: number): OtlpAnswer {
    const { url, compression, agent, exitTimeoutMs } = this.#configuration;
    if (this.#headers === undefined) {
      throw this.#undeliverable('the function that gives the headers was not asked before');
    }
    if (typeof agent === 'function') throw this.#undeliverable('httpAgentOptions is a function');
    if (timeoutMs <= 0) throw this.#timeout(exitTimeoutMs);
    const body = compression === 'gzip' ? zlib().gzipSync(bytes) : bytes;
    const sentHeaders = this.#complete(this.#headers, body);
    let outcome: ExitOutcome;
    try {
      const request = { url: url.href, headers: sentHeaders, body, maxAnswerBytes: MAX_ANSWER_BYTES };
      outcome = context.with(suppressTracing(context.active()), () =>
        postFromChild({ ...request, agent: { ...agent, keepAlive: false } }, timeoutMs),
      );
    } catch {
      throw this.#undeliverable('httpAgentOptions holds a function, or an object that only this process has');
    }
    if (outcome.kind === 'answer') return { ...outcome, sentHeaders };
    if (outcome.kind === 'timeout') throw this.#timeout(exitTimeoutMs);
    if (outcome.kind === 'no-process') throw this.#undeliverable(`no process can post it: ${outcome.why}`);
    throw this.#error(Object.assign(new Error(outcome.message), { code: outcome.code, name: outcome.name }));
  }

  /** Closes the connections that are kept. */
  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    (await connection?.catch(() => undefined))?.agent.destroy();
  }

  #connect(): Promise<{ request: typeof import('node:http').request; agent: Agent }> {
    this.#connection ??= (async () => {
      const { url, agent } = this.#configuration;
      // Loaded when it is needed, which is after instrumentations have had their way with these modules.
      const { request, Agent } =
        url.protocol === 'https:' ? await import('node:https') : await import('node:http');
      return {
        request: request as typeof import('node:http').request,
        agent: typeof agent === 'function' ? await agent(url.protocol) : new Agent(agent),
      };
    })().catch((error) => {
      this.#connection = undefined;
      throw error;
    });
    return this.#connection;
  }

  #complete(headers: Readonly<Record<string, string>>, body: Uint8Array): Record<string, string> {
    const { compression, userAgent } = this.#configuration;
    return {
      ...headers,
      'user-agent': userAgent,
      'content-length': String(body.length),
      ...(compression === 'gzip' && { 'content-encoding': 'gzip' }),
    };
  }

  /** The URL without the parts in which people put passwords. */
  get #where(): string {
    const { origin, pathname } = this.#configuration.url;
    return `${origin}${pathname}`;
  }

  #timeout(timeoutMs: number): ExportError {
    return new ExportError(`${this.#name}: ${this.#where} did not answer within ${timeoutMs} ms`, {
      retryable: true,
      code: 'TW_EXPORT_TIMEOUT',
    });
  }

  #undeliverable(why: string): ExportError {
    return new ExportError(`${this.#name}: ${this.#where} gets nothing while the process exits: ${why}`, {
      retryable: true,
    });
  }

  #error(cause: unknown): ExportError {
    const code = errorCode(cause);
    // What Node refuses to send at all, a line break in a header say, it will refuse again. Neither the
    // cause nor its message goes on: for such an error they may quote the header.
    if (code?.startsWith('ERR_INVALID_') || code?.startsWith('ERR_HTTP_')) {
      return new ExportError(
        `${this.#name}: the request to ${this.#where} cannot be sent: ${code}; check its headers`,
        {
          retryable: false,
        },
      );
    }
    return new ExportError(`${this.#name}: ${this.#where} cannot be reached: ${code ?? nameOf(cause)}`, {
      retryable: true,
      ...(code !== undefined && { cause }),
    });
  }
}

/** Loaded only by those who compress: it takes a millisecond of a start. */
function zlib(): typeof import('node:zlib') {
  return process.getBuiltinModule('node:zlib');
}

async function compress(bytes: Uint8Array): Promise<Buffer> {
  const { gzip, gzipSync } = zlib();
  return bytes.length <= SYNC_GZIP_BYTES ? gzipSync(bytes) : promisify(gzip)(bytes);
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
