/** A queue as a ring of a power of two, which grows as needed: what bounds it is its user. */
export class Fifo<Item> {
  #ring: (Item | undefined)[] = new Array(8);
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The item that entered first. */
  get first(): Item | undefined {
    return this.#size === 0 ? undefined : this.#ring[this.#head];
  }

  push(item: Item): void {
    this.#makeRoom();
    this.#ring[(this.#head + this.#size) & (this.#ring.length - 1)] = item;
    this.#size++;
  }

  /** Puts an item before all others. */
  unshift(item: Item): void {
    this.#makeRoom();
    this.#head = (this.#head - 1) & (this.#ring.length - 1);
    this.#ring[this.#head] = item;
    this.#size++;
  }

  shift(): Item | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#size--;
    return item;
  }

  /** Takes the item that entered last. */
  pop(): Item | undefined {
    if (this.#size === 0) return undefined;
    this.#size--;
    const at = (this.#head + this.#size) & (this.#ring.length - 1);
    const item = this.#ring[at];
    this.#ring[at] = undefined;
    return item;
  }

  #makeRoom(): void {
    const ring = this.#ring;
    if (this.#size < ring.length) return;
    this.#ring = [...ring.slice(this.#head), ...ring.slice(0, this.#head), ...new Array(ring.length)];
    this.#head = 0;
  }
}
