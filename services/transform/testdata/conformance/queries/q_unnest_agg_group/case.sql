CREATE TABLE c (id INT, arr ARRAY<INT>, m MAP<STRING,INT>, rs ARRAY<ROW<x INT, y STRING>>, b ARRAY<STRING>) WITH ('connector'='filesystem','path'='${DIR}/c.ndjson','format'='json');
SELECT x, COUNT(*) FROM c CROSS JOIN UNNEST(b) AS t(x) GROUP BY x;
