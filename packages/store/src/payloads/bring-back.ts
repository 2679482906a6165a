import {
  ANY_BYTES,
  ANY_KVLIST,
  ANY_STRING,
  KEY_VALUE_KEY,
  KEY_VALUE_VALUE,
  KVLIST_VALUES,
  LOG_RECORD_ATTRIBUTES,
  SPAN_ATTRIBUTES,
} from '@tracewell/otlp/wire';
import { TracewellError } from '@tracewell/plugin';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { ParquetFile } from '../parquet/file.ts';
import { namesBlobs } from './names.ts';
import { decodeReference, mayRefer, PayloadKind } from './reference.ts';
import { field, logRewriter, type Rewriter, spanRewriter } from './rewrite.ts';

/**
 * The attribute of a span or log record that says which of its values are cut to their beginning, because their
 * blobs are gone or damaged: a map from the attribute's key, or `body`, to the name of the blob.
 */
export const MISSING_PAYLOADS = 'tracewell.missing_payloads';

/** Puts the values that went to the blob store back into the rows of a file, as they are read. */
export class PayloadReader {
  readonly #blobs: Pick<BlobStore, 'get'>;
  readonly #span: Rewriter;
  readonly #log: Rewriter;
  /** Of the record that is being read: the blobs that cannot be, by the keys of the values. */
  readonly #missing = new Map<string, string>();

  private constructor(blobs: Pick<BlobStore, 'get'>) {
    this.#blobs = blobs;
    this.#span = spanRewriter((bytes, start, end, key) => this.#value(bytes, start, end, key));
    this.#log = logRewriter((bytes, start, end, key) => this.#value(bytes, start, end, key));
  }

  /** `undefined` for a file that names no blobs, which most don't: then its rows are whole. */
  static of(file: ParquetFile, blobs: Pick<BlobStore, 'get'> | undefined): PayloadReader | undefined {
    return blobs === undefined || !namesBlobs(file) ? undefined : new PayloadReader(blobs);
  }

  /** A `Span` message with all of its values. A blob that cannot be read leaves {@link MISSING_PAYLOADS}. */
  span(message: Uint8Array): Uint8Array {
    return this.#record(message, this.#span, SPAN_ATTRIBUTES);
  }

  /** As {@link PayloadReader.span}, of a `LogRecord` message. */
  log(message: Uint8Array): Uint8Array {
    return this.#record(message, this.#log, LOG_RECORD_ATTRIBUTES);
  }

  #record(message: Uint8Array, rewriter: Rewriter, attributesKey: number): Uint8Array {
    if (!mayRefer(message)) return message;
    const whole = rewriter(message, 0, message.length) ?? message;
    if (this.#missing.size === 0) return whole;
    const missing = keyValue(MISSING_PAYLOADS, mapValue(this.#missing));
    this.#missing.clear();
    return Buffer.concat([whole, field(attributesKey, missing)]);
  }

  #value(bytes: Uint8Array, start: number, end: number, key: () => string): Uint8Array | undefined {
    const reference = decodeReference(bytes, start, end);
    if (reference === undefined) return undefined;
    let contents: Uint8Array;
    try {
      contents = this.#blobs.get(reference.name);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      this.#missing.set(key(), reference.name);
      return undefined;
    }
    if (reference.kind === PayloadKind.VALUE) return contents;
    return field(reference.kind === PayloadKind.BYTES ? ANY_BYTES : ANY_STRING, contents);
  }
}

/** Whether the blob is at fault, or the disk, and not the program. */
function isUnreadable(error: unknown): boolean {
  const { syscall } = error as NodeJS.ErrnoException;
  return syscall !== undefined || (error instanceof TracewellError && error.code.startsWith('TW_BLOB_'));
}

function keyValue(key: string, value: Uint8Array): Uint8Array {
  return Buffer.concat([field(KEY_VALUE_KEY, Buffer.from(key)), field(KEY_VALUE_VALUE, value)]);
}

/** The `AnyValue` of a map of texts. */
function mapValue(texts: ReadonlyMap<string, string>): Uint8Array {
  const entries = Array.from(texts, ([key, text]) =>
    field(KVLIST_VALUES, keyValue(key, field(ANY_STRING, Buffer.from(text)))),
  );
  return field(ANY_KVLIST, Buffer.concat(entries));
}
