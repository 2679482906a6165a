import { TraceScanner } from '@tracewell/otlp';
import { toBigUint64 } from '@tracewell/otlp/wire';
import { compareCopies } from '../../hot/spans/same-span.ts';
import { GrowingUint32 } from '../../parquet/growing.ts';
import { type Origin, Origins } from '../origins.ts';

/** How many spans one sorter takes: more than the largest segment can hold, 1 GiB of spans with nothing but ids. */
export const MAX_SPANS = 1 << 26;

const NANOS_PER_HOUR = 3_600_000_000_000n;
const MAX_NANOS = 0xffff_ffff_ffff_ffffn;

/**
 * Spans of many requests by the order in which a file holds them. It keeps the bytes that it is given and 44 bytes
 * for each span, and makes no object for one.
 */
export class SpanSorter {
  readonly #scanner = new TraceScanner();
  readonly #origins = new Origins();
  // By span: the trace id in words of 32 bits, the most significant first, then the start.
  readonly #trace0 = new GrowingUint32();
  readonly #trace1 = new GrowingUint32();
  readonly #trace2 = new GrowingUint32();
  readonly #trace3 = new GrowingUint32();
  readonly #startHigh = new GrowingUint32();
  readonly #startLow = new GrowingUint32();
  readonly #spanStart = new GrowingUint32();
  readonly #spanEnd = new GrowingUint32();
  readonly #spanIdAt = new GrowingUint32();
  readonly #origin = new GrowingUint32();
  readonly #hour = new GrowingUint32();
  // The hour of the last span, and the nanoseconds where it begins and ends, as lower and upper halves.
  #lastHour = 0;
  readonly #hourStart = new Uint32Array(2);
  readonly #hourEnd = new Uint32Array(2);

  /** How many spans there are. */
  get count(): number {
    return this.#origin.length;
  }

  /**
   * Adds the spans of an OTLP request, which must not change any more.
   *
   * @param skip - the spans to leave out, by their number in the request as `TraceScanner` counts valid ones,
   * ascending
   * @throws `TracewellError` (`TW_DECODE_INVALID`); RangeError beyond {@link MAX_SPANS}
   */
  add(bytes: Uint8Array, skip?: ArrayLike<number>): void {
    const scanner = this.#scanner;
    const request = this.#origins.addRequest(bytes);
    scanner.reset(bytes);
    let scope = -1;
    let origin = -1;
    let skipped = 0;
    for (let number = 0; scanner.next(); number++) {
      if (skip !== undefined && skipped < skip.length && skip[skipped] === number) {
        skipped++;
        continue;
      }
      if (this.count === MAX_SPANS) throw new RangeError(`more than ${MAX_SPANS} spans`);
      if (scope !== scanner.scopeNumber) {
        scope = scanner.scopeNumber;
        origin = this.#origins.add(request, scanner);
      }
      this.#push(scanner, bytes, origin);
    }
  }

  #push(scanner: TraceScanner, bytes: Uint8Array, origin: number): void {
    const at = scanner.traceIdAt;
    this.#trace0.push(word(bytes, at));
    this.#trace1.push(word(bytes, at + 4));
    this.#trace2.push(word(bytes, at + 8));
    this.#trace3.push(word(bytes, at + 12));
    // As the file's column has it, which files are merged by.
    const isCut = scanner.startHigh > 0x7fff_ffff;
    this.#startHigh.push(isCut ? 0x7fff_ffff : scanner.startHigh);
    this.#startLow.push(isCut ? 0xffff_ffff : scanner.startLow);
    this.#spanStart.push(scanner.spanStart);
    this.#spanEnd.push(scanner.spanEnd);
    this.#spanIdAt.push(scanner.spanIdAt);
    this.#origin.push(origin);
    this.#hour.push(this.#hourOf(scanner.startLow, scanner.startHigh));
  }

  /** The hours since the Unix epoch in which spans started, ascending. */
  hours(): number[] {
    return [...new Set(this.#hour.view())].sort((a, b) => a - b);
  }

  /**
   * The spans that started in an hour, or all of them, by their numbers: in the order of trace id, start and span id,
   * and of copies of a span only the one that stands for it.
   */
  sorted(hour?: number): Uint32Array {
    const trace0 = this.#trace0.values;
    const order = sortByWord(this.#chosen(hour), trace0);
    for (let from = 0; from < order.length; ) {
      const first = trace0[order[from]!];
      let end = from + 1;
      while (end < order.length && trace0[order[end]!] === first) end++;
      this.#sortRun(order, from, end);
      from = end;
    }
    return this.#withoutCopies(order);
  }

  /** The numbers of the spans that started in an hour, or of all. */
  #chosen(hour: number | undefined): Uint32Array {
    const chosen = new Uint32Array(this.count);
    const hours = this.#hour.values;
    let count = 0;
    for (let span = 0; span < chosen.length; span++) {
      if (hour === undefined || hours[span] === hour) chosen[count++] = span;
    }
    return chosen.subarray(0, count);
  }

  /** The bytes of the request of a span, and where in it the span lies. */
  requestOf(span: number): Uint8Array {
    return this.#origins.requestOf(this.#origin.values[span]!);
  }

  spanStart(span: number): number {
    return this.#spanStart.values[span]!;
  }

  spanEnd(span: number): number {
    return this.#spanEnd.values[span]!;
  }

  /** The number of what a span shares with others. */
  originOf(span: number): number {
    return this.#origin.values[span]!;
  }

  /** How many numbers {@link originOf} gives; all are below it. */
  get origins(): number {
    return this.#origins.size;
  }

  origin(number: number): Origin {
    return this.#origins.origin(number);
  }

  /**
   * Sorts spans whose trace ids begin with the same word, which are mostly those of one trace: a handful, in order already. The
   * built-in sort takes a microsecond for each of these runs, which was a tenth of writing a file.
   */
  #sortRun(order: Uint32Array, from: number, end: number): void {
    if (end - from > 64) {
      order.subarray(from, end).sort((a, b) => this.#compare(a, b));
      return;
    }
    for (let index = from + 1; index < end; index++) {
      const span = order[index]!;
      let to = index;
      for (; to > from && this.#compare(order[to - 1]!, span) > 0; to--) order[to] = order[to - 1]!;
      order[to] = span;
    }
  }

  #compare(a: number, b: number): number {
    return (
      this.#trace0.values[a]! - this.#trace0.values[b]! ||
      this.#trace1.values[a]! - this.#trace1.values[b]! ||
      this.#trace2.values[a]! - this.#trace2.values[b]! ||
      this.#trace3.values[a]! - this.#trace3.values[b]! ||
      this.#startHigh.values[a]! - this.#startHigh.values[b]! ||
      this.#startLow.values[a]! - this.#startLow.values[b]! ||
      this.#compareSpanIds(a, b) ||
      a - b
    );
  }

  #compareSpanIds(a: number, b: number): number {
    const left = this.requestOf(a);
    const right = this.requestOf(b);
    const leftAt = this.#spanIdAt.values[a]!;
    const rightAt = this.#spanIdAt.values[b]!;
    return word(left, leftAt) - word(right, rightAt) || word(left, leftAt + 4) - word(right, rightAt + 4);
  }

  #withoutCopies(order: Uint32Array): Uint32Array {
    let kept = 0;
    for (const span of order) {
      const last = order[kept - 1];
      if (kept === 0 || !this.#sameKey(last!, span)) {
        order[kept++] = span;
        continue;
      }
      const verdict = compareCopies(this.#spanBytes(last!), this.#spanBytes(span));
      if (verdict === 'different') order[kept++] = span;
      else if (verdict === 'second') order[kept - 1] = span;
    }
    return order.subarray(0, kept);
  }

  #sameKey(a: number, b: number): boolean {
    return (
      this.#trace3.values[a] === this.#trace3.values[b] &&
      this.#trace2.values[a] === this.#trace2.values[b] &&
      this.#trace1.values[a] === this.#trace1.values[b] &&
      this.#trace0.values[a] === this.#trace0.values[b] &&
      this.#startLow.values[a] === this.#startLow.values[b] &&
      this.#startHigh.values[a] === this.#startHigh.values[b] &&
      this.#compareSpanIds(a, b) === 0
    );
  }

  #spanBytes(span: number): Uint8Array {
    return this.requestOf(span).subarray(this.spanStart(span), this.spanEnd(span));
  }

  // Spans of a request mostly start in the same hour, so dividing is rare.
  #hourOf(low: number, high: number): number {
    const from = this.#hourStart;
    const to = this.#hourEnd;
    const isSame =
      (high > from[1]! || (high === from[1] && low >= from[0]!)) &&
      (high < to[1]! || (high === to[1] && low < to[0]!));
    if (!isSame) {
      const hour = toBigUint64(low, high) / NANOS_PER_HOUR;
      this.#lastHour = Number(hour);
      // The end of the last hour is beyond 64 bits; its last nanosecond is divided for again each time.
      const end = (hour + 1n) * NANOS_PER_HOUR;
      setHalves(from, hour * NANOS_PER_HOUR);
      setHalves(to, end > MAX_NANOS ? MAX_NANOS : end);
    }
    return this.#lastHour;
  }
}

function setHalves(halves: Uint32Array, value: bigint): void {
  halves[0] = Number(value & 0xffff_ffffn);
  halves[1] = Number(value >> 32n);
}

/** Sorts numbers by a word that each has, those of the same word as they were: by its lower, then its upper half. */
function sortByWord(numbers: Uint32Array, words: Uint32Array): Uint32Array {
  let from = numbers;
  let to = new Uint32Array(numbers.length);
  for (const shift of [0, 16]) {
    const places = new Uint32Array(0x1_0001);
    for (const number of from) places[((words[number]! >>> shift) & 0xffff) + 1]!++;
    for (let digit = 0; digit < 0x1_0000; digit++) places[digit + 1]! += places[digit]!;
    for (const number of from) to[places[(words[number]! >>> shift) & 0xffff]!++] = number;
    [from, to] = [to, from as Uint32Array<ArrayBuffer>];
  }
  return from;
}

// Big-endian, so that words compare as the bytes do.
function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
