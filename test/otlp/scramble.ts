// Writes a request in another way that protobuf says means the same: fields in another order, unknown
// fields of every wire type, varints longer than they need to be, values that a later one overrides,
// messages in two parts.

import { varint } from './protobuf.ts';

/** By field number, the message in it; what is not named is a scalar, string or bytes. */
interface Schema {
  readonly [field: number]: Schema | undefined;
}

const anyValue: { 5?: Schema; 6?: Schema } = {};
const keyValue: Schema = { 2: anyValue };
anyValue[5] = { 1: anyValue };
anyValue[6] = { 1: keyValue };
const span: Schema = { 9: keyValue, 11: { 3: keyValue }, 13: { 4: keyValue }, 15: {} };
const log: Schema = { 5: anyValue, 6: keyValue };
const exemplar: Schema = { 7: keyValue };
const number: Schema = { 5: exemplar, 7: keyValue };
const histogram: Schema = { 8: exemplar, 9: keyValue };
const exponential: Schema = { 1: keyValue, 8: {}, 9: {}, 11: exemplar };
const summary: Schema = { 6: {}, 7: keyValue };
const metric: Schema = {
  5: { 1: number },
  7: { 1: number },
  9: { 1: histogram },
  10: { 1: exponential },
  11: { 1: summary },
  12: keyValue,
};

const requestOf = (entry: Schema): Schema => ({
  1: { 1: { 1: keyValue }, 2: { 1: { 3: keyValue }, 2: entry } },
});
const REQUESTS = { traces: requestOf(span), logs: requestOf(log), metrics: requestOf(metric) };

/** Lists of numbers, which may come packed or not. */
const NUMBERS: readonly (readonly [Schema, number])[] = [
  [histogram, 6],
  [histogram, 7],
  [exponential[8]!, 2],
  [exponential[9]!, 2],
];

/** Messages that stand alone in their parent, so that parts of them are merged. */
const SINGULAR: readonly (readonly [Schema, number])[] = [
  [keyValue, 2],
  [span, 15],
  [exponential, 8],
  [exponential, 9],
];
/** The same where only a decoder can merge them. */
const SINGULAR_HEADS: readonly (readonly [Schema, number])[] = [
  ...Object.values(REQUESTS).flatMap((request): [Schema, number][] => [
    [request[1]!, 1],
    [request[1]![2]!, 1],
  ]),
  [log, 5],
  ...[5, 7, 9, 10, 11].map((type): [Schema, number] => [metric, type]),
];

interface Field {
  readonly number: number;
  readonly wireType: number;
  readonly body: Uint8Array;
}

/** How to scramble. */
export interface ScrambleOptions {
  /** The same seed scrambles in the same way. */
  readonly seed: number;
  /** Which signal the request is of. Default: traces. */
  readonly signal?: keyof typeof REQUESTS;
  /** Also resources, scopes, bodies and data of metrics in two parts, which only a decoder can merge. */
  readonly splitHeads?: boolean;
}

/** The request, written differently. */
export function scramble(bytes: Uint8Array, options: ScrambleOptions): Uint8Array {
  return Uint8Array.from(new Scrambler(options).message(REQUESTS[options.signal ?? 'traces'], bytes));
}

class Scrambler {
  #state: number;
  readonly #singular: readonly (readonly [Schema, number])[];

  constructor({ seed, splitHeads }: ScrambleOptions) {
    this.#state = seed | 0;
    this.#singular = splitHeads === true ? [...SINGULAR, ...SINGULAR_HEADS] : SINGULAR;
  }

  // xorshift32
  #below(bound: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % bound;
  }

  message(schema: Schema, bytes: Uint8Array): number[] {
    const chunks: number[][] = [];
    const fields = parse(bytes);
    for (const { number, wireType, body } of this.#shuffle(fields)) {
      if (this.#below(6) === 0) chunks.push(this.#unknown());
      const inner = schema[number];
      if (inner !== undefined) {
        const parts = has(this.#singular, schema, number) ? this.#parts(body) : [body];
        for (const part of parts) chunks.push(this.#lengthDelimited(number, this.message(inner, part)));
        continue;
      }
      if (has(NUMBERS, schema, number)) {
        chunks.push(this.#scalar(number, wireType, body));
        continue;
      }
      // Other repeated scalars do not occur, so an earlier value of the same field is overridden. AnyValue is no
      // exception: its members exclude each other.
      if (this.#below(8) === 0) chunks.push(this.#scalar(number, wireType, junk(wireType)));
      chunks.push(this.#scalar(number, wireType, body));
    }
    return chunks.flat();
  }

  // The fields of a message in two messages, which merge to it.
  #parts(body: Uint8Array): Uint8Array[] {
    const fields = parse(body);
    const cut = this.#below(fields.length + 1);
    const join = (some: readonly Field[]): Uint8Array =>
      Uint8Array.from(
        some.flatMap(({ number, wireType, body }) =>
          wireType === 2
            ? [...varint((number << 3) | 2), ...varint(body.length), ...body]
            : [...varint((number << 3) | wireType), ...body],
        ),
      );
    return [join(fields.slice(0, cut)), join(fields.slice(cut))];
  }

  // Another order, in which fields of the same number keep theirs.
  #shuffle(fields: readonly Field[]): Field[] {
    const queues = Map.groupBy(fields, ({ number }) => number);
    const order = fields.map(({ number }) => number);
    for (let index = order.length - 1; index > 0; index--) {
      const other = this.#below(index + 1);
      [order[index], order[other]] = [order[other]!, order[index]!];
    }
    return order.map((number) => queues.get(number)!.shift()!);
  }

  #lengthDelimited(number: number, body: readonly number[]): number[] {
    return [...this.#varint((number << 3) | 2), ...this.#varint(body.length), ...body];
  }

  #scalar(number: number, wireType: number, body: Uint8Array): number[] {
    return wireType === 2
      ? this.#lengthDelimited(number, [...body])
      : [...this.#varint((number << 3) | wireType), ...body];
  }

  #varint(value: number): number[] {
    return this.#below(10) === 0 ? padded(varint(value)) : varint(value);
  }

  #unknown(): number[] {
    const number = 100 + this.#below(500_000_000);
    const key = (wireType: number): number[] => varint(number * 8 + wireType);
    switch (this.#below(5)) {
      case 0:
        return [...key(0), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
      case 1:
        return [...key(1), 1, 2, 3, 4, 5, 6, 7, 8];
      case 2:
        return [...key(2), 3, 0xff, 0xff, 0xff];
      case 3:
        return [...key(5), 1, 2, 3, 4];
      default:
        return [...key(3), 0x0b, 0x08, 0x01, 0x0c, ...key(4)];
    }
  }
}

function has(fields: readonly (readonly [Schema, number])[], schema: Schema, number: number): boolean {
  return fields.some(([parent, field]) => parent === schema && field === number);
}

function junk(wireType: number): Uint8Array {
  return wireType === 0
    ? Uint8Array.of(0xab, 0x01)
    : wireType === 1
      ? new Uint8Array(8).fill(0xab)
      : wireType === 5
        ? new Uint8Array(4).fill(0xab)
        : Uint8Array.of(0x61, 0x62);
}

function padded(bytes: readonly number[]): number[] {
  return [...bytes.slice(0, -1), bytes.at(-1)! | 0x80, 0x80, 0x00];
}

function parse(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const read = (): number => {
    let value = 0;
    for (let unit = 1; ; unit *= 0x80) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const key = read();
    const wireType = key % 8;
    let start = at;
    if (wireType === 0) read();
    else if (wireType === 1) at += 8;
    else if (wireType === 5) at += 4;
    else {
      const length = read();
      start = at;
      at += length;
    }
    fields.push({ number: Math.floor(key / 8), wireType, body: bytes.subarray(start, at) });
  }
  return fields;
}
