-- The job of the README: lines with ERROR go to the search store.
CREATE TABLE lines (`@timestamp` STRING, message STRING, `log` ROW<file ROW<path STRING>>)
  WITH ('connector' = 'kafka', 'topic' = 'myapp', 'properties.bootstrap.servers' = '127.0.0.1:9092',
        'properties.group.id' = 'errors', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json');
CREATE TABLE errors (seen STRING, path STRING, message STRING)
  WITH ('connector' = 'elasticsearch-7', 'hosts' = 'http://127.0.0.1:9200', 'index' = 'errors',
        'username' = 'elastic', 'password' = 'the password in data/search-password');
INSERT INTO errors SELECT `@timestamp`, `log`.file.path, message FROM lines WHERE message LIKE '%ERROR%';
