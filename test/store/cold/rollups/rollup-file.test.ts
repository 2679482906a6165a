import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeMetrics, type MetricData } from '@tracewell/otlp';
import fc from 'fast-check';
import { PointSorter } from '../../../../packages/store/src/cold/metrics/point-sorter.ts';
import { mergeRollupFiles } from '../../../../packages/store/src/cold/rollups/merge-rollup-files.ts';
import { daysOf, writeRollupFile } from '../../../../packages/store/src/cold/rollups/write-rollup-file.ts';
import { ParquetFile } from '../../../../packages/store/src/parquet/file.ts';
import { gauge, histogram, numberPoint, sum, summary } from '../../../otlp/plain.ts';
import { MemorySink, memoryFile } from '../../parquet/memory-file.ts';
import { type Cell, cellsOf } from '../../parquet/tables.ts';
import { keyed, similarMetrics } from '../metrics/files.ts';

// Shrinking takes minutes, since each step writes files.
fc.configureGlobal({ numRuns: 50, endOnFailure: true });

function sorterOf(requests: readonly (readonly MetricData[])[]): PointSorter {
  const sorter = new PointSorter();
  for (const metrics of requests) sorter.add(encodeMetrics(metrics));
  return sorter;
}

function openFile(sink: MemorySink): ParquetFile {
  return ParquetFile.open(memoryFile(sink.bytes()), 'rollups.parquet');
}

function rollupsOf(requests: readonly (readonly MetricData[])[]): ParquetFile | undefined {
  const sink = new MemorySink();
  return writeRollupFile(sorterOf(requests), sink) === undefined ? undefined : openFile(sink);
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

const FIGURES = ['name', 'series', 'time', 'count', 'sum', 'min', 'max', 'last', 'last_time', 'is_total'];
const LATEST = 2n ** 63n - 1n;

/** What the rollups of some requests should be: a naive look at all points. */
function expectedRollups(requests: readonly (readonly MetricData[])[]): Row[] {
  const groups = new Map<string, Row>();
  // From the oldest point of each series on.
  for (const { key, point, series } of keyed(requests).reverse()) {
    const isNumber = 'value' in point;
    if (isNumber ? point.value === undefined || Number.isNaN(Number(point.value)) : (point.flags & 1) === 1)
      continue;
    const cut = (time: bigint): bigint => (time > LATEST ? LATEST : time);
    const time = cut(key.timeUnixNanos) - (cut(key.timeUnixNanos) % 300_000_000_000n);
    const { metric } = series;
    const isTotal =
      !isNumber && (metric.type === 'summary' || !('temporality' in metric) || metric.temporality !== 1);
    const own: Row = isNumber
      ? {
          count: 1n,
          sum: Number(point.value),
          min: Number(point.value),
          max: Number(point.value),
          last: Number(point.value),
        }
      : {
          count: point.count,
          sum: point.sum ?? null,
          min: 'min' in point ? (point.min ?? null) : null,
          max: 'max' in point ? (point.max ?? null) : null,
          last: null,
        };
    const place = `${key.series} ${time}`;
    const before = groups.get(place);
    const either = (field: string, of: (a: number, b: number) => number): Cell => {
      const [a, b] = [before?.[field] ?? null, own[field] ?? null];
      return a === null ? b : b === null ? a : of(a as number, b as number);
    };
    groups.set(place, {
      name: key.name,
      series: key.series,
      time,
      count: isTotal ? own.count! : ((before?.count as bigint) ?? 0n) + (own.count as bigint),
      sum: isTotal ? own.sum! : either('sum', (a, b) => a + b),
      min: either('min', Math.min),
      max: either('max', Math.max),
      last: own.last!,
      last_time: cut(key.timeUnixNanos),
      is_total: isTotal,
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

test('merged rollups are those of all points together, but for the order in which doubles are added', () => {
  fc.assert(
    fc.property(fc.array(similarMetrics, { maxLength: 4 }).map(withinBounds), (parts) => {
      const distinct = [
        ...new Map(parts.map((part) => [Buffer.from(encodeMetrics(part)).toString('hex'), part])).values(),
      ];
      const files = distinct.map((part) => rollupsOf([part])).filter((file) => file !== undefined);
      const sink = new MemorySink();
      const summary = mergeRollupFiles(files, sink, new Map([['from', 'parts']]));
      const expected = expectedRollups(distinct);
      if (summary === undefined) return assert.equal(expected.length, 0);
      const merged = openFile(sink);
      merged.verify();
      const exact = FIGURES.filter((name) => !['sum', 'last', 'count'].includes(name));
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

test('parts of the same minutes become one row when their files are merged, with their labels and resource', () => {
  const early = rollupsOf([[gauge({ points: [at(10, 3), at(20, 5)] })]])!;
  const late = rollupsOf([[gauge({ points: [at(30, 1), at(400, 9)] })]])!;
  const sink = new MemorySink();
  mergeRollupFiles([late, early], sink);
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

test('distributions add up if they are deltas, and say the total of the last point if not', () => {
  const point = (seconds: number, count: bigint): object => ({
    timeUnixNanos: BigInt(seconds) * 1_000_000_000n,
    count,
    sum: Number(count),
  });
  const delta = histogram();
  const cumulative = { ...histogram(), temporality: 2 as const };
  const both = (metric: MetricData): MetricData =>
    ({
      ...metric,
      points: [
        { ...metric.points[0]!, ...point(1, 4n) },
        { ...metric.points[0]!, ...point(2, 6n) },
      ],
    }) as MetricData;
  for (const [metric, count, isTotal] of [
    [both(delta), 10n, false],
    [both(cumulative), 6n, true],
    [both(summary()), 6n, true],
  ] as const) {
    const [row] = rowsOf(rollupsOf([[metric]]), FIGURES);
    assert.deepEqual([row!.count, row!.sum, row!.last, row!.is_total], [count, Number(count), null, isTotal]);
  }
  assert.equal(rollupsOf([[sum({ points: [numberPoint({ value: undefined })] })]]), undefined);
});

test('the rollups of each day go to a file of their own', () => {
  const DAY = 86_400;
  const sorter = sorterOf([[gauge({ points: [at(1, 1), at(DAY - 1, 2), at(DAY, 3), at(5 * DAY, 4)] })]]);
  assert.deepEqual(daysOf(sorter), [0, 1, 5]);
  const found = daysOf(sorter).map((day) => {
    const sink = new MemorySink();
    writeRollupFile(sorter, sink, { day });
    return rowsOf(openFile(sink), ['last']).map(({ last }) => last);
  });
  assert.deepEqual(found, [[1, 2], [3], [4]]);
});
