CREATE TABLE e (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DIR}/e.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
CREATE TABLE f (fid INT, k STRING, name STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DIR}/f.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
SELECT x.k, y.m FROM (SELECT k, COUNT(*) c FROM e GROUP BY k) x JOIN (SELECT k, MAX(fid) m FROM f GROUP BY k) y ON x.k = y.k AND x.c > y.m;
