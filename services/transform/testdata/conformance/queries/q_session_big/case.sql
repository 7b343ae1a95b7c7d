CREATE TABLE e (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DIR}/e.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
SELECT window_start, window_end, COUNT(*), MAX(v), LISTAGG(k) FROM TABLE(SESSION(TABLE e, DESCRIPTOR(ts), INTERVAL '8' SECOND)) GROUP BY window_start, window_end;
