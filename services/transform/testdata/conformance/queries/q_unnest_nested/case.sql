CREATE TABLE c (id INT, arr ARRAY<INT>, m MAP<STRING,INT>, rs ARRAY<ROW<x INT, y STRING>>, b ARRAY<STRING>) WITH ('connector'='filesystem','path'='${DIR}/c.ndjson','format'='json');
SELECT id, x, y FROM c CROSS JOIN UNNEST(arr) AS t(x) CROSS JOIN UNNEST(b) AS u(y);
