CREATE TABLE e (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DIR}/e.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
SELECT k, COUNT(*) FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY id % 3 ORDER BY ts DESC) rn FROM e) WHERE rn = 1 GROUP BY k;
