CREATE TABLE e (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DIR}/e.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
SELECT CASE WHEN k = 'a' THEN 'A' ELSE 'O' END g, COUNT(*) FROM e GROUP BY CASE WHEN k = 'a' THEN 'A' ELSE 'O' END;
