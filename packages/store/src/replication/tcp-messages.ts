/**
 * What a leader and a standby say to each other over TCP. A message is its length (u32, little-endian, without these
 * five bytes), its type (u8) and its body. The leader asks, the standby answers each question in turn.
 *
 * ```
 * 1 hello     the token, in UTF-8; empty if there is none
 * 2 record    a framed record
 * 3 position  the writer, 16 hex digits, a space, and the leader's epoch in decimal
 * 4 done      JSON: the answer; null for none
 * 5 failed    JSON: code, message, position, epoch
 * ```
 */
import type { Socket } from 'node:net';

/** The types of messages. */
export const MessageType = { HELLO: 1, RECORD: 2, POSITION: 3, DONE: 4, FAILED: 5 } as const;

const HEAD_BYTES = 5;

/** Sends a message. */
export function sendMessage(socket: Socket, type: number, body: Uint8Array): void {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(body.length, 0);
  head[4] = type;
  socket.cork();
  socket.write(head);
  socket.write(body);
  socket.uncork();
}

/** Sends a message whose body is JSON. */
export function sendJson(socket: Socket, type: number, value: unknown): void {
  sendMessage(socket, type, Buffer.from(JSON.stringify(value) ?? 'null'));
}

/** Puts messages together from what a socket receives. */
export class MessageReader {
  readonly #onMessage: (type: number, body: Buffer) => void;
  readonly #maxBytes: () => number;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  readonly #free: Buffer[] = [];
  #body: Buffer | undefined;
  /** Bytes that are there of the head, or of the body once there is one. */
  #filled = 0;

  /** @param maxBytes - of the next message; nothing larger is ever put together */
  constructor(onMessage: (type: number, body: Buffer) => void, maxBytes: () => number) {
    this.#onMessage = onMessage;
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes what has been received.
   *
   * @returns `false` if the other side does not keep to the protocol
   */
  push(piece: Buffer): boolean {
    for (let at = 0; at < piece.length || this.#body?.length === this.#filled; ) {
      const target = this.#body ?? this.#head;
      const count = piece.copy(target, this.#filled, at);
      at += count;
      this.#filled += count;
      if (this.#filled < target.length) return true;
      this.#filled = 0;
      if (this.#body === undefined) {
        const length = this.#head.readUInt32LE(0);
        if (length > this.#maxBytes()) return false;
        this.#body = this.#memory(length);
      } else {
        this.#body = undefined;
        this.#onMessage(this.#head[4]!, target);
      }
    }
    return true;
  }

  /** Gives back the memory of a message that is dealt with, for the next one. */
  recycle({ buffer }: Buffer): void {
    if (buffer.byteLength >= LARGE_BYTES && this.#free.length < MAX_FREE)
      this.#free.push(Buffer.from(buffer));
  }

  #memory(length: number): Buffer {
    if (length < LARGE_BYTES) return Buffer.alloc(length);
    const free = this.#free.pop();
    if (free !== undefined && free.length >= length) return free.subarray(0, length);
    // Room for what may come next, so that it need not be thrown away at once.
    return Buffer.allocUnsafeSlow(Math.max(MIN_MEMORY_BYTES, length)).subarray(0, length);
  }
}

/** Messages from this size on are put together in memory that is used again. */
const LARGE_BYTES = 64 * 1024;
const MIN_MEMORY_BYTES = 2 * 1024 * 1024;
const MAX_FREE = 4;
