CREATE TABLE e (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DIR}/e.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
CREATE VIEW fd AS SELECT k, ts FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts) rn FROM e) WHERE rn = 1;
SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE fd, DESCRIPTOR(ts), INTERVAL '20' SECOND)) GROUP BY window_start, window_end;
