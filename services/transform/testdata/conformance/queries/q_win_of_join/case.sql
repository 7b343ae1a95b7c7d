CREATE TABLE e (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DIR}/e.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
CREATE TABLE f (fid INT, k STRING, name STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DIR}/f.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
CREATE VIEW ij AS SELECT e.id, e.ts FROM e JOIN f ON e.k = f.k AND e.ts BETWEEN f.ts - INTERVAL '20' SECOND AND f.ts + INTERVAL '20' SECOND;
SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE ij, DESCRIPTOR(ts), INTERVAL '20' SECOND)) GROUP BY window_start, window_end;
