import {
  ANY_BYTES,
  ANY_STRING,
  LOG_RECORD_OBSERVED_TIME,
  LOG_RECORD_TIME,
  readFixed32,
  readVarint,
  SPAN_START_TIME,
  skipVarint,
} from '@tracewell/otlp/wire';
import type { BlobStore } from '../blobs/blob-store.ts';
import { attributeText } from '../cold/attributes/key-value.ts';
import { skipField } from '../cold/attributes/skip-field.ts';
import { Hours } from '../cold/hours.ts';
import {
  bytesPrefix,
  encodeReference,
  mayRefer,
  PAYLOAD_BYTES,
  PayloadKind,
  textPrefix,
  withoutReference,
} from './reference.ts';
import { asKeyValue, logRewriter, type Rewriter, requestRewriter, spanRewriter } from './rewrite.ts';

/** The signals that have payloads. */
export type PayloadSignal = 'spans' | 'logs';

/**
 * Moves the large values of requests to the blob store, on their way to the cold tier. They are durable after
 * {@link PayloadMover.flush}, which must come before a file that names them becomes visible.
 */
export class PayloadMover {
  readonly #blobs: Pick<BlobStore, 'put' | 'flush'>;
  readonly #hours = new Hours();
  readonly #rewriters: Readonly<Record<PayloadSignal, Rewriter>>;
  /** The names of blobs, by signal and hour. */
  readonly #names: Readonly<Record<PayloadSignal, Map<number, Set<string>>>> = {
    spans: new Map(),
    logs: new Map(),
  };
  // Of the record that is being looked at.
  #found: string[] = [];
  #mayRefer = false;

  constructor(blobs: Pick<BlobStore, 'put' | 'flush'>) {
    this.#blobs = blobs;
    this.#rewriters = {
      spans: this.#requestRewriter('spans', SPAN_START_TIME),
      logs: this.#requestRewriter('logs', LOG_RECORD_TIME, LOG_RECORD_OBSERVED_TIME),
    };
  }

  /**
   * Stores the values of a request that are above {@link PAYLOAD_BYTES}.
   *
   * @returns the request with references in their place; the same one if it has none
   * @throws what the file system throws
   */
  moveOut(signal: PayloadSignal, request: Uint8Array): Uint8Array {
    this.#mayRefer = mayRefer(request);
    if (request.length <= PAYLOAD_BYTES && !this.#mayRefer) return request;
    return this.#rewriters[signal](request, 0, request.length) ?? request;
  }

  /** The names of the blobs that the rows of an hour name. */
  namesOf(signal: PayloadSignal, hour: number): ReadonlySet<string> {
    return this.#names[signal].get(hour) ?? new Set();
  }

  /** Makes what was stored durable. */
  flush(): void {
    this.#blobs.flush();
  }

  /** @param timeKeys - the fields that say to which hour a record belongs; of those that are set the first */
  #requestRewriter(signal: PayloadSignal, ...timeKeys: readonly number[]): Rewriter {
    const rewrite = (signal === 'spans' ? spanRewriter : logRewriter)((bytes, start, end) =>
      this.#value(bytes, start, end),
    );
    const names = this.#names[signal];
    return requestRewriter((bytes, start, end) => {
      // Nearly every record ends here.
      if (end - start <= PAYLOAD_BYTES && !this.#mayRefer) return undefined;
      this.#found = [];
      const rewritten = rewrite(bytes, start, end);
      if (this.#found.length === 0) return rewritten;
      const hour = this.#hourOf(bytes, start, end, timeKeys);
      let ofHour = names.get(hour);
      if (ofHour === undefined) {
        ofHour = new Set();
        names.set(hour, ofHour);
      }
      for (const name of this.#found) ofHour.add(name);
      return rewritten;
    });
  }

  #value(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
    const own = this.#mayRefer ? withoutReference(bytes, start, end) : undefined;
    if (own !== undefined) return this.#value(own, 0, own.length) ?? own;
    if (end - start <= PAYLOAD_BYTES) return undefined;
    const body = onlyBody(bytes, start, end);
    if (body < 0) return this.#store(PayloadKind.VALUE, bytes, start, end, valuePrefix(bytes, start, end));
    if (end - body <= PAYLOAD_BYTES) return undefined;
    return bytes[start] === ANY_STRING
      ? this.#store(PayloadKind.STRING, bytes, body, end, textPrefix(bytes, body, end))
      : this.#store(PayloadKind.BYTES, bytes, body, end, bytesPrefix(bytes, body, end));
  }

  #store(kind: PayloadKind, bytes: Uint8Array, start: number, end: number, prefix: Uint8Array): Uint8Array {
    const name = this.#blobs.put(bytes.subarray(start, end));
    this.#found.push(name);
    return encodeReference({ kind, length: end - start, name }, prefix);
  }

  #hourOf(bytes: Uint8Array, start: number, end: number, timeKeys: readonly number[]): number {
    const times = timeKeys.map(() => [0, 0] as [low: number, high: number]);
    for (let at = start; at < end; ) {
      const key = readVarint(bytes, at);
      const field = skipVarint(bytes, at);
      at = skipField(bytes, field, key);
      const which = timeKeys.indexOf(key);
      if (which >= 0) times[which] = [readFixed32(bytes, field), readFixed32(bytes, field + 4)];
    }
    const [low, high] = times.find((time) => time[0] !== 0 || time[1] !== 0) ?? [0, 0];
    return this.#hours.of(low, high);
  }
}

/** Where the text or the bytes of an `AnyValue` begin that is nothing but that; -1 for others. */
function onlyBody(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] !== ANY_STRING && bytes[start] !== ANY_BYTES) return -1;
  const body = skipVarint(bytes, start + 1);
  return body + readVarint(bytes, start + 1) === end ? body : -1;
}

/** The beginning of any other value as SQL would have it: JSON. */
function valuePrefix(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const keyValue = asKeyValue(bytes, start, end);
  const { value } = attributeText(keyValue, 0, keyValue.length);
  return textPrefix(value, 0, value.length);
}
