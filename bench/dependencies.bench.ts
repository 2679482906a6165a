import { analysisSpans, timed } from './analysis-spans.ts';
import { alternate, type Bench, compare } from './harness.ts';

const bench: Bench = {
  name: 'dependencies',
  what: 'Who calls whom, services and databases, among 5M spans, with percentiles, beside self-joins of DuckDB.',

  async run({ tiny, report }) {
    const { spans, store, connection, startTime, endTime } = await analysisSpans(tiny);
    const sql = `WITH windowed AS (SELECT * FROM spans WHERE start_time >= ${startTime} AND start_time < ${endTime}),
      calls AS (
        SELECT parent.service_name AS caller, child.service_name AS callee, child.trace_id, child.parent_span_id,
          child.status_code, child.duration_ns
        FROM windowed child JOIN windowed parent
          ON child.trace_id = parent.trace_id AND child.parent_span_id = parent.span_id
        WHERE child.service_name <> parent.service_name),
      outside AS (
        SELECT service_name AS caller, coalesce(db_namespace, db_system, server_address) AS callee, status_code, duration_ns
        FROM windowed
        WHERE kind IN ('CLIENT', 'PRODUCER') AND coalesce(db_system, server_address) IS NOT NULL
          AND NOT EXISTS (FROM calls WHERE calls.trace_id = windowed.trace_id AND calls.parent_span_id = windowed.span_id)),
      edges AS (SELECT caller, callee, status_code, duration_ns FROM calls UNION ALL FROM outside)
      SELECT caller, callee, count(*) AS spans, count(*) FILTER (status_code = 'ERROR') AS errors, avg(duration_ns) AS mean,
        approx_quantile(duration_ns, [0.5, 0.95, 0.99]) AS percentiles, max(duration_ns) AS max
      FROM edges GROUP BY caller, callee ORDER BY spans DESC`;
    const theirs = (await connection.runAndReadAll(sql)).getRowObjects();
    const { dependencies: ours } = await store.queryDependencies({ startTime, endTime });
    const counts = (rows: [unknown, unknown, unknown, unknown][]): string =>
      JSON.stringify(rows.map((row) => row.map(String)).sort());
    const same =
      counts(ours.map((one) => [one.from, one.to, one.spanCount, one.errorCount])) ===
      counts(theirs.map((row) => [row.caller, row.callee, row.spans, row.errors]));
    if (!same) throw new Error('both sides find different calls');
    const figures = await alternate(tiny ? 1 : 5, {
      tracewell: () => timed(() => store.queryDependencies({ startTime, endTime })),
      duckdb: () => timed(() => connection.runAndReadAll(sql)),
    });
    report(
      compare(
        'dependencies',
        `${(spans / 1e6).toFixed(1)}M spans`,
        'ms',
        'lower',
        figures.tracewell,
        'duckdb',
        figures.duckdb,
      ),
    );
  },
};

export default bench;
