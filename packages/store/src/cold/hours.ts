const NANOS_PER_HOUR = 3_600_000_000_000n;

/** Tells the hours of times. Those of a request are mostly the same, so dividing is rare. */
export class Hours {
  #hour = 0;
  #start = 0n;
  #end = 0n;

  /** The hours from the Unix epoch to a time in nanoseconds, given by its halves. */
  of(low: number, high: number): number {
    const time = (BigInt(high) << 32n) | BigInt(low);
    if (time < this.#start || time >= this.#end) {
      const hour = time / NANOS_PER_HOUR;
      this.#hour = Number(hour);
      this.#start = hour * NANOS_PER_HOUR;
      this.#end = this.#start + NANOS_PER_HOUR;
    }
    return this.#hour;
  }
}
