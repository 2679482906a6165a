import type { RequestId } from '../hot/request-id.ts';
import { GrowingUint32 } from '../parquet/growing.ts';
import type { Column } from '../parquet/values.ts';

/**
 * What rows without an identity of their own are known by, while a row group is being built: the request that
 * brought them, and their place in it (hot/request-id.ts). Most rows came with one of few requests.
 */
export class RequestColumns {
  /** By upper, then by lower half. */
  readonly #numbers = new Map<number, Map<number, number>>();
  #count = 0;
  readonly #ids = new GrowingUint32();
  readonly #codes = new GrowingUint32(1 << 12);
  readonly #indexes = new GrowingUint32(1 << 12);

  add({ high, low }: RequestId, index: number): void {
    let ofHigh = this.#numbers.get(high);
    if (ofHigh === undefined) {
      ofHigh = new Map();
      this.#numbers.set(high, ofHigh);
    }
    let number = ofHigh.get(low);
    if (number === undefined) {
      number = this.#count++;
      ofHigh.set(low, number);
      this.#ids.push(low);
      this.#ids.push(high);
    }
    this.#codes.push(number);
    this.#indexes.push(index);
  }

  columns(): Record<'request' | 'request_index', Column> {
    const indexes = this.#indexes.view();
    return {
      request: { values: { codes: this.#codes.view(), dictionary: this.#ids.view() } },
      request_index: { values: new Int32Array(indexes.buffer, indexes.byteOffset, indexes.length) },
    };
  }

  clear(): void {
    this.#numbers.clear();
    this.#count = 0;
    for (const numbers of [this.#ids, this.#codes, this.#indexes]) numbers.length = 0;
  }
}
