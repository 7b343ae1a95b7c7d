CREATE TABLE e (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DIR}/e.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
SELECT id, (SELECT COUNT(*) FROM e e2 WHERE e2.k = e.k AND e2.v > e.v) + 1 AS rnk FROM e WHERE v IS NOT NULL;
