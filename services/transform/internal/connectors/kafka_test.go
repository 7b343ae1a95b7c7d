package connectors_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"

	"github.com/weirflow/weirflow/services/transform/sqlcli"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run runs statements, in which $B is the cluster, and returns what they print.
func run(t *testing.T, cfg kafka.Config, script string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out bytes.Buffer
	script = strings.ReplaceAll(script, "$B", cfg.Brokers[0])
	err := sqlcli.Execute(ctx, sqlcli.Options{Script: script, Output: "csv", Stdout: &out, Stderr: &out, Logger: slog.New(slog.DiscardHandler)})
	return out.String(), err
}

func mustRun(t *testing.T, cfg kafka.Config, script string) string {
	t.Helper()
	out, err := run(t, cfg, script)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// record is a record as a test writes and reads it; a missing key or value is "-".
type record struct {
	key, value string
	millis     int64
	headers    string
}

func bytesOf(s string) []byte {
	if s == "-" {
		return nil
	}
	return []byte(s)
}

func textOf(b []byte) string {
	if b == nil {
		return "-"
	}
	return string(b)
}

func produce(t *testing.T, cfg kafka.Config, topic string, records ...record) {
	t.Helper()
	p, err := kafka.NewProducer(cfg, kafka.ProducerOptions{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var rs kafka.Records
	for _, r := range records {
		rs.Append(0, bytesOf(r.key), bytesOf(r.value))
		if r.millis != 0 {
			rs.SetTime(r.millis)
		}
	}
	if err := p.Produce(t.Context(), topic, &rs, func(error, []kafka.Failure) {}); err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// consume reads what is in partition 0 of a topic now, and committed.
func consume(t *testing.T, cfg kafka.Config, topic string, n int) []record {
	t.Helper()
	c, err := kafka.NewConsumer(cfg, kafka.ConsumerOptions{Logger: slog.New(slog.DiscardHandler), Properties: map[string]string{"isolation.level": "read_committed"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Assign([]kafka.Position{{Topic: topic, Offset: kafka.OffsetBeginning}}); err != nil {
		t.Fatal(err)
	}
	var out []record
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until) && len(out) < n; {
		b, err := c.Poll(t.Context(), 100*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			continue
		}
		for i := range b.Len() {
			r := b.Record(i)
			var headers []string
			for _, h := range b.Headers(i) {
				if h.Key != "event-id" {
					headers = append(headers, h.Key+"="+string(h.Value))
				}
			}
			out = append(out, record{textOf(r.Key), textOf(r.Value), r.TimestampMillis, strings.Join(headers, ",")})
		}
		b.Release()
	}
	return out
}

const options = `'properties.bootstrap.servers' = '$B', 'properties.group.id' = 'g', 'scan.bounded.mode' = 'latest-offset'`

func TestUpsertKafka(t *testing.T) {
	cfg := kafkatest.Start(t, "in", "out", "buffered")
	produce(t, cfg, "in", record{key: `{"k":"a"}`, value: `{"k":"a","n":1}`}, record{key: `{"k":"b"}`, value: `{"k":"b","n":2}`},
		record{key: `{"k":"a"}`, value: `{"k":"a","n":3}`}, record{key: `{"k":"b"}`, value: "-"}, record{key: `{"k":"c"}`, value: `{"k":"c","n":4}`})
	table := func(name, topic, more string) string {
		return fmt.Sprintf("CREATE TABLE %s (k STRING, n INT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = '%s', 'key.format' = 'json', 'value.format' = 'json', %s%s);\n", name, topic, options, more)
	}
	ddl := table("t", "in", "") + table("o", "out", "") + table("f", "buffered", ", 'sink.buffer-flush.max-rows' = '100', 'sink.buffer-flush.interval' = '10 s'")
	if got := mustRun(t, cfg, ddl+"SELECT SUM(n) AS s FROM t;"); !strings.HasSuffix(strings.TrimSpace(got), "7") {
		t.Errorf("the sum of what is left is\n%s", got)
	}
	mustRun(t, cfg, ddl+"EXECUTE STATEMENT SET BEGIN INSERT INTO o SELECT k, n FROM t; INSERT INTO f SELECT k, n FROM t; END;")
	last := map[string]string{}
	for _, r := range consume(t, cfg, "out", 5) {
		last[r.key] = r.value
	}
	if last[`{"k":"a"}`] != `{"k":"a","n":3}` || last[`{"k":"b"}`] != "-" || last[`{"k":"c"}`] != `{"k":"c","n":4}` {
		t.Errorf("the topic ends with %v", last)
	}
	var got []string
	for _, r := range consume(t, cfg, "buffered", 3) {
		got = append(got, r.key+r.value)
	}
	if want := []string{`{"k":"a"}{"k":"a","n":3}`, `{"k":"b"}-`, `{"k":"c"}{"k":"c","n":4}`}; !slices.Equal(got, want) {
		t.Errorf("the buffered topic holds %v, want %v", got, want)
	}
}

func TestUpsertKafkaWithoutAKey(t *testing.T) {
	cfg := kafkatest.Start(t, "in")
	produce(t, cfg, "in", record{key: "-", value: `{"n":1}`})
	ddl := "CREATE TABLE t (k STRING, n INT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'in', 'key.format' = 'raw', 'value.format' = 'json', 'value.fields-include' = 'EXCEPT_KEY', " + options + ");\n"
	if _, err := run(t, cfg, ddl+"SELECT * FROM t;"); err == nil || !strings.Contains(err.Error(), "no key") {
		t.Errorf("error %v", err)
	}
	if _, err := run(t, cfg, strings.Replace(ddl, ", PRIMARY KEY (k) NOT ENFORCED", "", 1)); err == nil || !strings.Contains(err.Error(), "PRIMARY KEY") {
		t.Errorf("without a primary key: %v", err)
	}
}

func TestMetadataIsWritten(t *testing.T) {
	cfg := kafkatest.Start(t, "out", "other")
	mustRun(t, cfg, `CREATE TABLE o (v STRING, ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp', h MAP<STRING, BYTES> METADATA FROM 'headers', topic STRING METADATA)
		WITH ('connector' = 'kafka', 'topic' = 'out;other', 'format' = 'raw', `+options+`);
		INSERT INTO o SELECT v, TO_TIMESTAMP_LTZ(1000, 3), MAP['h', CAST('x' AS BYTES)], t FROM (VALUES ('a', 'out'), ('b', 'other')) AS q(v, t);`)
	for topic, want := range map[string]record{"out": {"-", "a", 1000, "h=x"}, "other": {"-", "b", 1000, "h=x"}} {
		if got := consume(t, cfg, topic, 1); !slices.Equal(got, []record{want}) {
			t.Errorf("topic %s holds %v, want %v", topic, got, want)
		}
	}
	for name, tt := range map[string][2]string{
		"read only":    {"p INT METADATA FROM 'partition'", "cannot be written"},
		"of no record": {"p INT METADATA FROM 'nothing'", "has no metadata"},
		"mistyped":     {"p INT METADATA FROM 'timestamp'", "TIMESTAMP_LTZ(3)"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := run(t, cfg, `CREATE TABLE o (v STRING, `+tt[0]+`) WITH ('connector' = 'kafka', 'topic' = 'out', 'format' = 'raw', `+options+`);
				INSERT INTO o VALUES ('a', 1);`)
			if err == nil || !strings.Contains(err.Error(), tt[1]) {
				t.Errorf("error %v, want one about %s", err, tt[1])
			}
		})
	}
}

func TestExactlyOnceInAScript(t *testing.T) {
	cfg := kafkatest.Start(t, "a", "b")
	table := func(topic string) string {
		return fmt.Sprintf("CREATE TABLE %s (v STRING) WITH ('connector' = 'kafka', 'topic' = '%s', 'format' = 'csv', 'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = 'p', %s);\n", topic, topic, options)
	}
	ddl := table("a") + table("b")
	mustRun(t, cfg, ddl+"EXECUTE STATEMENT SET BEGIN INSERT INTO a VALUES ('1'), ('2'); INSERT INTO b VALUES ('3'); END;")
	// A statement that fails takes back what it wrote.
	if _, err := run(t, cfg, ddl+"INSERT INTO a SELECT CAST(10 / n AS STRING) FROM (VALUES (1), (0)) AS q(n);"); err == nil {
		t.Error("a division by zero is no error")
	}
	mustRun(t, cfg, ddl+"INSERT INTO a VALUES ('last')")
	var got []string
	for _, r := range consume(t, cfg, "a", 3) {
		got = append(got, r.value)
	}
	if want := []string{"1", "2", "last"}; !slices.Equal(got, want) {
		t.Errorf("topic a holds %v, want %v", got, want)
	}
	if got := consume(t, cfg, "b", 1); len(got) != 1 || got[0].value != "3" {
		t.Errorf("topic b holds %v", got)
	}
}

func TestStartupAndBoundedModes(t *testing.T) {
	cfg := kafkatest.Start(t, "t")
	var all []record
	for i := range 6 {
		all = append(all, record{key: "-", value: strconv.Itoa(i), millis: int64(1000 * (i + 1))})
	}
	produce(t, cfg, "t", all...)
	for name, tt := range map[string]struct{ options, want string }{
		"earliest to latest":   {`'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'`, "0 1 2 3 4 5"},
		"group to latest":      {`'scan.bounded.mode' = 'latest-offset'`, "0 1 2 3 4 5"},
		"timestamp":            {`'scan.startup.mode' = 'timestamp', 'scan.startup.timestamp-millis' = '3000', 'scan.bounded.mode' = 'latest-offset'`, "2 3 4 5"},
		"until a timestamp":    {`'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'timestamp', 'scan.bounded.timestamp-millis' = '3000'`, "0 1"},
		"specific offsets":     {`'scan.startup.mode' = 'specific-offsets', 'scan.startup.specific-offsets' = 'partition:0,offset:4', 'scan.bounded.mode' = 'latest-offset'`, "4 5"},
		"until specific ones":  {`'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'specific-offsets', 'scan.bounded.specific-offsets' = 'partition:0,offset:2'`, "0 1"},
		"from the end":         {`'scan.startup.mode' = 'latest-offset', 'scan.bounded.mode' = 'latest-offset'`, ""},
		"group without offset": {`'scan.startup.mode' = 'group-offsets', 'properties.auto.offset.reset' = 'latest', 'scan.bounded.mode' = 'latest-offset'`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			out := mustRun(t, cfg, `CREATE TABLE t (v STRING) WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'raw', 'properties.group.id' = 'g', 'properties.bootstrap.servers' = '$B', `+tt.options+`);
				SELECT v FROM t;`)
			var got []string
			for line := range strings.Lines(out) {
				if f := strings.TrimSpace(line); f != "" {
					got = append(got, f[len(f)-1:])
				}
			}
			if len(got) > 0 {
				got = got[1:] // the names of the columns
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("rows %q, want %q", s, tt.want)
			}
		})
	}
}
