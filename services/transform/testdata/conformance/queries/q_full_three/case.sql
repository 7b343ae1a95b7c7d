CREATE TABLE e (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DIR}/e.ndjson','format'='json','json.timestamp-format.standard'='ISO-8601');
CREATE VIEW ag AS SELECT k, COUNT(*) AS n, SUM(v) AS s FROM e GROUP BY k;
SELECT a.k, b.k, a.n, b.n FROM ag a FULL JOIN ag b ON a.n = b.n + 2;
