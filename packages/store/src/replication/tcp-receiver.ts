import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { TracewellError } from '@tracewell/plugin';
import { ReplicationError } from './replication-error.ts';
import { MessageReader, MessageType, sendJson } from './tcp-messages.ts';
import type { Failure } from './tcp-sink.ts';
import { MAX_RECORD_BYTES } from './wal-record.ts';
import type { WalSink } from './wal-sink.ts';

/** Where {@link serveWal} listens. */
export interface ServeWalOptions {
  /** Default `127.0.0.1`. Any other address needs a `token`. */
  readonly host?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** What a leader must say; at least 16 characters. Default: nothing is asked for. */
  readonly token?: string;
}

/** A standby that listens. */
export interface WalServer {
  readonly host: string;
  readonly port: number;
  /** Ends the connections and the listening. The standby stays open. Idempotent. */
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 64;
/** A leader says who it is within this time. */
const HELLO_TIMEOUT_MS = 5000;
/** What somebody may send who has not said hello. */
const MAX_HELLO_BYTES = 1024;
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost']);

/**
 * Lets leaders ship their logs to a standby, over TCP. Small on purpose: no encryption and no discovery; it listens on
 * loopback, or anywhere with a token.
 *
 * @param standby - a store that was opened with `standby: true`
 * @throws RangeError, as a rejection, for an address other than loopback without a token, or a short one
 *
 * @example
 * ```ts no-run
 * import { openStore, serveWal } from '@tracewell/store';
 *
 * const standby = await openStore('standby', { standby: true });
 * const server = await serveWal(standby, { port: 4417 });
 * ```
 */
export async function serveWal(
  standby: Pick<WalSink, 'applyFramedWal' | 'walPosition'>,
  { host = '127.0.0.1', port = 0, token }: ServeWalOptions = {},
): Promise<WalServer> {
  if (token === undefined && !LOOPBACK.has(host)) {
    throw new RangeError(`serveWal: host ${host} is not loopback and needs a token`);
  }
  if (token !== undefined && token.length < 16) {
    throw new RangeError('serveWal: token must have at least 16 characters');
  }
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket, standby, token ?? '');
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(port, host);
  await once(server, 'listening');
  return {
    host,
    port: (server.address() as AddressInfo).port,
    close: () => close(server, sockets),
  };
}

async function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  if (!server.listening) return;
  server.close();
  await once(server, 'close');
}

function serve(
  socket: Socket,
  standby: Pick<WalSink, 'applyFramedWal' | 'walPosition'>,
  token: string,
): void {
  let greeted = false;
  let turn = Promise.resolve();
  socket.setNoDelay(true);
  socket.setTimeout(HELLO_TIMEOUT_MS, () => socket.destroy());
  // What is wrong with a connection, the leader finds out.
  socket.on('error', () => {});
  const take = (type: number, body: Buffer): void => {
    if (!greeted) {
      greeted = type === MessageType.HELLO && isSame(body.toString(), token);
      if (greeted) socket.setTimeout(0);
      else socket.destroy();
    } else if (type === MessageType.RECORD || type === MessageType.POSITION) {
      // Asked at once, so that the standby can take several together; answered in turn.
      const asked = type === MessageType.RECORD ? standby.applyFramedWal(body) : positionOf(standby, body);
      asked.catch(() => {});
      turn = turn.then(() => answer(socket, asked)).then(() => reader.recycle(body));
    } else {
      socket.destroy();
    }
  };
  const reader = new MessageReader(take, () => (greeted ? MAX_RECORD_BYTES : MAX_HELLO_BYTES));
  socket.on('data', (piece) => {
    if (!reader.push(piece)) socket.destroy();
  });
}

async function answer(socket: Socket, asked: Promise<unknown>): Promise<void> {
  try {
    sendJson(socket, MessageType.DONE, (await asked) ?? null);
  } catch (error) {
    sendJson(socket, MessageType.FAILED, failureOf(error));
  }
}

async function positionOf(standby: Pick<WalSink, 'walPosition'>, body: Buffer): Promise<unknown> {
  const [writer = '', epoch] = body.toString().split(' ');
  return standby.walPosition(writer, Number(epoch));
}

function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof TracewellError)) return { message };
  if (!(error instanceof ReplicationError)) return { code: error.code, message };
  const { code, position, epoch } = error;
  return { code, message, ...(position && { position }), ...(epoch !== undefined && { epoch }) };
}

function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
