package agent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/agent"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

// consume reads n records of a topic's first partition.
func consume(t *testing.T, cfg kafka.Config, topic string, n int) (values, ids, keys []string) {
	t.Helper()
	c, err := kafka.NewConsumer(cfg, kafka.ConsumerOptions{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Assign([]kafka.Position{{Topic: topic, Partition: 0, Offset: 0}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for len(values) < n {
		b, err := c.Poll(ctx, 100*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if ctx.Err() != nil {
			t.Fatalf("%d records of %d", len(values), n)
		}
		if b == nil {
			continue
		}
		for i := range b.Len() {
			r := b.Record(i)
			values, keys = append(values, string(r.Value)), append(keys, string(r.Key))
			for _, h := range b.Headers(i) {
				if h.Key == "event-id" {
					ids = append(ids, string(h.Value))
				}
			}
		}
		b.Release()
	}
	return values, ids, keys
}

// TestKafka runs the mission's fragment against a broker.
func TestKafka(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cluster := kafkatest.Start(t, "topic-app-info")
	writeLines(t, filepath.Join(dir, "test.log"), 0, 100, 80)
	stop := startAgent(t, dir, fmt.Sprintf("- type: log\n  enabled: true\n  paths:\n    - %s/test.log\noutput.kafka:\n  version: 2.0.0\n  hosts: [%q]\n  topic: 'topic-app-info'\n", dir, cluster.Brokers[0]))
	values, ids, _ := consume(t, cluster, "topic-app-info", 100)
	stop()
	var e struct {
		Timestamp string `json:"@timestamp"`
		Message   string `json:"message"`
		Host      struct {
			ID, Hostname, Architecture, Name string
			IP, MAC                          []string
			OS                               map[string]string
			Containerized                    *bool
		}
		Agent map[string]string
		Log   struct {
			Offset int64
			File   struct{ Path string }
		}
	}
	if err := json.Unmarshal([]byte(values[1]), &e); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(e.Message, "000000001 ") || e.Log.Offset != 80 || e.Log.File.Path != filepath.Join(dir, "test.log") {
		t.Errorf("got %s", values[1])
	}
	if e.Host.Hostname == "" || e.Host.OS["kernel"] == "" || e.Host.Containerized == nil || e.Host.Architecture == "" || e.Agent["id"] == "" || e.Agent["ephemeral_id"] == "" {
		t.Errorf("facts are missing: %s", values[1])
	}
	if len(ids) != 100 || !strings.HasPrefix(ids[1], e.Agent["id"]+":") || !strings.HasSuffix(ids[1], ":80") {
		t.Errorf("%d ids, %q", len(ids), ids[1])
	}
}

// TestKafkaRouting has topic and key come from fields, and a line that is too long.
func TestKafkaRouting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cluster := kafkatest.Start(t, "logs-blue", "other")
	if err := os.WriteFile(filepath.Join(dir, "a.log"), []byte("one\nERROR two\n"+strings.Repeat("x", 5000)+"\nthree\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`
filebeat.inputs:
- type: filestream
  id: a
  paths: [%s/a.log]
  fields: {team: blue}
output.kafka:
  hosts: [%q]
  topic: 'logs-%%{[fields.team]}'
  topics:
  - {topic: other, when.contains.message: ERROR}
  key: '%%{[fields.team]}'
  max_message_bytes: 2000
  required_acks: -1
  compression: gzip
  headers: [{key: k, value: v}]
`, dir, cluster.Brokers[0])
	cfg := agent.DefaultConfig()
	cfg.Files, cfg.Documents, cfg.PathData = nil, []agent.Document{{Name: "f.yml", Text: []byte(config)}}, filepath.Join(dir, "data")
	deps, err := testDeps(nil)
	if err != nil {
		t.Fatal(err)
	}
	stop := runAgent(t, cfg, deps)
	values, _, keys := consume(t, cluster, "logs-blue", 2)
	errs, _, _ := consume(t, cluster, "other", 1)
	for end := time.Now().Add(5 * time.Second); deps.Book.Stage("input").Account().InFlight > 0 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	if !strings.Contains(values[0], `"message":"one"`) || !strings.Contains(values[1], `"message":"three"`) || keys[0] != "blue" || !strings.Contains(errs[0], "ERROR two") {
		t.Errorf("got %q %q %q", values, keys, errs)
	}
	a := deps.Book.Stage("input").Account()
	if a.In != 4 || a.Out != 3 || a.DeadLettered != 1 || a.InFlight != 0 {
		t.Errorf("ledger %+v", a)
	}
	kept, err := filepath.Glob(filepath.Join(dir, "data", "dead-letters", "*.ndjson"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("%v %v", kept, err)
	}
	if text := string(mustRead(kept[0])); !strings.Contains(text, "max_message_bytes") || !strings.Contains(text, "xxxxx") {
		t.Errorf("dead letter %.200s", text)
	}
}

// TestRedirect has an output.kafka go to ingest instead, with its topic.
func TestRedirect(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startSink(t, &sink{keep: true}, "127.0.0.1:0")
	writeLines(t, filepath.Join(dir, "in.log"), 0, 10, 80)
	cfg := agent.DefaultConfig()
	cfg.Files, cfg.PathData = nil, filepath.Join(dir, "data")
	cfg.Documents = []agent.Document{{Name: "f.yml", Text: fmt.Appendf(nil, "filebeat.inputs:\n- type: log\n  paths: [%s/in.log]\noutput.kafka: {hosts: ['127.0.0.1:1'], topic: there}\n", dir)}}
	deps, err := testDeps(nil)
	if err != nil {
		t.Fatal(err)
	}
	deps.Redirect = func(o agent.OutputConfig) agent.OutputConfig {
		if o.Kind == "kafka" && o.Hosts[0] == "127.0.0.1:1" {
			o.Kind, o.Hosts = "ingest", []string{s.addr}
		}
		return o
	}
	stop := runAgent(t, cfg, deps)
	waitCount(t, s, 10, 5*time.Second)
	stop()
	if e := s.all()[0]; e.topic != "there" {
		t.Errorf("got %+v", e)
	}
}
