/**
 * How long spans took, for many groups of them at once: count, sum, maximum, and a histogram for each.
 *
 * The buckets of the histogram are read off the bits of the duration as a 32-bit float: its exponent and the
 * first six bits of its fraction. So every power of two is divided into 64 equal parts, finding the bucket is
 * a shift, and what a percentile returns is at most 1 part in 128 (0.8 %) away from the exact one. Buckets are
 * kept by octaves, only those in which something lies: a group takes 256 bytes for each.
 *
 * Single-precision bits: IEEE 754-2019, section 3.4.
 */

/** The largest relative error of a percentile. */
export const PERCENTILE_ERROR = 1 / 128;

const BUCKET_BITS = 6;
const BUCKETS = 1 << BUCKET_BITS;
const FRACTION_BITS = 23;
const BUCKET_SHIFT = FRACTION_BITS - BUCKET_BITS;
const EXPONENT_OF_ONE = 127;
// Octave 0 is for durations of 0, octave n + 1 for those from 2^n on; 2^64 - 1 nanoseconds are rounded to 2^64.
const OCTAVES = 66;
const MAX_CHUNKS = 1 << 18;

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

/** The bits of a duration in nanoseconds as a 32-bit float. */
export function durationBitsOf(nanos: number): number {
  float[0] = nanos;
  return bits[0]!;
}

/** Durations of groups that are numbered from 0. */
export class Durations {
  #counts = new Uint32Array(64);
  #sums = new Float64Array(64);
  #maxima = new Float32Array(64);
  /** For each group and octave: the number of its chunk, plus 1. */
  #chunkOf = new Uint32Array(64 * OCTAVES);
  #chunks = new Uint32Array(64 * BUCKETS);
  #chunkCount = 0;

  /** @param durationBits - as in `SpanVisitor` */
  add(group: number, durationBits: number): void {
    if (group >= this.#counts.length) this.#growGroups(group);
    bits[0] = durationBits;
    const nanos = float[0]!;
    this.#counts[group]!++;
    this.#sums[group]! += nanos;
    if (nanos > this.#maxima[group]!) this.#maxima[group] = nanos;
    const octave = durationBits === 0 ? 0 : (durationBits >>> FRACTION_BITS) - EXPONENT_OF_ONE + 1;
    const chunk = this.#chunk(group * OCTAVES + octave);
    if (chunk === 0) return;
    const bucket = (durationBits >>> BUCKET_SHIFT) & (BUCKETS - 1);
    this.#chunks[(chunk - 1) * BUCKETS + bucket]!++;
  }

  /** Adds a group of others to one of these. */
  merge(group: number, others: Durations, otherGroup: number): void {
    if (others.count(otherGroup) === 0) return;
    if (group >= this.#counts.length) this.#growGroups(group);
    this.#counts[group]! += others.#counts[otherGroup]!;
    this.#sums[group]! += others.#sums[otherGroup]!;
    this.#maxima[group] = Math.max(this.#maxima[group]!, others.#maxima[otherGroup]!);
    for (let octave = 0; octave < OCTAVES; octave++) {
      const from = others.#chunkOf[otherGroup * OCTAVES + octave]!;
      if (from === 0) continue;
      const to = this.#chunk(group * OCTAVES + octave);
      for (let bucket = 0; bucket < BUCKETS && to > 0; bucket++) {
        this.#chunks[(to - 1) * BUCKETS + bucket]! += others.#chunks[(from - 1) * BUCKETS + bucket]!;
      }
    }
  }

  /** The groups that have any. */
  groups(): number[] {
    const groups: number[] = [];
    for (let group = 0; group < this.#counts.length; group++)
      if (this.#counts[group]! > 0) groups.push(group);
    return groups;
  }

  /** How many durations a group has. */
  count(group: number): number {
    return group < this.#counts.length ? this.#counts[group]! : 0;
  }

  /** The mean in nanoseconds; 0 for an empty group. */
  mean(group: number): number {
    const count = this.count(group);
    return count === 0 ? 0 : this.#sums[group]! / count;
  }

  /** The longest in nanoseconds; 0 for an empty group. */
  max(group: number): number {
    return this.count(group) === 0 ? 0 : this.#maxima[group]!;
  }

  /**
   * The durations in nanoseconds below which so many of a group lie, by nearest rank.
   *
   * @param quantiles - ascending, above 0 to 1
   * @returns 0 for an empty group, `NaN` for one that found no more room for its histogram
   */
  percentiles(group: number, quantiles: readonly number[]): number[] {
    const total = this.#histogramTotal(group);
    if (total === 0) return quantiles.map(() => (this.count(group) === 0 ? 0 : Number.NaN));
    const ranks = quantiles.map((quantile) => Math.max(1, Math.ceil(quantile * total)));
    const found: number[] = [];
    let seen = 0;
    for (const [lower, width, count] of this.#buckets(group)) {
      seen += count;
      while (found.length < ranks.length && ranks[found.length]! <= seen) {
        found.push(Math.min(lower + width / 2, this.#maxima[group]!));
      }
      if (found.length === ranks.length) break;
    }
    return found;
  }

  /** How many durations of a group lie in buckets above that of a duration in nanoseconds. */
  countAbove(group: number, nanos: number): number {
    let above = 0;
    for (const [lower, , count] of this.#buckets(group)) if (lower > nanos) above += count;
    return above;
  }

  *#buckets(group: number): Generator<[lower: number, width: number, count: number]> {
    if (group >= this.#counts.length) return;
    for (let octave = 0; octave < OCTAVES; octave++) {
      const chunk = this.#chunkOf[group * OCTAVES + octave]!;
      if (chunk === 0) continue;
      const first = octave === 0 ? 0 : 2 ** (octave - 1);
      const width = first / BUCKETS;
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        const count = this.#chunks[(chunk - 1) * BUCKETS + bucket]!;
        if (count > 0) yield [first + bucket * width, width, count];
      }
    }
  }

  #histogramTotal(group: number): number {
    let total = 0;
    for (const [, , count] of this.#buckets(group)) total += count;
    return total;
  }

  #growGroups(group: number): void {
    const size = Math.max(group + 1, this.#counts.length * 2);
    this.#counts = grown(this.#counts, new Uint32Array(size));
    this.#sums = grown(this.#sums, new Float64Array(size));
    this.#maxima = grown(this.#maxima, new Float32Array(size));
    this.#chunkOf = grown(this.#chunkOf, new Uint32Array(size * OCTAVES));
  }

  /** The chunk of a slot of `#chunkOf`, made if need be; 0 if there is no more room. */
  #chunk(slot: number): number {
    const known = this.#chunkOf[slot]!;
    if (known > 0 || this.#chunkCount === MAX_CHUNKS) return known;
    const chunk = ++this.#chunkCount;
    if (chunk * BUCKETS > this.#chunks.length) {
      this.#chunks = grown(this.#chunks, new Uint32Array(this.#chunks.length * 2));
    }
    this.#chunkOf[slot] = chunk;
    return chunk;
  }
}

function grown<Numbers extends Uint32Array | Float64Array | Float32Array>(
  from: Numbers,
  to: Numbers,
): Numbers {
  to.set(from);
  return to;
}
