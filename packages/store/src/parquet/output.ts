/**
 * Where a file goes, piece by piece from its beginning. A piece is the writer's own and may change once
 * `write` returned. What it throws ends the writing.
 */
export interface Sink {
  write(bytes: Uint8Array): void;
}

/** A sink that knows how far it is, and gathers small pieces. */
export class Output {
  position = 0;
  readonly #sink: Sink;
  readonly #gathered = new Uint8Array(256 * 1024);
  #waiting = 0;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  write(bytes: Uint8Array): void {
    this.position += bytes.length;
    if (this.#waiting + bytes.length > this.#gathered.length) this.flush();
    if (bytes.length > this.#gathered.length) {
      this.#sink.write(bytes);
    } else {
      this.#gathered.set(bytes, this.#waiting);
      this.#waiting += bytes.length;
    }
  }

  flush(): void {
    if (this.#waiting > 0) this.#sink.write(this.#gathered.subarray(0, this.#waiting));
    this.#waiting = 0;
  }
}
