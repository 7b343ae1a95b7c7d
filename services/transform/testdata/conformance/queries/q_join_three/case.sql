CREATE TABLE e (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DIR}/e.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
CREATE TABLE f (fid INT, k STRING, name STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DIR}/f.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
CREATE TABLE c (id INT, arr ARRAY<INT>, m MAP<STRING,INT>, rs ARRAY<ROW<x INT, y STRING>>, b ARRAY<STRING>) WITH ('connector'='filesystem','path'='${DIR}/c.ndjson','format'='json');
SELECT a.id, b.fid, c.id FROM e a LEFT JOIN f b ON a.k = b.k LEFT JOIN c ON c.id = b.fid;
