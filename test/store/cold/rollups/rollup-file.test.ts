import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeMetrics, type MetricData } from '@tracewell/otlp';
import fc from 'fast-check';
import { rollUp } from '../../../../packages/store/src/cold/rollups/roll-up.ts';
import { ParquetFile } from '../../../../packages/store/src/parquet/file.ts';
import { gauge, histogram, numberPoint } from '../../../otlp/plain.ts';
import { MemorySink, memoryFile } from '../../parquet/memory-file.ts';
import { type Cell, cellsOf } from '../../parquet/tables.ts';
import { fileOf, keyed, similarMetrics } from '../metrics/files.ts';

// Shrinking takes minutes, since each step writes files.
fc.configureGlobal({ numRuns: 50, endOnFailure: true });

function openFile(sink: MemorySink): ParquetFile {
  return ParquetFile.open(memoryFile(sink.bytes()), 'rollups.parquet');
}

/** The rollups of the points of some requests. */
function rollupsOf(requests: readonly (readonly MetricData[])[]): ParquetFile | undefined {
  const file = fileOf(requests);
  if (file === undefined) return undefined;
  const sink = new MemorySink();
  rollUp([file.parquet], [], sink);
  return openFile(sink);
}

type Row = Record<string, Cell>;

/** The rows of a file, of some columns. */
function rowsOf(file: ParquetFile | undefined, names: readonly string[]): Row[] {
  if (file === undefined) return [];
  const rows: Row[] = [];
  for (let group = 0; group < file.rowGroups; group++) {
    const count = file.rowsOf(group);
    const columns = names.map((name) => {
      const schema = file.schema.find((column) => column.name === name)!;
      return cellsOf(schema, file.readColumn(group, name), count);
    });
    for (let row = 0; row < count; row++) {
      rows.push(Object.fromEntries(names.map((name, index) => [name, columns[index]![row]!])));
    }
  }
  return rows;
}

const FIGURES = ['name', 'series', 'time', 'points', 'count', 'sum', 'min', 'max', 'last', 'last_time'];
const LATEST = 2n ** 63n - 1n;

/** What the rollups of some requests should be: a naive look at all points. */
function expectedRollups(requests: readonly (readonly MetricData[])[]): Row[] {
  const groups = new Map<string, Row>();
  // From the oldest point of each series on.
  for (const { key, point } of keyed(requests).reverse()) {
    const cut = key.timeUnixNanos > LATEST ? LATEST : key.timeUnixNanos;
    const time = cut - (cut % 300_000_000_000n);
    const value = 'value' in point ? (point.value === undefined ? null : Number(point.value)) : null;
    const figure = (name: 'sum' | 'min' | 'max'): Cell =>
      'value' in point ? value : name in point ? ((point as { sum?: number })[name as 'sum'] ?? null) : null;
    const place = `${key.series} ${time}`;
    const before = groups.get(place);
    const either = (name: 'sum' | 'min' | 'max', of: (a: number, b: number) => number): Cell => {
      const [a, b] = [before?.[name] ?? null, figure(name)];
      return a === null ? b : b === null ? a : of(a as number, b as number);
    };
    const last = figure('sum');
    groups.set(place, {
      name: key.name,
      series: key.series,
      time,
      points: ((before?.points as bigint) ?? 0n) + 1n,
      count: ((before?.count as bigint) ?? 0n) + ('count' in point ? point.count : 1n),
      sum: either('sum', (a, b) => a + b),
      min: either('min', (a, b) => (Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.min(a, b))),
      max: either('max', Math.max),
      last: last ?? before?.last ?? null,
      last_time: last === null && before !== undefined ? before.last_time! : cut,
    });
  }
  return [...groups.values()].sort((a, b) => {
    for (const field of ['name', 'series', 'time']) {
      if (a[field]! < b[field]!) return -1;
      if (a[field]! > b[field]!) return 1;
    }
    return 0;
  });
}

/** Counts whose sums stay within 64 bits. */
function withinBounds(requests: readonly (readonly MetricData[])[]): MetricData[][] {
  return requests.map((metrics) =>
    metrics.map(
      (metric) =>
        ({
          ...metric,
          points: metric.points.map((point) =>
            'count' in point ? { ...point, count: point.count >> 8n } : point,
          ),
        }) as MetricData,
    ),
  );
}

test('rollups say of each series and five minutes what a look at all points says', () => {
  fc.assert(
    fc.property(fc.array(similarMetrics, { maxLength: 4 }).map(withinBounds), (requests) => {
      assert.deepEqual(rowsOf(rollupsOf(requests), FIGURES), expectedRollups(requests));
    }),
  );
});

test('points are added to rollups that there are, but for the order in which doubles are added', () => {
  fc.assert(
    fc.property(fc.array(similarMetrics, { maxLength: 4 }).map(withinBounds), fc.nat(4), (parts, split) => {
      const byBytes = parts.map((part) => [Buffer.from(encodeMetrics(part)).toString('hex'), part] as const);
      const distinct = [...new Map(byBytes).values()];
      const sink = new MemorySink();
      const summary = rollUp(
        distinct.slice(0, split).flatMap((part) => fileOf([part])?.parquet ?? []),
        distinct.slice(split).flatMap((part) => rollupsOf([part]) ?? []),
        sink,
        new Map([['from', 'parts']]),
      );
      const expected = expectedRollups(distinct);
      if (summary === undefined) return assert.equal(expected.length, 0);
      const merged = openFile(sink);
      merged.verify();
      const exact = FIGURES.filter((name) => !['sum', 'last', 'last_time'].includes(name));
      const pick = (rows: readonly Row[]): Row[] =>
        rows.map((row) => Object.fromEntries(exact.map((name) => [name, row[name]!])));
      assert.deepEqual(rowsOf(merged, exact), pick(expected));
      assert.equal(summary.rows, expected.length);
      assert.equal(merged.keyValues.get('from'), 'parts');
    }),
  );
});

const at = (seconds: number, value: number): ReturnType<typeof numberPoint> =>
  numberPoint({ timeUnixNanos: BigInt(seconds) * 1_000_000_000n, value, attributes: { a: 1, deep: [1] } });

test('parts of the same minutes become one row, with their labels and resource', () => {
  const early = rollupsOf([[gauge({ points: [at(10, 3), at(20, 5)] })]])!;
  const late = rollupsOf([[gauge({ points: [at(30, 1), at(400, 9)] })]])!;
  const sink = new MemorySink();
  rollUp([], [late, early], sink);
  const names = [
    'time',
    'count',
    'sum',
    'min',
    'max',
    'last',
    'last_time',
    'attributes',
    'resource_attributes',
    'unit',
  ];
  const rows = rowsOf(openFile(sink), names);
  const labels = [
    ['a', '1'],
    ['deep', '[1]'],
  ];
  const shared = { resource_attributes: [['service.name', 'shop']], unit: '1' };
  assert.deepEqual(
    rows.map(({ attributes, ...row }) => ({ ...row, attributes: [...(attributes as Cell[])].sort() })),
    [
      {
        time: 0n,
        count: 3n,
        sum: 9,
        min: 1,
        max: 5,
        last: 1,
        last_time: 30_000_000_000n,
        attributes: labels,
        ...shared,
      },
      {
        time: 300_000_000_000n,
        count: 1n,
        sum: 9,
        min: 9,
        max: 9,
        last: 9,
        last_time: 400_000_000_000n,
        attributes: labels,
        ...shared,
      },
    ],
  );
});

test('what distributions counted adds up, and their last sum counts', () => {
  const [first] = histogram().points;
  const points = [
    { ...first!, timeUnixNanos: 1n, count: 4n, sum: 4 },
    { ...first!, timeUnixNanos: 2n, count: 6n, sum: 6, min: -1 },
    { ...first!, timeUnixNanos: 3n, count: 1n, sum: undefined, min: undefined, max: undefined },
  ];
  const [row] = rowsOf(rollupsOf([[{ ...histogram(), points }]]), FIGURES);
  const { points: count, ...rest } = row!;
  assert.deepEqual([count, rest.count, rest.sum, rest.min, rest.max, rest.last], [3n, 11n, 10, -1, 3, 6]);
  assert.equal(rollUp([], [], new MemorySink()), undefined);
});
