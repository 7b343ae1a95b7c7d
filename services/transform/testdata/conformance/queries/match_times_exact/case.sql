CREATE TABLE t (id INT, k STRING, v INT, price DECIMAL(10,2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DIR}/t.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
SELECT * FROM t MATCH_RECOGNIZE ( ORDER BY ts MEASURES FIRST(B.id) AS f, LAST(B.id) AS l AFTER MATCH SKIP PAST LAST ROW PATTERN (B{3}) DEFINE B AS B.v > 5);
