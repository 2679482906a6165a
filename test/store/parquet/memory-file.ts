// A file in memory, to write and to read.
import type { ReadableFile } from '../../../packages/store/src/parquet/file.ts';
import type { Sink } from '../../../packages/store/src/parquet/output.ts';

export class MemorySink implements Sink {
  readonly #parts: Uint8Array[] = [];
  size = 0;

  write(bytes: Uint8Array): void {
    this.#parts.push(bytes.slice());
    this.size += bytes.length;
  }

  bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts));
  }
}

export function memoryFile(bytes: Uint8Array): ReadableFile {
  return {
    sizeSync: () => bytes.length,
    readSync(target, position) {
      const part = bytes.subarray(position, position + target.length);
      target.set(part);
      return part.length;
    },
  };
}
