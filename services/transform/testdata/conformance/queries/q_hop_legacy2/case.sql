CREATE TABLE e (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DIR}/e.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
SELECT k, HOP_START(ts, INTERVAL '10' SECOND, INTERVAL '20' SECOND) s, COUNT(DISTINCT v) FROM e GROUP BY k, HOP(ts, INTERVAL '10' SECOND, INTERVAL '20' SECOND);
