CREATE TABLE t (
  id INT, bo BOOLEAN, ti TINYINT, si SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE,
  p DECIMAL(10, 2), q DECIMAL(38, 18), w DECIMAL(20, 0), s STRING, u STRING, n STRING, x STRING, y BYTES,
  dt DATE, tm TIME, ts TIMESTAMP(3), t6 TIMESTAMP(6), t9 TIMESTAMP(9), lz TIMESTAMP_LTZ(3), js STRING,
  sa ARRAY<STRING>, ia ARRAY<INT>, da ARRAY<DOUBLE>, aa ARRAY<ARRAY<INT>>, ms MAP<STRING, INT>, mi MAP<STRING, STRING>,
  r ROW<a INT, b STRING, c ROW<x DOUBLE>>, url STRING
) WITH ('connector' = 'filesystem', 'path' = '${DIR}/t.ndjson', 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601');
