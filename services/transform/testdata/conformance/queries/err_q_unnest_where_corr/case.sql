CREATE TABLE c (id INT, arr ARRAY<INT>, m MAP<STRING,INT>, rs ARRAY<ROW<x INT, y STRING>>, b ARRAY<STRING>) WITH ('connector'='filesystem','path'='${DIR}/c.ndjson','format'='json');
SELECT id FROM c WHERE EXISTS (SELECT 1 FROM UNNEST(arr) AS t(x) WHERE x = 7);
