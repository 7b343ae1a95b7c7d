CREATE TABLE e (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DIR}/e.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
CREATE VIEW ag AS SELECT k, COUNT(*) AS n, SUM(v) AS s FROM e GROUP BY k;
SELECT * FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY n DESC) rn FROM ag) WHERE rn <= 2;
