-- What Weirflow was built to run: events of Filebeat's form from a Kafka topic
-- into an Elasticsearch index. Only addresses and password are filled in.
CREATE TABLE DataInput (
    `@timestamp` VARCHAR,
    `host`       ROW<id VARCHAR,ip ARRAY<VARCHAR>>,
    `log`        ROW<`offset` INTEGER,file ROW<path VARCHAR>>,
    `message`    VARCHAR
) WITH (
    'connector' = 'kafka',
    'topic' = 'topic-app-info',
    'scan.startup.mode' = 'earliest-offset',
    'properties.bootstrap.servers' = '127.0.0.1:9092',
    'properties.group.id' = 'oceanus_group2',
    'format' = 'json',
    'json.ignore-parse-errors' = 'true',
    'json.fail-on-missing-field' = 'false'
);

CREATE TABLE es_output (
    `id` VARCHAR,
    `ip` ARRAY<VARCHAR>,
    `path` VARCHAR,
    `num` INTEGER,
    `message` VARCHAR,
    `createTime` VARCHAR
) WITH (
    'connector.type' = 'elasticsearch',
    'connector.version' = '6',
    'connector.hosts' = 'http://127.0.0.1:9200',
    'connector.index' = 'oceanus_test2',
    'connector.document-type' = '_doc',
    'connector.username' = 'elastic',
    'connector.password' = 'yourpassword',
    'update-mode' = 'upsert',
    'connector.key-delimiter' = '$',
    'connector.key-null-literal' = 'n/a',
    'connector.failure-handler' = 'retry-rejected',
    'connector.flush-on-checkpoint' = 'true',
    'connector.bulk-flush.max-actions' = '42',
    'connector.bulk-flush.max-size' = '42 mb',
    'connector.bulk-flush.interval' = '60000',
    'connector.connection-max-retry-timeout' = '1000',
    'format.type' = 'json'
);

INSERT INTO es_output
SELECT
host.id as `id`,
host.ip as `ip`,
log.file.path as `path`,
log.`offset` as `num`,
message,
`@timestamp` as `createTime`
from DataInput;
