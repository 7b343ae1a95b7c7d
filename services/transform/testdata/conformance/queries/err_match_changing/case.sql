CREATE TABLE t (id INT, k STRING, v INT, price DECIMAL(10,2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DIR}/t.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
SELECT * FROM (SELECT k, MAX(ts) AS ts, COUNT(*) AS v FROM t GROUP BY k) MATCH_RECOGNIZE (ORDER BY ts MEASURES A.v AS a PATTERN (A B) DEFINE B AS B.v > 1);
