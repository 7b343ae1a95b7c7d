CREATE TABLE e (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DIR}/e.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
SELECT TUMBLE_START(ts, INTERVAL '20' SECOND) s, k, COUNT(*) c FROM e GROUP BY TUMBLE(ts, INTERVAL '20' SECOND), k HAVING COUNT(*) > 1;
