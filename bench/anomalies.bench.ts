import { analysisSpans, timed } from './analysis-spans.ts';
import { alternate, type Bench, compare } from './harness.ts';

const bench: Bench = {
  name: 'anomalies',
  what: 'Error rates and latencies of every operation and service in a window and a baseline of 5M spans, beside DuckDB.',

  async run({ tiny, report }) {
    const { spans, store, connection, startTime, endTime } = await analysisSpans(tiny);
    // The last eighth beside the seven before it.
    const seconds = Number(endTime - startTime) / 1e9;
    const query = { endTime, windowSeconds: seconds / 8, baselineSeconds: (seconds / 8) * 7, minSpans: 5 };
    const border = endTime - BigInt(Math.round((seconds / 8) * 1e9));
    const sql = `WITH windowed AS (
        SELECT *, start_time >= ${border} AS current FROM spans WHERE start_time >= ${startTime} AND start_time < ${endTime}),
      figures AS (
        SELECT service_name, name, current, count(*) AS spans, count(*) FILTER (status_code = 'ERROR') AS errors,
          approx_quantile(duration_ns, [0.5, 0.95, 0.99]) AS percentiles
        FROM windowed GROUP BY service_name, name, current
        UNION ALL
        SELECT service_name, NULL, current, count(*), count(*) FILTER (status_code = 'ERROR'),
          approx_quantile(duration_ns, [0.5, 0.95, 0.99])
        FROM windowed WHERE kind IN ('SERVER', 'CONSUMER') OR parent_span_id IS NULL GROUP BY service_name, current)
      SELECT now.service_name, now.name, now.spans, now.errors, now.percentiles, before.spans, before.errors, before.percentiles
      FROM figures now JOIN figures before
        ON now.service_name = before.service_name AND now.name IS NOT DISTINCT FROM before.name
      WHERE now.current AND NOT before.current`;
    const pairs = await connection.runAndReadAll(sql);
    if (pairs.currentRowCount === 0) throw new Error('nothing was compared');
    const figures = await alternate(tiny ? 1 : 7, {
      tracewell: () => timed(() => store.queryAnomalies(query)),
      duckdb: () => timed(() => connection.runAndReadAll(sql)),
    });
    report(
      compare(
        'anomalies',
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
