import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import {
  ALLOWED_FUNCTIONS,
  ALLOWED_TABLE_FUNCTIONS,
} from '../../../packages/store/src/sql/allowed-functions.ts';
import { newProcess, run } from './sql-process.ts';

/** What DuckDB has and statements may not call, each with a reason: see allowed-functions.ts. */
const LEFT_OUT = words(`
  arrow_scan arrow_scan_dumb glob parquet_bloom_probe parquet_file_metadata parquet_full_metadata
  parquet_kv_metadata parquet_metadata parquet_scan parquet_schema read_blob read_csv read_csv_auto
  read_duckdb read_json read_json_auto read_json_objects read_json_objects_auto read_ndjson
  read_ndjson_auto read_ndjson_objects read_parquet read_text seq_scan sniff_csv

  json_deserialize_sql json_execute_serialized_sql json_serialize_plan json_serialize_sql query
  query_table sql_auto_complete histogram_values

  check_peg_parser checkpoint disable_logging disable_peg_parser disable_profiling enable_logging
  enable_peg_parser enable_profiling force_checkpoint truncate_duckdb_logs write_log
  parse_duckdb_log_message

  current_catalog current_connection_id current_database current_query current_query_id current_role
  current_schema current_schemas current_setting current_transaction_id current_user currval getvariable
  in_search_path inet_client_addr inet_client_port inet_server_addr inet_server_port nextval session_user
  setseed txid_current user version which_secret

  duckdb_approx_database_count duckdb_columns duckdb_connection_count duckdb_constraints
  duckdb_coordinate_systems duckdb_databases duckdb_dependencies duckdb_extensions
  duckdb_external_file_cache duckdb_functions duckdb_indexes duckdb_keywords duckdb_log_contexts
  duckdb_logs duckdb_logs_parsed duckdb_memory duckdb_optimizers duckdb_prepared_statements
  duckdb_profiling_settings duckdb_schemas duckdb_secret_types duckdb_secrets duckdb_sequences
  duckdb_settings duckdb_table_sample duckdb_tables duckdb_temporary_files duckdb_types duckdb_variables
  duckdb_views icu_calendar_names pragma_collations pragma_database_size pragma_metadata_info
  pragma_platform pragma_show pragma_storage_info pragma_table_info pragma_user_agent pragma_version
  summary test_all_types test_vector_types

  col_description format_pg_type format_type get_block_size has_any_column_privilege has_column_privilege
  has_database_privilege has_foreign_data_wrapper_privilege has_function_privilege has_language_privilege
  has_schema_privilege has_sequence_privilege has_server_privilege has_table_privilege
  has_tablespace_privilege map_to_pg_oid obj_description pg_collation_is_visible pg_conf_load_time
  pg_conversion_is_visible pg_function_is_visible pg_get_constraintdef pg_get_expr pg_get_viewdef
  pg_has_role pg_is_other_temp_schema pg_my_temp_schema pg_opclass_is_visible pg_operator_is_visible
  pg_opfamily_is_visible pg_postmaster_start_time pg_table_is_visible pg_timezone_names
  pg_ts_config_is_visible pg_ts_dict_is_visible pg_ts_parser_is_visible pg_ts_template_is_visible
  pg_type_is_visible shobj_description

  pg_sleep sleep_ms

  can_cast_implicitly cast_to_type combine constant_or_null create_sort_key finalize icu_sort_key make_type
  remap_struct replace_type stats timetz_byte_comparable vector_type variant_bytes_to_variant
  variant_extract variant_normalize variant_to_parquet_variant variant_typeof st_asbinary st_astext
  st_aswkb st_aswkt st_crs st_geomfromwkb st_intersects_extent st_setcrs
`);

describe('the functions that a statement may call', () => {
  const known = new Set<string>();

  before(async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const reader = await connection.runAndReadAll(
      "SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE function_type <> 'pragma'",
    );
    for (const [name] of reader.getRows()) known.add(String(name));
    connection.closeSync();
  });

  test('are all functions of DuckDB', () => {
    const allowed = [...ALLOWED_FUNCTIONS, ...ALLOWED_TABLE_FUNCTIONS];
    assert.deepEqual(
      allowed.filter((name) => !known.has(name)),
      [],
    );
  });

  test('are all that DuckDB has, but for those that were left out on purpose', () => {
    // A function that a new version brings shows up here, and somebody has to choose a side for it.
    const undecided = [...known].filter(
      (name) =>
        !ALLOWED_FUNCTIONS.has(name) &&
        !ALLOWED_TABLE_FUNCTIONS.has(name) &&
        !LEFT_OUT.has(name) &&
        !/^(icu_collate|__internal)_/.test(name),
    );
    assert.deepEqual(undecided, []);
  });

  test('do not overlap with those that were left out', () => {
    assert.deepEqual(
      [...LEFT_OUT].filter((name) => ALLOWED_FUNCTIONS.has(name)),
      [],
    );
  });

  test('are found under the names that the parser gives to all that SQL writes differently', async (t) => {
    const sql = newProcess(t);
    for (const expression of [
      `1 + 2 - 3 * 4 / 5 % 6 ** 2 // 1, -1, +1, 5!, @ -1, 1 & 2 | 3, 1 << 2 >> 1, ~1`,
      `'a' || 'b', 'a' LIKE 'b', 'a' NOT LIKE 'b', 'a' ILIKE 'b', 'a' NOT ILIKE 'b', 'a' SIMILAR TO 'b'`,
      `'a' LIKE 'b' ESCAPE 'c', 'a' NOT ILIKE 'b' ESCAPE 'c', 'a' ~ 'b', 'a' !~ 'b', 'a' GLOB 'b', 'a' ^@ 'b'`,
      `[1, 2][1], [1, 2][1:2], [1, 2] || [3], [x + 1 FOR x IN [1, 2] IF x > 1], list_transform([1], lambda x: x)`,
      `{'a': 1}.a, {'a': 1}['a'], MAP {'a': 1}['a'], (1, 2), row(1, 2), ARRAY[1, 2], [1] @> [1], [1] && [1]`,
      `'{"a": {"b": 1}}'::JSON -> 'a', '{"a": 1}'::JSON ->> 'a', '{"a": 1}'::JSON ->> '$.a'`,
      `CASE 1 WHEN 2 THEN 3 END, if(true, 1, 2), ifnull(1, 2), nullif(1, 2), coalesce(1, 2), TRY(1 / 0)`,
      `extract(hour FROM now()), date '2026-01-01', timestamp '2026-01-01' + interval '1 day', now() - ago(interval 1 hour)`,
      `CAST(1 AS VARCHAR), TRY_CAST('a' AS INTEGER), 1::DECIMAL(10, 2), 'a' COLLATE nocase = 'A', '2026-01-01'::TIMESTAMP AT TIME ZONE 'UTC'`,
      `position('a' IN 'ba'), substring('abc' FROM 2 FOR 1), trim(BOTH 'a' FROM 'aba')`,
      `1 IN (1, 2), 1 NOT IN (2), 1 BETWEEN 0 AND 2, 1 IS NULL, 1 IS DISTINCT FROM 2, 1 = ANY([1]), EXISTS (SELECT 1)`,
      `typeof(current_timestamp), current_date, greatest(1, 2), printf('%d', 1), format('{}', 1), 'x'.upper()`,
    ]) {
      // What the parser does not know is no business of this test.
      const outcome = await run(sql, `SELECT ${expression}`).catch((error: Error) => error);
      if (outcome instanceof Error) assert.doesNotMatch(outcome.message, /is not allowed/, expression);
    }
    const windows = `SELECT count(*), count(DISTINCT x), sum(x) FILTER (x > 1), string_agg(x, ',' ORDER BY x),
      row_number() OVER (), lag(x) OVER (ORDER BY x), quantile_cont(x, 0.5), mode(x), list(x), grouping(x)
      FROM range(3) t(x) GROUP BY ROLLUP (x)`;
    assert.equal((await run(sql, windows)).rows.length, 4);
    for (const [statement, count] of [
      ['FROM range(3)', 3],
      ['SELECT unnest([1, 2])', 2],
      ['FROM unnest([1, 2]) WITH ORDINALITY', 2],
      [`FROM json_each('[1, 2]')`, 2],
      [`SELECT * FROM generate_series(1, 4)`, 4],
      ['VALUES (1), (2)', 2],
      ['DESCRIBE SELECT 1', 1],
      ['SUMMARIZE SELECT 1', 1],
      ['PIVOT (FROM range(3) t(x)) ON x IN (1, 2) USING count(*)', 1],
      ['WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t WHERE x < 5) FROM t', 5],
      ['WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS x FROM a) SELECT * FROM a UNION ALL FROM b', 2],
      ['SELECT 1;', 1],
      ['/* a */ SELECT 1 -- b', 1],
    ] as const) {
      assert.equal((await run(sql, statement)).rows.length, count, statement);
    }
  });
});

function words(list: string): ReadonlySet<string> {
  return new Set(list.trim().split(/\s+/));
}
