CREATE TABLE e (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DIR}/e.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
CREATE TABLE r (fid INT, k STRING, name STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector'='filesystem','path'='${DIR}/f.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
SELECT e.id, r.name FROM e JOIN r FOR SYSTEM_TIME AS OF e.ts ON e.k = r.k WHERE r.fid > 1 AND e.v > 5;
