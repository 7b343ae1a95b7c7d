CREATE TABLE e (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DIR}/e.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
CREATE VIEW w1 AS SELECT window_start, window_end, window_time, k, COUNT(*) n, SUM(v) s FROM TABLE(TUMBLE(TABLE e, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY window_start, window_end, window_time, k;
SELECT k, window_start, s - LAG(s) OVER (PARTITION BY k ORDER BY window_time) d FROM w1;
