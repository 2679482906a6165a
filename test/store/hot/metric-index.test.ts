import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeMetrics, type MetricData, type MetricPointData } from '@tracewell/otlp';
import type { MetricQuery } from '@tracewell/store';
import fc from 'fast-check';
import { MetricIndex } from '../../../packages/store/src/hot/metrics/metric-index.ts';
import type { PointRows } from '../../../packages/store/src/hot/metrics/point-rows.ts';
import { findMetrics } from '../../../packages/store/src/query/metrics/find-metrics.ts';
import { HotPoints } from '../../../packages/store/src/query/metrics/hot-points.ts';
import { listMetrics } from '../../../packages/store/src/query/metrics/list-metrics.ts';
import { planMetricList, planMetrics } from '../../../packages/store/src/query/metrics/plan.ts';
import { PointReader } from '../../../packages/store/src/query/metrics/point-reader.ts';
import { arbitraryMetric, arbitraryMetricQuery, gauge } from '../query/metrics.ts';
import { allMetricPages, MetricsOracle } from '../query/metrics-oracle.ts';
import { plain } from '../query/plain.ts';
import { SignalLog } from './memory-log.ts';

class MemoryMetrics extends SignalLog<PointRows, MetricIndex> {
  readonly #reader = new PointReader();

  constructor(maxSeries = Number.POSITIVE_INFINITY) {
    super(() => new MetricIndex(maxSeries));
  }

  append(writer: string, metrics: readonly MetricData[]): void {
    this.appendBytes(writer, encodeMetrics(metrics));
  }

  find(query: MetricQuery = {}): Promise<Map<string, MetricPointData[]>> {
    const source = new HotPoints(this.index, this.#reader);
    return allMetricPages((page) => findMetrics([source], planMetrics(page, 0n)), query);
  }
}

/** Points by series, as text. */
function texts(found: ReadonlyMap<string, readonly MetricPointData[]>): [string, string[]][] {
  return [...found].map(([series, points]): [string, string[]] => [series, points.map(plain)]).sort();
}

const writer = fc.constantFrom('a', 'b', 'c');
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ insert: fc.array(arbitraryMetric, { minLength: 1, maxLength: 5 }), writer }),
  },
  { weight: 2, arbitrary: fc.record({ again: fc.nat(), writer }) },
  { weight: 1, arbitrary: fc.record({ seal: writer }) },
  { weight: 1, arbitrary: fc.record({ reopen: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ remove: writer }) },
);

test('the index answers as a plain list of all points would', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 20 }),
      fc.array(arbitraryMetricQuery, { maxLength: 5 }),
      async (steps, queries) => {
        const memory = new MemoryMetrics();
        const segments = { a: [[]], b: [[]], c: [[]] } as Record<string, MetricData[][][]>;
        const removed: Record<string, number> = { a: 0, b: 0, c: 0 };
        const inserted: MetricData[][] = [];
        const append = (to: string, metrics: MetricData[]): void => {
          memory.append(to, metrics);
          segments[to]!.at(-1)!.push(metrics);
        };
        for (const one of steps) {
          if ('insert' in one) {
            append(one.writer, one.insert);
            inserted.push(one.insert);
          } else if ('again' in one) {
            if (inserted.length > 0) append(one.writer, inserted[one.again % inserted.length]!);
          } else if ('seal' in one) {
            memory.seal(one.seal);
            segments[one.seal]!.push([]);
          } else if ('reopen' in one) {
            memory.reopen(one.reopen);
          } else if (segments[one.remove]!.length > 1) {
            removed[one.remove]!++;
            segments[one.remove]!.shift();
            memory.remove(one.remove, removed[one.remove]!);
          }
        }
        const oracle = new MetricsOracle();
        for (const metrics of Object.values(segments).flat(2)) oracle.insert(metrics);
        for (const query of [{}, ...queries]) {
          assert.deepEqual(texts(await memory.find(query)), texts(oracle.all(query)));
        }
        assert.equal(memory.index.stats().count, oracle.size);
        assert.deepEqual(await listMetrics(memory.index, planMetricList({}, 0n)), oracle.list());
      },
    ),
    { numRuns: 300 },
  );
});

test('a segment of many blocks keeps every point of every series, in memory and saved', async () => {
  const memory = new MemoryMetrics();
  // 300 series of 500 points each.
  for (let time = 0; time < 500; time++) {
    const points = Array.from({ length: 100 }, (_, number) => ({
      attributes: { number },
      timeUnixNanos: BigInt(time),
      value: time,
    }));
    memory.append(
      'a',
      ['x', 'y', 'z'].map((name) => gauge({ name }, ...points)),
    );
  }
  for (const when of ['active', 'saved', 'scanned']) {
    if (when === 'saved') memory.seal('a');
    if (when !== 'active') memory.reopen(when === 'scanned');
    const { count, series } = memory.index.stats();
    assert.deepEqual([count, series], [150_000, 300], when);
    const found = await memory.find({ name: 'y', labels: { number: 7 }, limit: 200 });
    assert.equal(found.size, 1);
    const values = [...found.values()][0]!.map((point) => ('value' in point ? point.value : undefined));
    assert.deepEqual(
      values,
      Array.from({ length: 500 }, (_, at) => 499 - at),
    );
    assert.equal((await memory.find({ startTime: 499n })).size, 300);
  }
});

test('of a request with too many series the points of known ones are taken, and no other writer is held to the bound', async () => {
  const memory = new MemoryMetrics(3);
  const points = (from: number, until: number): MetricData[] => {
    const numbers = Array.from({ length: until - from }, (_, at) => from + at);
    return [
      gauge({}, ...numbers.map((number) => ({ attributes: { number }, timeUnixNanos: BigInt(number) }))),
    ];
  };
  const insert = (metrics: MetricData[]): number => {
    const { payload, refused } = memory.index.admit(encodeMetrics(metrics));
    memory.appendBytes('a', payload);
    return refused;
  };
  assert.equal(insert(points(0, 2)), 0);
  assert.equal(insert(points(1, 6)), 3);
  assert.deepEqual([memory.index.stats().count, memory.index.stats().series], [4, 3]);
  assert.deepEqual(
    texts(await memory.find()).map(([, one]) => one.length),
    [1, 2, 1],
  );
  // A stream that is not known has no series that are.
  assert.equal(insert([gauge({ name: 'other' })]), 1);
  assert.equal(memory.index.stats().series, 3);
  // What another writer was allowed is indexed.
  memory.append('b', points(10, 14));
  assert.equal(memory.index.stats().series, 7);
  assert.equal(insert(points(10, 20)), 6);
});

test('series whose segments are gone make room; what was prepared before is entered all the same', async () => {
  const memory = new MemoryMetrics(1000);
  const batch = (name: string, count = 1000): Uint8Array =>
    encodeMetrics([
      gauge({ name }, ...Array.from({ length: count }, (_, number) => ({ attributes: { number } }))),
    ]);
  for (const round of ['one', 'two', 'three']) {
    assert.equal(memory.index.admit(batch(round)).refused, 0);
    memory.appendBytes(round, batch(round));
    assert.equal(memory.index.admit(batch('more')).refused, 1000);
    // Prepared while the series of this round are there, and entered when they are forgotten.
    const late = memory.index.admit(batch(round, 10));
    memory.seal(round);
    memory.remove(round, 1);
    assert.equal(memory.index.admit(batch('next', 500)).refused, 0);
    memory.appendPrepared('late', late.payload, late.rows);
    const found = await memory.find({ name: round });
    assert.equal(found.size, 10);
    memory.seal('late');
    memory.remove('late', 1);
    memory.restart('late');
  }
  assert.equal(memory.index.stats().count, 0);
});

test('labels between other fields, and in any order, make the same series', async () => {
  const first = encodeMetrics([gauge({}, { attributes: { a: 1, b: 2 } })]);
  const memory = new MemoryMetrics();
  // The point is its time, its value and two attributes of 9 bytes: moves the first of them to the front.
  const at = Buffer.from(first).indexOf(Buffer.of(0x3a, 7, 0x0a, 1, 'a'.charCodeAt(0)));
  assert.equal(first[at - 18], 0x19);
  const moved = Buffer.concat([
    first.subarray(0, at - 18),
    first.subarray(at, at + 9),
    first.subarray(at - 18, at),
    first.subarray(at + 9),
  ]);
  memory.appendBytes('a', moved);
  // Nothing of what stood between is kept with the labels, or every point would add to them.
  assert.equal(memory.index.prepare(moved).table.labelBytes(0).length, 18);
  memory.appendBytes('a', first);
  const swapped = encodeMetrics([gauge({}, { attributes: { b: 2, a: 1 }, value: 18 })]);
  memory.appendBytes('a', swapped);
  const { count, series } = memory.index.stats();
  assert.deepEqual([count, series], [3, 1]);
  assert.equal([...(await memory.find()).values()][0]?.length, 3);
});

test('F21 a request that comes again counts once; a point that is repeated within a request counts each time', async () => {
  for (const second of ['a', 'b']) {
    for (const seal of [false, true]) {
      const memory = new MemoryMetrics();
      const metrics = [gauge({}, {}, {}, {})];
      memory.append('a', metrics);
      if (seal) memory.seal('a');
      memory.append(second, metrics);
      memory.append(second, metrics);
      const lengths = async () => [...(await memory.find()).values()].map((points) => points.length);
      assert.deepEqual(await lengths(), [3]);
      const { count, copies } = memory.index.stats();
      assert.deepEqual([count, copies], [3, 6]);
      if (!seal) continue;
      memory.remove('a', 1);
      assert.deepEqual(await lengths(), [3]);
      assert.equal(memory.index.stats().count, 3);
    }
  }
});

test('a saved index of another version, or cut short, is refused', () => {
  const segment = { writer: 'x', number: 1, id: 'x', sealed: true, bytes: 0 } as never;
  const index = new MetricIndex(10);
  const payload = encodeMetrics([gauge(), gauge({ name: 'other' }, { attributes: { a: 'b' } })]);
  index.addFrame(segment, 100, payload, index.prepare(payload));
  const whole = new Uint8Array(Buffer.concat(index.save(segment)!));
  const load = (bytes: Uint8Array): boolean => new MetricIndex(10).load(segment, bytes);
  assert.equal(load(whole.slice()), true);
  for (let length = 0; length < whole.length; length += 8) assert.equal(load(whole.slice(0, length)), false);
  const other = whole.slice();
  other[4]!++;
  assert.equal(load(other), false);
});
