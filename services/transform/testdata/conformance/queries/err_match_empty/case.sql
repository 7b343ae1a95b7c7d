CREATE TABLE t (id INT, k STRING, v INT, price DECIMAL(10,2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DIR}/t.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES A.id AS a PATTERN (A*? B*?) DEFINE B AS B.v > A.v);
