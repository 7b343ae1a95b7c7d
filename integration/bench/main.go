// Command bench measures the hot path on this machine: lines from a file into
// Kafka, and from Kafka through a job to nowhere, to Kafka, and into an index.
// Each service is a process of its own, so that its CPU time is its own. It
// needs the binaries in -bin and a Kafka at -brokers.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	"github.com/weirflow/weirflow/services/platform/kafka"
)

func main() {
	b := &bench{}
	flag.StringVar(&b.bin, "bin", "bin", "folder of the binaries")
	flag.StringVar(&b.brokers, "brokers", "127.0.0.1:19092", "Kafka's address")
	flag.IntVar(&b.lines, "lines", 1_000_000, "lines to carry")
	flag.IntVar(&b.width, "width", 121, "bytes of a line, its end included")
	sql := flag.Bool("sql", false, "measure SQL, also on Flink if -flink-run is set")
	flag.IntVar(&b.keys, "keys", 0, "with -sql: measure a window with so many keys instead")
	flag.StringVar(&b.only, "only", "", "with -sql: only queries whose names hold one of these, with commas between")
	flag.BoolVar(&b.check, "check", true, "with -sql: compare the answers")
	flag.StringVar(&b.flinkRun, "flink-run", "", "folder in which a running Flink keeps its pid files")
	flag.StringVar(&b.flinkGateway, "flink-gateway", "http://127.0.0.1:18083", "Flink's SQL gateway")
	flag.StringVar(&b.flinkRest, "flink-rest", "http://127.0.0.1:18081", "Flink's JobManager")
	flag.StringVar(&b.profile, "profile", "", "with -sql: folder for CPU profiles of the jobs")
	flag.Parse()
	run := b.run
	if *sql {
		run = b.sql
	}
	if err := b.within(run); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type bench struct {
	bin, brokers string
	lines, width int
	dir          string
	id           string
	rows         []string

	// Of SQL.
	keys                              int
	only                              string
	check                             bool
	flinkRun, flinkGateway, flinkRest string
	profile                           string
	watch                             func(*jobv1.JobStatus)
}

// within gives a run a folder and a name of its own.
func (b *bench) within(run func() error) error {
	var err error
	if b.dir, err = os.MkdirTemp("", "weirflow-bench-"); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(b.dir) }()
	b.id = strconv.FormatInt(time.Now().Unix(), 10)
	return run()
}

func (b *bench) run() error {
	if err := b.writeLines(); err != nil {
		return err
	}
	for _, step := range []func() error{b.intoKafka, b.toBlackhole, b.toKafka, b.toIndex} {
		if err := step(); err != nil {
			return err
		}
	}
	_, err := fmt.Printf("\n%d lines of %d bytes\n\n| path | seconds | events/s | process | CPU s | CPU s per million | peak RSS MiB |\n|---|---|---|---|---|---|---|\n%s\n", b.lines, b.width, strings.Join(b.rows, "\n"))
	return err
}

func (b *bench) log() string   { return filepath.Join(b.dir, "app.log") }
func (b *bench) topic() string { return "bench-" + b.id }

func (b *bench) writeLines() error {
	f, err := os.Create(b.log())
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	for i := range b.lines {
		text := fmt.Sprintf("%08d level=INFO path=/api/v1/items/%d status=200 bytes=%d user=u%04d ", i, i%977, i*7%10000, i%10000)
		fmt.Fprintf(w, "%-*s\n", b.width-1, text+"note=abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"[:max(0, b.width-1-len(text))])
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// report adds the figures of one path.
func (b *bench) report(path string, took time.Duration, procs ...*proc) {
	for i, p := range procs {
		head := "| | | "
		if i == 0 {
			head = fmt.Sprintf("| %s | %.1f | %.0f ", path, took.Seconds(), float64(b.lines)/took.Seconds())
		}
		cpu := p.cpu()
		b.rows = append(b.rows, fmt.Sprintf("%s| %s | %.2f | %.2f | %.0f |", head, p.name, cpu, cpu*1e6/float64(b.lines), p.peak()))
	}
	slog.Info("measured", "path", path, "took", took) //nolint:sloglint // a command's own progress
}

// intoKafka is path (a): file, agent, ingest, Kafka.
func (b *bench) intoKafka() error {
	ingest, err := b.start("weirflow-ingest", "--rpc.listen", "127.0.0.1:27070", "--admin.listen", "", "--kafka.brokers", b.brokers)
	if err != nil {
		return err
	}
	defer ingest.stop()
	if err := waitFor("127.0.0.1:27070"); err != nil {
		return err
	}
	conf := filepath.Join(b.dir, "filebeat.yml")
	text := fmt.Sprintf("filebeat.inputs:\n- type: log\n  paths: [%q]\nprocessors:\n- add_host_metadata: ~\noutput.ingest:\n  hosts: ['127.0.0.1:27070']\n  topic: %s\n", b.log(), b.topic())
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return err
	}
	before := time.Now()
	agent, err := b.start("weirflow-agent", "--once", "-c", conf, "--path.data", filepath.Join(b.dir, "agent"))
	if err != nil {
		return err
	}
	if err := agent.wait(); err != nil {
		return err
	}
	b.report("(a) file → agent → ingest → Kafka", time.Since(before), agent, ingest)
	return b.checkTopic()
}

// checkTopic makes sure that the topic holds what was sent, and tells how long an event is.
func (b *bench) checkTopic() error {
	a, err := kafka.NewAdmin(kafka.Config{Brokers: []string{b.brokers}}, slog.Default())
	if err != nil {
		return err
	}
	defer a.Close()
	ends, err := a.EndOffsets(context.Background(), b.topic())
	if err != nil {
		return err
	}
	if ends[0] != int64(b.lines) {
		return fmt.Errorf("the topic holds %d events, %d were sent", ends[0], b.lines)
	}
	c, err := kafka.NewConsumer(kafka.Config{Brokers: []string{b.brokers}}, kafka.ConsumerOptions{Logger: slog.Default()})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Assign([]kafka.Position{{Topic: b.topic(), Offset: kafka.OffsetBeginning}}); err != nil {
		return err
	}
	batch, err := c.Poll(context.Background(), 10*time.Second)
	if err != nil || batch == nil {
		return fmt.Errorf("read an event back: %w", err)
	}
	defer batch.Release()
	slog.Info("events are in the topic", "bytes each", len(batch.Record(0).Value)) //nolint:sloglint // a command's own progress
	return nil
}

// source is the mission's table over the topic, bounded by what is there now.
func (b *bench) source() string {
	return fmt.Sprintf("CREATE TABLE DataInput (`@timestamp` VARCHAR, `host` ROW<id VARCHAR,ip ARRAY<VARCHAR>>, `log` ROW<`offset` INTEGER,file ROW<path VARCHAR>>, `message` VARCHAR) WITH ("+
		"'connector'='kafka','topic'='%s','properties.bootstrap.servers'='%s','properties.group.id'='bench','scan.startup.mode'='earliest-offset','scan.bounded.mode'='latest-offset','format'='json','json.ignore-parse-errors'='true');\n", b.topic(), b.brokers)
}

const columns = "(`id` VARCHAR, `ip` ARRAY<VARCHAR>, `path` VARCHAR, `num` INTEGER, `message` VARCHAR, `createTime` VARCHAR)"

const projection = "INSERT INTO out_table SELECT host.id as `id`, host.ip as `ip`, log.file.path as `path`, log.`offset` as `num`, message, `@timestamp` as `createTime` from DataInput;"

func (b *bench) toBlackhole() error {
	return b.job("(b) Kafka → transform → blackhole", "CREATE TABLE out_table "+columns+" WITH ('connector'='blackhole');\n", nil)
}

func (b *bench) toKafka() error {
	a, err := kafka.NewAdmin(kafka.Config{Brokers: []string{b.brokers}}, slog.Default())
	if err != nil {
		return err
	}
	defer a.Close()
	if err := a.EnsureTopic(context.Background(), b.topic()+"-out", 1, nil); err != nil {
		return err
	}
	return b.job("(c) Kafka → transform → Kafka", fmt.Sprintf("CREATE TABLE out_table %s WITH ('connector'='kafka','topic'='%s-out','properties.bootstrap.servers'='%s','format'='json');\n", columns, b.topic(), b.brokers), nil)
}

// job runs the mission's projection into a table and measures transform; more
// runs beside it and tells when all has arrived.
func (b *bench) job(path, sink string, arrived func() error, more ...*proc) error {
	name := fmt.Sprintf("bench-%s-%d", b.id, len(b.rows))
	t, err := b.transform()
	if err != nil {
		return err
	}
	defer t.stop()
	before := time.Now()
	if err := t.run(name, b.source()+sink+projection, nil); err != nil {
		return err
	}
	if arrived != nil {
		if err := arrived(); err != nil {
			return err
		}
	}
	b.report(path, time.Since(before), append([]*proc{t.proc}, more...)...)
	return t.delete(name)
}
