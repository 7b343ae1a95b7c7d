-- Errors per minute and file. A window closes 5 s after its end; what comes later is kept as a dead letter.
CREATE TABLE lines (
  `@timestamp` TIMESTAMP_LTZ(3), message STRING, `log` ROW<file ROW<path STRING>>,
  WATERMARK FOR `@timestamp` AS `@timestamp` - INTERVAL '5' SECOND)
  WITH ('connector' = 'kafka', 'topic' = 'myapp', 'properties.bootstrap.servers' = '127.0.0.1:9092',
        'properties.group.id' = 'per-minute', 'scan.startup.mode' = 'earliest-offset',
        'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601', 'error-handling.mode' = 'dlq');
CREATE TABLE per_minute (begins TIMESTAMP_LTZ(3), path STRING, errors BIGINT, PRIMARY KEY (begins, path) NOT ENFORCED)
  WITH ('connector' = 'elasticsearch-7', 'hosts' = 'http://127.0.0.1:9200', 'index' = 'errors-per-minute');
INSERT INTO per_minute
SELECT window_start, `log`.file.path, COUNT(*)
FROM TABLE(TUMBLE(TABLE lines, DESCRIPTOR(`@timestamp`), INTERVAL '1' MINUTE))
WHERE message LIKE '%ERROR%'
GROUP BY window_start, window_end, `log`.file.path;
