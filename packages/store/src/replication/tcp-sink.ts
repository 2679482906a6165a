import { connect, type Socket } from 'node:net';
import { ReplicationError, type WalPosition } from './replication-error.ts';
import { MessageReader, MessageType, sendMessage } from './tcp-messages.ts';
import type { WalSink } from './wal-sink.ts';

/** Where a standby listens. */
export interface TcpSinkOptions {
  /** Default `127.0.0.1`. The connection is not encrypted: over anything but a trusted network, put a tunnel there. */
  readonly host?: string;
  readonly port: number;
  /** What the standby's `serveWal` was given. */
  readonly token?: string;
  /** Names the standby. Default `standby`. */
  readonly name?: string;
  /** Milliseconds without an answer after which the connection is given up and made anew. Default 10,000. */
  readonly timeoutMs?: number;
}

const MAX_ANSWER_BYTES = 64 * 1024;

/** A question that waits for its answer. */
interface Question {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A standby behind TCP, where `serveWal` listens. Connects when it is first used, and again after a failure.
 *
 * @example
 * ```ts no-run
 * import { openStore, tcpWalSink } from '@tracewell/store';
 *
 * const leader = await openStore('.tracewell', { replication: { sinks: [tcpWalSink({ port: 4417 })] } });
 * ```
 */
export function tcpWalSink(options: TcpSinkOptions): WalSink {
  return new TcpSink(options);
}

class TcpSink implements WalSink {
  readonly name: string;
  readonly #options: TcpSinkOptions;
  #socket: Socket | undefined;
  #questions: Question[] = [];
  #closed = false;

  constructor(options: TcpSinkOptions) {
    this.name = options.name ?? 'standby';
    this.#options = options;
  }

  applyFramedWal(record: Uint8Array): Promise<WalPosition> {
    return this.#ask<WalPosition>(MessageType.RECORD, record);
  }

  async walPosition(writer: string, epoch: number): Promise<WalPosition | undefined> {
    const position = await this.#ask<WalPosition | null>(
      MessageType.POSITION,
      Buffer.from(`${writer} ${epoch}`),
    );
    return position ?? undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#socket?.destroy();
    this.#end(this.#socket, new Error('the sink was closed'));
  }

  #ask<Answer>(type: number, body: Uint8Array): Promise<Answer> {
    if (this.#closed) return Promise.reject(new Error('the sink is closed'));
    this.#socket ??= this.#connect();
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#questions.push({ resolve: resolve as (answer: unknown) => void, reject });
    this.#socket.setTimeout(this.#options.timeoutMs ?? 10_000);
    sendMessage(this.#socket, type, body);
    return promise;
  }

  #connect(): Socket {
    const { host = '127.0.0.1', port, token = '' } = this.#options;
    const socket = connect({ host, port, noDelay: true });
    socket.unref();
    const reader = new MessageReader(
      (type, body) => this.#answered(socket, type, body),
      () => MAX_ANSWER_BYTES,
    );
    socket.on('data', (piece) => {
      if (!reader.push(piece)) this.#end(socket, new Error('the other side does not speak this protocol'));
    });
    socket.on('error', (error) => this.#end(socket, error));
    socket.on('close', () => this.#end(socket, new Error('the standby has closed the connection')));
    socket.on('timeout', () => this.#end(socket, new Error('the standby does not answer')));
    sendMessage(socket, MessageType.HELLO, Buffer.from(token));
    return socket;
  }

  #answered(socket: Socket, type: number, body: Buffer): void {
    const question = this.#questions.shift();
    if (this.#questions.length === 0) socket.setTimeout(0);
    const answer = JSON.parse(body.toString()) as unknown;
    if (type === MessageType.DONE) question?.resolve(answer);
    else question?.reject(errorOf(answer as Failure));
  }

  #end(socket: Socket | undefined, error: Error): void {
    if (socket === undefined || this.#socket !== socket) return;
    this.#socket = undefined;
    socket.destroy();
    for (const { reject } of this.#questions.splice(0)) reject(error);
  }
}

/** What a standby says of a failure. */
export interface Failure {
  readonly code?: string;
  readonly message: string;
  readonly position?: WalPosition;
  readonly epoch?: number;
}

function errorOf({ code, message, position, epoch }: Failure): Error {
  if (code === undefined || !code.startsWith('TW_REPLICATION_')) return new Error(message);
  return new ReplicationError(code as ReplicationError['code'], message, {
    position,
    ...(epoch !== undefined && { epoch }),
  });
}
