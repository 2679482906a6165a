import { TraceFlags } from '@opentelemetry/api';
import { readHex } from '@tracewell/otlp/wire';
import type { SpanContext } from '@tracewell/plugin';

// A span's ids as six signed 32-bit numbers, which V8 keeps inside the object. The plugin takes them as bytes,
// and digits are made only when somebody asks for the span's context: bench/api loses a fifth with digits.

/** Random numbers fetched at a time: a call of the source costs 2 us, whatever it is asked for. */
const random = new Int32Array(2048);
let randomAt = random.length;

const bytes = new Uint8Array(24);
const view = new DataView(bytes.buffer);

/** The random identity of a span of this process: in the trace of another one, or the first of a new trace. */
export class DrawnIdentity implements SpanContext {
  traceFlags: number = TraceFlags.SAMPLED;
  readonly #trace0: number;
  readonly #trace1: number;
  readonly #trace2: number;
  readonly #trace3: number;
  readonly #span0: number;
  readonly #span1: number;

  constructor(parent?: DrawnIdentity) {
    const at = nextRandom();
    this.#trace0 = parent === undefined ? random[at]! : parent.#trace0;
    this.#trace1 = parent === undefined ? random[at + 1]! : parent.#trace1;
    this.#trace2 = parent === undefined ? random[at + 2]! : parent.#trace2;
    this.#trace3 = parent === undefined ? random[at + 3]! : parent.#trace3;
    this.#span0 = random[at + 4]!;
    this.#span1 = random[at + 5]!;
  }

  get traceId(): string {
    this.writeIds(view);
    return readHex(bytes, 0, 16);
  }

  get spanId(): string {
    this.writeIds(view);
    return readHex(bytes, 16, 24);
  }

  writeIds(target: DataView): void {
    target.setInt32(0, this.#trace0);
    target.setInt32(4, this.#trace1);
    target.setInt32(8, this.#trace2);
    target.setInt32(12, this.#trace3);
    target.setInt32(16, this.#span0);
    target.setInt32(20, this.#span1);
  }
}

/** Where the next six random numbers stand, of which neither the first four nor the last two are all zero. */
function nextRandom(): number {
  for (;;) {
    if (randomAt + 6 > random.length) {
      // Loaded only now: it takes 4 to 6 ms of a start.
      process.getBuiltinModule('node:crypto').randomFillSync(random);
      randomAt = 0;
    }
    const at = randomAt;
    randomAt += 6;
    if ((random[at]! | random[at + 1]! | random[at + 2]! | random[at + 3]!) === 0) continue;
    if ((random[at + 4]! | random[at + 5]!) !== 0) return at;
  }
}
