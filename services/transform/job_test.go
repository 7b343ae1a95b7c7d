package transform_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
	"github.com/weirflow/weirflow/services/platform/ledger"
	"github.com/weirflow/weirflow/services/platform/status"

	"github.com/weirflow/weirflow/services/transform"

	"net"
)

// missionSQL is the job of the original solution; only addresses are filled in.
const missionSQL = `
CREATE TABLE DataInput (
     ` + "`@timestamp`" + ` VARCHAR,
     ` + "`host`" + `       ROW<id VARCHAR,ip ARRAY<VARCHAR>>,
     ` + "`log`" + `        ROW<` + "`offset`" + ` INTEGER,file ROW<path VARCHAR>>,
     ` + "`message`" + `    VARCHAR
 ) WITH (
     'connector' = 'kafka',   -- 可选 'kafka','kafka-0.11'
     'topic' = 'topic-app-info',
     'scan.startup.mode' = 'earliest-offset',
     'properties.bootstrap.servers' = '${BROKERS}',
     'properties.group.id' = 'oceanus_group2',
     'format' = 'json',
     'json.ignore-parse-errors' = 'true',
     'json.fail-on-missing-field' = 'false'
 );
CREATE TABLE es_output (
    ` + "`id` VARCHAR, `ip` ARRAY<VARCHAR>, `path` VARCHAR, `num` INTEGER, `message` VARCHAR, `createTime` VARCHAR" + `
) WITH (
    'connector.type' = 'elasticsearch',
    'connector.version' = '6',
    'connector.hosts' = 'http://10.0.0.175:9200',
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
host.id as ` + "`id`" + `,
host.ip as ` + "`ip`" + `,
log.file.path as ` + "`path`" + `,
log.` + "`offset` as `num`" + `,
message,
` + "`@timestamp` as `createTime`" + `
from DataInput;
`

// service runs transform against a cluster until stop is called.
func service(t *testing.T, cfg kafka.Config) (client jobv1.JobServiceClient, book *ledger.Book, stop func()) {
	t.Helper()
	return start(t, cfg, slog.New(slog.NewTextHandler(t.Output(), nil)), noop.NewMeterProvider())
}

func serviceMetered(t *testing.T, cfg kafka.Config, meters metric.MeterProvider) (jobv1.JobServiceClient, *ledger.Book) {
	t.Helper()
	client, book, _ := start(t, cfg, slog.New(slog.NewTextHandler(t.Output(), nil)), meters)
	return client, book
}

func serviceLogging(t *testing.T, cfg kafka.Config, log *slog.Logger) (jobv1.JobServiceClient, *ledger.Book) {
	t.Helper()
	client, book, _ := start(t, cfg, log, noop.NewMeterProvider())
	return client, book
}

func start(t *testing.T, cfg kafka.Config, log *slog.Logger, meters metric.MeterProvider, more ...func(*transform.Deps)) (client jobv1.JobServiceClient, book *ledger.Book, stop func()) {
	t.Helper()
	book, err := ledger.NewBook("transform", "test", meters)
	if err != nil {
		t.Fatal(err)
	}
	c := transform.DefaultConfig()
	c.Kafka = cfg
	c.CheckpointInterval = 50 * time.Millisecond
	c.RestartMin, c.RestartMax = 50*time.Millisecond, time.Second
	c.Exclusive = true
	d := transform.Deps{Logger: log, Meters: meters, Board: status.New("transform", "test"), Book: book, Instance: "test"}
	for _, change := range more {
		change(&d)
	}
	s, err := transform.New(c, d)
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer()
	s.Register(g)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = g.Serve(l) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	client = connected{jobv1.NewJobServiceClient(conn), conn}
	eventually(t, "the service to be ready", func() bool {
		_, err := client.ListJobs(t.Context(), &jobv1.ListJobsRequest{})
		return err == nil
	})
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		g.Stop()
		_ = conn.Close()
	}
	t.Cleanup(stop)
	return client, book, stop
}

// connected is a client with its connection, for clients of other services on it.
type connected struct {
	jobv1.JobServiceClient
	conn *grpc.ClientConn
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func event(i int) []byte {
	return fmt.Appendf(nil, `{"@timestamp":"2021-08-30T10:22:52.%03dZ","@metadata":{"beat":"filebeat"},"host":{"ip":["172.27.0.14","fe80::1"],"id":"0ea7"},"log":{"offset":%d,"file":{"path":"/tmp/test.log"}},"message":"line %d"}`, i%1000, i*100, i)
}

func produce(t *testing.T, cfg kafka.Config, topic string, from, to int) {
	t.Helper()
	p, err := kafka.NewProducer(cfg, kafka.ProducerOptions{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var r kafka.Records
	for i := from; i < to; i++ {
		r.Append(0, nil, event(i), kafka.Header{Key: "event-id", Value: fmt.Appendf(nil, "agent-1-file-7-%d", i*100)})
	}
	if err := p.Produce(t.Context(), topic, &r, func(err error, _ []kafka.Failure) {
		if err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// drain reads all values of a topic's first partition that are there.
func drain(t *testing.T, cfg kafka.Config, topic string) [][]byte {
	t.Helper()
	c, err := kafka.NewConsumer(cfg, kafka.ConsumerOptions{Logger: slog.New(slog.DiscardHandler), Header: "event-id"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, end, err := c.Bounds(t.Context(), topic, 0)
	if err != nil {
		return nil
	}
	if err := c.Assign([]kafka.Position{{Topic: topic, Offset: kafka.OffsetBeginning}}); err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for next := int64(0); next < end; {
		b, err := c.Poll(t.Context(), time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			continue
		}
		for i := range b.Len() {
			r := b.Record(i)
			all = append(all, append([]byte(nil), r.Value...))
			next = r.Offset + 1
		}
		b.Release()
	}
	return all
}

// documents returns the bulk actions of a job by document id, and how many there are.
func documents(t *testing.T, cfg kafka.Config, job string) (byID map[string]string, actions int) {
	t.Helper()
	byID = make(map[string]string)
	for _, v := range drain(t, cfg, "weirflow.index."+job) {
		var b indexv1.IndexBatch
		if err := proto.Unmarshal(v, &b); err != nil {
			t.Fatal(err)
		}
		rest := b.GetBody()
		for _, n := range b.GetLengths() {
			action, doc, _ := strings.Cut(string(rest[:n]), "\n")
			byID[action] = doc
			rest = rest[n:]
			actions++
		}
		if len(rest) != 0 {
			t.Errorf("lengths do not add up to the body: %d bytes left", len(rest))
		}
	}
	return byID, actions
}

func missionJob(cfg kafka.Config) string {
	return strings.ReplaceAll(missionSQL, "${BROKERS}", strings.Join(cfg.Brokers, ","))
}

func TestMissionJobEndToEnd(t *testing.T) {
	cfg := kafkatest.Start(t, "topic-app-info")
	produce(t, cfg, "topic-app-info", 0, 1000)
	client, book, stop := service(t, cfg)
	if _, err := client.CreateJob(t.Context(), &jobv1.CreateJobRequest{Name: "mission", Sql: missionJob(cfg), Start: true}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "1,000 records out", func() bool { return account(book, "mission").Out == 1000 })
	docs, actions := documents(t, cfg, "mission")
	if len(docs) != 1000 || actions != 1000 {
		t.Fatalf("%d documents in %d actions, want 1000 in 1000", len(docs), actions)
	}
	for action, doc := range docs {
		if !strings.HasPrefix(action, `{"index":{"_index":"oceanus_test2","_id":"`) {
			t.Fatalf("action %s", action)
		}
		if !strings.HasPrefix(doc, `{"id":"0ea7","ip":["172.27.0.14","fe80::1"],"path":"/tmp/test.log","num":`) || !strings.Contains(doc, `"createTime":"2021-08-30T10:22:52.`) {
			t.Fatalf("document %s", doc)
		}
	}
	got, err := client.GetJob(t.Context(), &jobv1.GetJobRequest{Name: "mission"})
	if err != nil {
		t.Fatal(err)
	}
	st := got.GetJob().GetStatus()
	if st.GetState() != jobv1.JobState_JOB_STATE_RUNNING || len(st.GetSources()) != 1 || st.GetSources()[0].GetOffset() != 1000 || st.GetLedger().GetIn() != 1000 {
		t.Errorf("status %v", st)
	}
	stop()

	// A second start goes on where the first left, and more lines come.
	produce(t, cfg, "topic-app-info", 1000, 1500)
	_, book, _ = service(t, cfg)
	eventually(t, "500 more records out", func() bool { return account(book, "mission").Out == 500 })
	docs, actions = documents(t, cfg, "mission")
	if len(docs) != 1500 || actions != 1500 {
		t.Errorf("%d documents in %d actions after a restart, want 1500 in 1500", len(docs), actions)
	}
	balanced(t, book, "mission")
}

func account(b *ledger.Book, job string) ledger.Account {
	for _, a := range b.Accounts() {
		if a.Name == job {
			return a
		}
	}
	return ledger.Account{}
}

func balanced(t *testing.T, b *ledger.Book, job string) {
	t.Helper()
	a := account(b, job)
	if a.In != a.Out+a.Filtered+a.DeadLettered || a.InFlight != 0 {
		t.Errorf("the ledger does not balance: %+v", a)
	}
}
