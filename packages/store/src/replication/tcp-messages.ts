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
  #pieces: Buffer[] = [];
  #length = 0;

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
    this.#pieces.push(piece);
    this.#length += piece.length;
    while (this.#length >= HEAD_BYTES) {
      if (this.#pieces[0]!.length < HEAD_BYTES) this.#join();
      const head = this.#pieces[0]!;
      const length = head.readUInt32LE(0);
      if (length > this.#maxBytes()) return false;
      if (this.#length < HEAD_BYTES + length) return true;
      this.#join();
      const all = this.#pieces[0]!;
      const rest = all.subarray(HEAD_BYTES + length);
      this.#pieces = rest.length > 0 ? [rest] : [];
      this.#length = rest.length;
      this.#onMessage(all[4]!, all.subarray(HEAD_BYTES, HEAD_BYTES + length));
    }
    return true;
  }

  #join(): void {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces, this.#length)];
  }
}
