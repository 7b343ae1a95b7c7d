package sql_test

import (
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/sql"
	"github.com/weirflow/weirflow/services/transform/internal/sql/explain"
)

// mission is the job that the product is made for: nested events into a sink in
// the old option form.
const mission = `
 CREATE TABLE DataInput (
     ` + "`@timestamp`" + ` VARCHAR,
     ` + "`host`" + `       ROW<id VARCHAR,ip ARRAY<VARCHAR>>,
     ` + "`log`" + `        ROW<` + "`offset`" + ` INTEGER,file ROW<path VARCHAR>>,
     ` + "`message`" + `    VARCHAR
 ) WITH (
     'connector' = 'kafka',   -- 可选 'kafka','kafka-0.11'. 注意选择对应的内置  Connector
     'topic' = 'topic-app-info',  -- 替换为您要消费的 Topic
     'scan.startup.mode' = 'earliest-offset',
     'properties.bootstrap.servers' = '10.0.0.29:9092',
     'properties.group.id' = 'oceanus_group2',
     -- 定义数据格式 (JSON 格式)
     'format' = 'json',
     'json.ignore-parse-errors' = 'true'
 );
CREATE TABLE es_output (
    ` + "`id` VARCHAR, `ip` ARRAY<VARCHAR>, `path` VARCHAR, `num` INTEGER, `message` VARCHAR, `createTime` VARCHAR" + `
) WITH (
    'connector.type' = 'elasticsearch', -- 输出到 Elasticsearch
    'connector.password' = 'yourpassword',
    'update-mode' = 'upsert',
    'connector.bulk-flush.max-size' = '42 mb',
    --'connector.connection-path-prefix' = '/v1'
    'format.type' = 'json'
);
INSERT INTO es_output
SELECT
host.id as ` + "`id`" + `,
host.ip as ` + "`ip`" + `,
log.file.path as ` + "`path`" + `,
log.` + "`offset`" + ` as ` + "`num`" + `,
message,
` + "`@timestamp` as `createTime`" + `
from DataInput;`

func TestMission(t *testing.T) {
	t.Parallel()
	res, err := sql.NewSession(sql.Options{}).Run(mission)
	if err != nil {
		t.Fatal(err)
	}
	sink := res[2].Inserts.Sinks[0]
	if got := sink.Table.Options["connector.bulk-flush.max-size"]; got != "42 mb" {
		t.Errorf("option %q", got)
	}
	want := `Sink(table=[default_catalog.default_database.es_output], fields=[id, ip, path, num, message, createTime])
+- Project(select=[host.id AS id, host.ip AS ip, log.file.path AS path, log.offset AS num, message, @timestamp AS createTime])
   +- TableSourceScan(table=[[default_catalog, default_database, DataInput]], fields=[@timestamp, host{id, ip}, log{file.path, offset}, message])`
	if got := strings.TrimSpace(explain.Text(sql.Roots(res[2]), explain.Options{})); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestMissionUnquoted sees what a newcomer is told who forgets the backquotes.
func TestMissionUnquoted(t *testing.T) {
	t.Parallel()
	src := strings.Replace(mission, "log.`offset`", "log.offset", 1)
	_, err := sql.NewSession(sql.Options{}).Run(src)
	if err == nil || !strings.Contains(err.Error(), "write it between backquotes to use it as a name: `offset`") {
		t.Errorf("got %v", err)
	}
}
