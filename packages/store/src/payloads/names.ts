/** Which blobs a file of the cold tier names: in its footer, so that a collection looks at no rows. */
import type { ParquetFile } from '../parquet/file.ts';

/** The key in the footer. Its value are the SHA-256s one after the other, in base64. */
const BLOBS_KEY = 'tracewell.blobs';
const SHA256_BYTES = 32;

/** What the footer is to say, with the names that the file's rows name. */
export function withNames(
  keyValues: ReadonlyMap<string, string> | undefined,
  names: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const all = new Map(keyValues);
  if (names.size > 0) all.set(BLOBS_KEY, Buffer.from([...names].sort().join(''), 'hex').toString('base64'));
  return all;
}

/** Whether a file names blobs. */
export function namesBlobs({ keyValues }: ParquetFile): boolean {
  return keyValues.has(BLOBS_KEY);
}

/** The names of the blobs that a file names. */
export function* blobNames({ keyValues }: ParquetFile): Generator<string> {
  const all = Buffer.from(keyValues.get(BLOBS_KEY) ?? '', 'base64');
  for (let at = 0; at + SHA256_BYTES <= all.length; at += SHA256_BYTES) {
    yield all.toString('hex', at, at + SHA256_BYTES);
  }
}

/** The names of the blobs that some files name. */
export function allBlobNames(files: Iterable<ParquetFile>): Set<string> {
  const names = new Set<string>();
  for (const file of files) for (const name of blobNames(file)) names.add(name);
  return names;
}
