package indexer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	deadletterv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"
	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"
	"github.com/weirflow/weirflow/services/indexer"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
	"github.com/weirflow/weirflow/services/platform/kafka/table"
	"github.com/weirflow/weirflow/services/platform/process"
	"github.com/weirflow/weirflow/services/platform/telemetry"
)

// store is an Elasticsearch that answers as a test wants it to.
type store struct {
	mu       sync.Mutex
	docs     map[string]string // by id, the last one written
	writes   map[string]int
	requests []int // actions in each
	// whole, if not 0, is the status of the next requests; item that of an action.
	whole int
	item  func(id, doc string) (status int, kind string)
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if s.whole != 0 {
		w.WriteHeader(s.whole)
		_, _ = io.WriteString(w, `{"error":{"type":"circuit_breaking_exception","reason":"busy"}}`)
		return
	}
	b, _ := io.ReadAll(r.Body)
	rows := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	var items []string
	errs := false
	for i := 0; i+1 < len(rows); i += 2 {
		var action map[string]struct {
			ID string `json:"_id"`
		}
		_ = json.Unmarshal([]byte(rows[i]), &action)
		id := action["index"].ID
		status, kind := 201, ""
		if s.item != nil {
			status, kind = s.item(id, rows[i+1])
		}
		if status >= 300 {
			errs = true
			items = append(items, fmt.Sprintf(`{"index":{"status":%d,"error":{"type":%q,"reason":"because"}}}`, status, kind))
			continue
		}
		s.docs[id] = rows[i+1]
		s.writes[id]++
		items = append(items, `{"index":{"status":201}}`)
	}
	s.requests = append(s.requests, len(items))
	fmt.Fprintf(w, `{"errors":%t,"items":[%s]}`, errs, strings.Join(items, ","))
}

func (s *store) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *store) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.docs)
}

// bench is an indexer on a Kafka and a store of its own.
type bench struct {
	t        *testing.T
	kafka    kafka.Config
	store    *store
	url      string
	sinks    *table.Table[*indexv1.Sink]
	statuses *table.Table[*indexv1.SinkStatus]
	producer *kafka.Producer
	env      process.Env
	tel      *telemetry.Telemetry
	stop     func()

	queueBytes int // of the next start; 0: default
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, kafka: kafkatest.Start(t, "weirflow.index.j"), store: &store{docs: map[string]string{}, writes: map[string]int{}}}
	srv := httptest.NewServer(b.store)
	t.Cleanup(srv.Close)
	b.url = srv.URL
	log := slog.New(slog.DiscardHandler)
	var err error
	if b.sinks, err = table.New(table.Config{Kafka: b.kafka, Topic: indexer.SinksTopic, Logger: log}, func() *indexv1.Sink { return &indexv1.Sink{} }); err != nil {
		t.Fatal(err)
	}
	if b.statuses, err = table.New(table.Config{Kafka: b.kafka, Topic: indexer.StatusTopic, Logger: log}, func() *indexv1.SinkStatus { return &indexv1.SinkStatus{} }); err != nil {
		t.Fatal(err)
	}
	b.background(b.sinks.Run)
	b.background(b.statuses.Run)
	if b.producer, err = kafka.NewProducer(b.kafka, kafka.ProducerOptions{Logger: log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.producer.Close)
	b.start()
	return b
}

func (b *bench) background(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			b.t.Error(err)
		}
	})
	b.t.Cleanup(stop)
	return stop
}

// start runs the service; a later one takes over where an earlier one stopped.
func (b *bench) start() {
	tel, err := telemetry.New(b.t.Context(), "indexer", telemetry.DefaultConfig(), io.Discard)
	if err != nil {
		b.t.Fatal(err)
	}
	if b.env, err = process.NewEnv("indexer", "test", tel); err != nil {
		b.t.Fatal(err)
	}
	cfg := indexer.DefaultConfig()
	cfg.Kafka, cfg.CheckpointInterval = b.kafka, 20*time.Millisecond
	if b.queueBytes > 0 {
		cfg.QueueBytes = b.queueBytes
	}
	b.tel = tel
	s, err := indexer.New(cfg, indexer.Deps{Logger: slog.New(slog.DiscardHandler), Meters: tel.Meters, Board: b.env.Board, Book: b.env.Book})
	if err != nil {
		b.t.Fatal(err)
	}
	b.stop = b.background(s.Run)
}

func (b *bench) sink(change func(*indexv1.Sink)) {
	b.t.Helper()
	s := &indexv1.Sink{
		Job: "j", Sink: "es", Epoch: 1, Version: 7, Hosts: []string{b.url}, Username: "elastic", Password: "p",
		BulkFlushMaxActions: 1000, FlushOnCheckpoint: true, FailureHandler: indexv1.FailureHandler_FAILURE_HANDLER_FAIL,
	}
	if change != nil {
		change(s)
	}
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	defer cancel()
	if err := b.sinks.Put(ctx, "j/es", s); err != nil {
		b.t.Fatal(err)
	}
}

// documents produces one record with a document for each id.
func (b *bench) documents(ids ...string) {
	b.t.Helper()
	b.written(0, 0, ids...)
}

// written produces one record of a run with a document for each id.
func (b *bench) written(epoch, generation int64, ids ...string) {
	b.t.Helper()
	m := &indexv1.IndexBatch{Job: "j", Sink: "es", Epoch: epoch, Generation: generation}
	for i, id := range ids {
		x := fmt.Sprintf("{\"index\":{\"_index\":\"i\",\"_id\":%q}}\n{\"n\":%d}\n", id, i)
		m.Body = append(m.Body, x...)
		m.Lengths = append(m.Lengths, uint32(len(x)))
	}
	v, err := proto.Marshal(m)
	if err != nil {
		b.t.Fatal(err)
	}
	b.record(v)
}

// record produces a record as it is.
func (b *bench) record(v []byte) {
	b.t.Helper()
	var r kafka.Records
	r.Append(0, nil, v)
	if err := b.producer.Produce(b.t.Context(), "weirflow.index.j", &r, func(err error, _ []kafka.Failure) {
		if err != nil {
			b.t.Error(err)
		}
	}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) until(what string, ok func() bool) {
	b.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	b.t.Fatalf("never happened: %s; documents %d, ledger %v", what, b.store.count(), b.env.Book.Accounts())
}

func (b *bench) state(want indexv1.SinkState) func() bool {
	return func() bool {
		s, ok := b.statuses.Get("j/es")
		return ok && s.GetState() == want
	}
}

func (b *bench) balanced() {
	b.t.Helper()
	for _, a := range b.env.Book.Accounts() {
		if a.In != a.Out+a.Filtered+a.DeadLettered+a.InFlight || a.InFlight != 0 {
			b.t.Errorf("the ledger does not balance: %+v", a)
		}
	}
}

func ids(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint(prefix, i)
	}
	return out
}

func TestDocumentsArriveWithinTheirBounds(t *testing.T) {
	b := newBench(t)
	b.sink(func(s *indexv1.Sink) { s.BulkFlushMaxActions = 42 })
	for i := range 10 {
		b.documents(ids(fmt.Sprint("r", i, "-"), 50)...)
	}
	b.until("all documents are written", func() bool { return b.store.count() == 500 })
	b.store.set(func() {
		for _, n := range b.store.requests {
			if n > 42 {
				t.Errorf("a request of %d actions, bulk-flush.max-actions is 42", n)
			}
		}
	})
	b.until("the ledger is settled", func() bool { a := b.env.Book.Accounts(); return len(a) == 1 && a[0].Out == 500 })
	b.balanced()
}

func TestRestartGoesOnBehindWhatWasWritten(t *testing.T) {
	b := newBench(t)
	b.sink(nil)
	b.documents("a", "b")
	b.until("two are written", func() bool { return b.store.count() == 2 })
	b.stop()
	b.documents("c")
	b.start()
	b.until("the third is written", func() bool { return b.store.count() == 3 })
	b.store.set(func() {
		if b.store.writes["a"] != 1 {
			t.Errorf("a was written %d times, although its offset was committed", b.store.writes["a"])
		}
	})
}

func TestStoreThatIsAwayIsTriedAgain(t *testing.T) {
	b := newBench(t)
	b.store.set(func() { b.store.whole = 503 })
	b.sink(nil)
	b.documents("a")
	b.until("the sink is said to retry", b.state(indexv1.SinkState_SINK_STATE_RETRYING))
	b.store.set(func() { b.store.whole = 0 })
	b.until("the document is written", func() bool { return b.store.count() == 1 })
	b.until("the sink is said to run", b.state(indexv1.SinkState_SINK_STATE_RUNNING))
	b.balanced()
}

func TestTooLargeRequestIsSplit(t *testing.T) {
	b := newBench(t)
	b.store.set(func() { b.store.whole = 413 })
	b.sink(func(s *indexv1.Sink) { s.FailureHandler = indexv1.FailureHandler_FAILURE_HANDLER_IGNORE })
	b.documents(ids("d", 4)...)
	b.until("each is set aside by itself", func() bool { a := b.env.Book.Accounts(); return len(a) == 1 && a[0].DeadLettered == 4 })
	b.balanced()
}

func refuse(id string) func(string, string) (int, string) {
	return func(have, _ string) (int, string) {
		if have == id {
			return 400, "document_parsing_exception"
		}
		return 201, ""
	}
}

func TestFailStopsAtTheDocument(t *testing.T) {
	b := newBench(t)
	b.store.set(func() { b.store.item = refuse("bad") })
	b.sink(func(s *indexv1.Sink) { s.BulkFlushMaxActions = 1 })
	b.documents("first", "bad", "last")
	b.until("the sink has failed", b.state(indexv1.SinkState_SINK_STATE_FAILED))
	if s, _ := b.statuses.Get("j/es"); s.GetErrorType() != "document_parsing_exception" || s.GetErrorMessage() != "because" {
		t.Errorf("the state says %v, want the store's words", s)
	}
	if n := b.store.count(); n != 1 {
		t.Errorf("%d documents are written, want only the first", n)
	}
	// Started again with a greater epoch after the mapping was mended.
	b.store.set(func() { b.store.item = nil })
	b.sink(func(s *indexv1.Sink) { s.Epoch = 2; s.BulkFlushMaxActions = 1 })
	b.until("all are written", func() bool { return b.store.count() == 3 })
	b.balanced()
}

func TestIgnoreSetsAsideAndGoesOn(t *testing.T) {
	b := newBench(t)
	b.store.set(func() { b.store.item = refuse("bad") })
	b.sink(func(s *indexv1.Sink) { s.FailureHandler = indexv1.FailureHandler_FAILURE_HANDLER_IGNORE })
	b.documents("first", "bad", "last")
	b.until("the ledger is settled", func() bool { a := b.env.Book.Accounts(); return len(a) == 1 && a[0].Out == 2 && a[0].DeadLettered == 1 })
	b.balanced()
	c, err := kafka.NewConsumer(b.kafka, kafka.ConsumerOptions{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Assign([]kafka.Position{{Topic: "weirflow.deadletters.j", Offset: kafka.OffsetBeginning}}); err != nil {
		t.Fatal(err)
	}
	batch, err := c.Poll(t.Context(), 10*time.Second)
	if err != nil || batch == nil {
		t.Fatalf("no dead letter: %v", err)
	}
	defer batch.Release()
	var d deadletterv1.DeadLetter
	if err := proto.Unmarshal(batch.Record(0).Value, &d); err != nil {
		t.Fatal(err)
	}
	if d.GetErrorType() != "document_parsing_exception" || d.GetJob() != "j" || d.GetSourceTable() != "es" || !strings.Contains(string(d.GetRawPayload()), `"bad"`) {
		t.Errorf("dead letter = %v", &d)
	}
}

func TestBusyStoreKeepsTheOrderOfADocument(t *testing.T) {
	b := newBench(t)
	var once sync.Once
	b.store.set(func() {
		b.store.item = func(id, doc string) (status int, kind string) {
			status = 201
			if id == "x" && strings.Contains(doc, `"n":0`) { // the older version, the first time
				once.Do(func() { status, kind = 429, "es_rejected_execution_exception" })
			}
			return status, kind
		}
	})
	b.sink(func(s *indexv1.Sink) { s.FailureHandler = indexv1.FailureHandler_FAILURE_HANDLER_RETRY_REJECTED })
	b.documents("x", "x", "y")
	b.until("the ledger is settled", func() bool { a := b.env.Book.Accounts(); return len(a) == 1 && a[0].Out == 3 })
	b.store.set(func() {
		if b.store.docs["x"] != `{"n":1}` {
			t.Errorf("x = %s, want the newer version to stand", b.store.docs["x"])
		}
	})
	b.balanced()
}

func TestDeletedJobGivesUpItsDocuments(t *testing.T) {
	b := newBench(t)
	b.store.set(func() { b.store.whole = 503 })
	b.sink(nil)
	b.documents("a")
	b.until("the sink is said to retry", b.state(indexv1.SinkState_SINK_STATE_RETRYING))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := b.sinks.Delete(ctx, "j/es"); err != nil {
		t.Fatal(err)
	}
	b.until("the ledger has forgotten the sink", func() bool { return len(b.env.Book.Accounts()) == 0 })
}
