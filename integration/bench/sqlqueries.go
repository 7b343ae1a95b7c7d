package main

import (
	"fmt"
	"strings"
)

// query is a question that both engines are asked.
type query struct {
	name string
	// columns are those of the table that takes the answer; key is their primary key
	// where rows change.
	columns, key string
	text         string
	// toKafka says that the measured run writes to Kafka; else it writes nowhere.
	toKafka bool
}

// tables are the views that the queries read, over the topic of events. Both
// engines take this text as it is.
const views = `CREATE VIEW Requests AS SELECT ts, trace.id AS trace, log.file.path AS path FROM Events WHERE event.kind = 'request';
CREATE VIEW Responses AS SELECT ts, trace.id AS trace, log.` + "`offset`" + ` AS num FROM Events WHERE event.kind = 'response';
`

var queries = []query{
	{name: "projection → blackhole", columns: "id VARCHAR, ip ARRAY<VARCHAR>, path VARCHAR, num INTEGER, message VARCHAR, createTime VARCHAR",
		text: "SELECT host.id, host.ip, log.file.path, log.`offset`, message, `@timestamp` FROM Events"},
	{name: "projection → Kafka", toKafka: true, columns: "id VARCHAR, ip ARRAY<VARCHAR>, path VARCHAR, num INTEGER, message VARCHAR, createTime VARCHAR",
		text: "SELECT host.id, host.ip, log.file.path, log.`offset`, message, `@timestamp` FROM Events"},
	{name: "LIKE and REGEXP_EXTRACT → blackhole", columns: "path VARCHAR, item VARCHAR, `user` VARCHAR",
		text: "SELECT log.file.path, REGEXP_EXTRACT(message, 'path=(/[a-z0-9/]+)', 1), REGEXP_EXTRACT(message, 'user=u([0-9]+)', 1) FROM Events WHERE message LIKE '%level=INFO%status=200%' AND REGEXP_EXTRACT(message, 'user=u([0-9]+)', 1) > '1000'"},
	{name: "tumbling count, avg, max per path", toKafka: true, columns: "path VARCHAR, started TIMESTAMP(3), n BIGINT, mean BIGINT, largest INTEGER",
		text: "SELECT path, window_start, COUNT(*), AVG(CAST(num AS BIGINT)), MAX(num) FROM TABLE(TUMBLE(TABLE Logs, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY path, window_start, window_end"},
	{name: "tumbling COUNT(DISTINCT user) per path", toKafka: true, columns: "path VARCHAR, started TIMESTAMP(3), n BIGINT, users BIGINT",
		text: "SELECT path, window_start, COUNT(*), COUNT(DISTINCT `user`) FROM TABLE(TUMBLE(TABLE Logs, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY path, window_start, window_end"},
	{name: "interval join, 5 s", columns: "trace VARCHAR, path VARCHAR, num INTEGER, took BIGINT",
		text: "SELECT q.trace, q.path, p.num, TIMESTAMPDIFF(SECOND, q.ts, p.ts) FROM Requests q JOIN Responses p ON q.trace = p.trace AND p.ts BETWEEN q.ts AND q.ts + INTERVAL '5' SECOND"},
	{name: "top 10 per path", toKafka: true, columns: "path VARCHAR, place BIGINT, num INTEGER, trace VARCHAR", key: "path, place",
		text: "SELECT path, place, num, trace FROM (SELECT path, num, trace, ROW_NUMBER() OVER (PARTITION BY path ORDER BY num DESC) AS place FROM Logs) WHERE place <= 10"},
}

// source defines the tables over the topic of events, bounded by what is there.
func (b *bench) events() string {
	table := "CREATE TABLE Events (`@timestamp` VARCHAR, host ROW<id VARCHAR, ip ARRAY<VARCHAR>>, log ROW<`offset` INTEGER, file ROW<path VARCHAR>>, message VARCHAR, trace ROW<id VARCHAR>, event ROW<kind VARCHAR>, `user` ROW<name VARCHAR>" +
		", ts AS TO_TIMESTAMP(`@timestamp`, 'yyyy-MM-dd''T''HH:mm:ss.SSS''Z'''), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ("
	return table + fmt.Sprintf("'connector'='kafka','topic'='%s','properties.bootstrap.servers'='%s','properties.group.id'='bench','scan.startup.mode'='earliest-offset','scan.bounded.mode'='latest-offset','format'='json','json.ignore-parse-errors'='true');\n", b.topic(), b.brokers) +
		"CREATE VIEW Logs AS SELECT ts, log.file.path AS path, log.`offset` AS num, `user`.name AS `user`, trace.id AS trace FROM Events;\n" + views
}

// statements are the whole script of a query whose answer goes to a topic, or
// nowhere if that is empty.
func (b *bench) statements(q query, topic string) string {
	columns, with := q.columns, "'connector'='blackhole'"
	switch {
	case topic != "" && q.key != "":
		columns += ", PRIMARY KEY (" + q.key + ") NOT ENFORCED"
		with = fmt.Sprintf("'connector'='upsert-kafka','topic'='%s','properties.bootstrap.servers'='%s','key.format'='json','value.format'='json'", topic, b.brokers)
	case topic != "":
		with = fmt.Sprintf("'connector'='kafka','topic'='%s','properties.bootstrap.servers'='%s','format'='json'", topic, b.brokers)
	}
	return b.events() + "CREATE TABLE Answer (" + columns + ") WITH (" + with + ");\nINSERT INTO Answer " + q.text + ";\n"
}

// split cuts a script at the ends of its statements, none of which is in a string.
func split(script string) []string {
	var out []string
	for s := range strings.SplitSeq(script, ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}
