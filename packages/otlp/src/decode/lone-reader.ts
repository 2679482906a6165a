import { DEFAULT_LIMITS, type DecodeLimits, resolveLimits } from '../decode-limits.ts';
import { Reader } from './reader.ts';

const NO_BYTES = new Uint8Array(0);
// One for all calls, which never overlap: what is decoded one after the other mostly shares a trace.
const reader = new Reader(NO_BYTES, 0, DEFAULT_LIMITS);

/** The reader for a message that is decoded alone. It must be released before the call returns. */
export function openReader(bytes: Uint8Array, start: number, limits: DecodeLimits | undefined): Reader {
  reader.reset(bytes, start, resolveLimits(limits));
  return reader;
}

/** Lets go of the bytes, so that they are not kept in memory for it. */
export function releaseReader(): void {
  reader.bytes = NO_BYTES;
}
