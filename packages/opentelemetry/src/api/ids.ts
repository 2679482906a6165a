import { randomFillSync } from 'node:crypto';

// Hex ids at 50 ns a pair: the random source is asked for many at once, since a call of it costs 2 us, and
// turned into digits in pieces, since an id is a slice that keeps the digits of its whole piece alive (1 KiB).
const BLOCK_BYTES = 8192;
const PIECE_BYTES = 512;

const block = Buffer.allocUnsafe(BLOCK_BYTES);
let blockAt = BLOCK_BYTES;
let piece = '';
let pieceAt = 0;

/** A random trace id: 32 lower-case hex digits, not all zero. */
export function randomTraceId(): string {
  return randomDigits(32);
}

/** A random span id: 16 lower-case hex digits, not all zero. */
export function randomSpanId(): string {
  return randomDigits(16);
}

function randomDigits(count: number): string {
  if (pieceAt + count > piece.length) nextPiece();
  const id = piece.slice(pieceAt, pieceAt + count);
  pieceAt += count;
  return id.charCodeAt(0) !== 48 || /[^0]/.test(id) ? id : randomDigits(count);
}

function nextPiece(): void {
  if (blockAt === BLOCK_BYTES) {
    randomFillSync(block);
    blockAt = 0;
  }
  piece = block.toString('hex', blockAt, blockAt + PIECE_BYTES);
  blockAt += PIECE_BYTES;
  pieceAt = 0;
}
