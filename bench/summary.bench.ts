import { analysisSpans, timed } from './analysis-spans.ts';
import { alternate, type Bench, compare } from './harness.ts';

const bench: Bench = {
  name: 'summary',
  what: 'Counts, error rates and percentiles of 5M spans, as a whole, by service and by operation, beside one GROUPING SETS query of DuckDB.',

  async run({ tiny, report }) {
    const { spans, store, connection, startTime, endTime } = await analysisSpans(tiny);
    const sql = `SELECT service_name, name, count(*) AS spans, count(*) FILTER (status_code = 'ERROR') AS errors,
      avg(duration_ns) AS mean, approx_quantile(duration_ns, [0.5, 0.95, 0.99]) AS percentiles, max(duration_ns) AS max
      FROM spans WHERE start_time >= ${startTime} AND start_time < ${endTime}
      GROUP BY GROUPING SETS ((), (service_name), (service_name, name))`;
    const theirs = await connection.runAndReadAll(sql);
    const whole = theirs.getRowObjects().find((row) => row.service_name === null)!;
    const ours = await store.querySummary({ startTime, endTime });
    if (ours.spanCount !== Number(whole.spans) || ours.errorCount !== Number(whole.errors)) {
      throw new Error(`${ours.spanCount} spans are not ${whole.spans}`);
    }
    const figures = await alternate(tiny ? 1 : 7, {
      tracewell: () => timed(() => store.querySummary({ startTime, endTime })),
      duckdb: () => timed(() => connection.runAndReadAll(sql)),
    });
    report(
      compare(
        'summary',
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
