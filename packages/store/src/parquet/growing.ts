/** 32-bit numbers that grow at their end. */
export class GrowingUint32 {
  values: Uint32Array<ArrayBuffer>;
  length = 0;

  constructor(capacity = 1024) {
    this.values = new Uint32Array(capacity);
  }

  push(value: number): void {
    if (this.length === this.values.length) this.#grow();
    this.values[this.length++] = value;
  }

  /** What was pushed: a view, good until the next push. */
  view(): Uint32Array<ArrayBuffer> {
    return this.values.subarray(0, this.length);
  }

  #grow(): void {
    const larger = new Uint32Array(this.values.length * 2);
    larger.set(this.values);
    this.values = larger;
  }
}
