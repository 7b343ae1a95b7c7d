package indexer

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"
	"google.golang.org/grpc"

	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"
	ledgerv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
	statusv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/status/v1"
	"github.com/weirflow/weirflow/services/indexer/internal/sink"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/table"
	"github.com/weirflow/weirflow/services/platform/ledger"
	"github.com/weirflow/weirflow/services/platform/status"
)

// Topics of the indexer.
const (
	// SinksTopic is the compacted topic of sink records.
	SinksTopic = "weirflow.sinks"
	// StatusTopic is the compacted topic in which the indexer tells how sinks do.
	StatusTopic = "weirflow.sink-status"
	// BatchTopicPrefix begins the topics of documents, one per job.
	BatchTopicPrefix = "weirflow.index."
	// DeadLetterPrefix begins the topics of documents that stores refused, one per job.
	DeadLetterPrefix = "weirflow.deadletters."
)

// Deps are what the service is given.
type Deps struct {
	Logger *slog.Logger
	Meters metric.MeterProvider
	Board  *status.Board
	Book   *ledger.Book
}

// Service writes documents to the stores of jobs.
type Service struct {
	cfg      Config
	d        Deps
	sinks    *table.Table[*indexv1.Sink]
	statuses *table.Table[*indexv1.SinkStatus]
	letters  *kafka.Producer
	admin    *kafka.Admin

	reports sync.WaitGroup // of goroutines that tell states; added to under mu

	mu     sync.Mutex
	byName map[string]*sink.Sink
	ctx    context.Context //nolint:containedctx // reports come from goroutines that outlive a call
	made   map[string]bool // dead letter topics that are there
	states map[string]chan *indexv1.SinkStatus
	gone   map[string]bool // deleted sinks whose documents have come, said once
}

// New checks the configuration and prepares the service; Kafka need not be there yet.
func New(cfg Config, d Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Service{cfg: cfg, d: d, byName: map[string]*sink.Sink{}, made: map[string]bool{}, states: map[string]chan *indexv1.SinkStatus{}, gone: map[string]bool{}}
	var err error
	if s.sinks, err = table.New(table.Config{Kafka: cfg.Kafka, Topic: SinksTopic, Logger: d.Logger}, func() *indexv1.Sink { return &indexv1.Sink{} }); err != nil {
		return nil, err
	}
	if s.statuses, err = table.New(table.Config{Kafka: cfg.Kafka, Topic: StatusTopic, Logger: d.Logger}, func() *indexv1.SinkStatus { return &indexv1.SinkStatus{} }); err != nil {
		return nil, err
	}
	if s.letters, err = kafka.NewProducer(cfg.Kafka, kafka.ProducerOptions{Logger: d.Logger}); err != nil {
		return nil, err
	}
	if s.admin, err = kafka.NewAdmin(cfg.Kafka, d.Logger); err != nil {
		return nil, err
	}
	s.sinks.Watch(s.sinkChanged)
	if err := registerMetrics(d.Meters, s); err != nil {
		return nil, err
	}
	d.Board.NotReady("sinks", "the table of sinks has not been read yet")
	return s, nil
}

// Register puts the service's APIs on a gRPC server.
func (s *Service) Register(g *grpc.Server) {
	ledgerv1.RegisterLedgerServiceServer(g, ledger.Server{Book: s.d.Book})
	statusv1.RegisterStatusServiceServer(g, status.Server{Board: s.d.Board})
}

// Run writes documents until the context ends.
func (s *Service) Run(ctx context.Context) error {
	s.ctx = ctx
	tables, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	errs := make(chan error, 2)
	running.Go(func() { errs <- s.sinks.Run(tables) })
	running.Go(func() { errs <- s.statuses.Run(tables) })
	defer func() {
		s.reports.Wait()
		stop()
		running.Wait()
		s.letters.Close()
		s.admin.Close()
	}()
	select {
	case <-ctx.Done():
		return nil
	case err := <-errs:
		return err
	case <-s.sinks.Ready():
	}
	s.d.Board.Ready("sinks")
	return newReader(s).run(ctx)
}

func sinkKey(job, name string) string { return job + "/" + name }

func (s *Service) store() sink.Store {
	c := s.cfg.Search
	return sink.Store{URL: c.URL, Username: c.Username, Password: c.Password.Reveal()}
}

// sinkChanged follows the table of sinks.
func (s *Service) sinkChanged(key string, spec *indexv1.Sink, deleted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	have := s.byName[key]
	switch {
	case deleted && have != nil:
		have.Update(nil)
		delete(s.byName, key)
		s.d.Book.Close(key)
	case deleted:
	case have != nil:
		have.Update(spec)
	default:
		delete(s.gone, key)
		s.byName[key] = sink.New(spec, s.store(), s.d.Logger, s, s.d.Book.Stage(key))
	}
}

// Lookup finds a sink by its job and table.
func (s *Service) Lookup(job, name string) *sink.Sink {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byName[sinkKey(job, name)]
}

// Sync returns when Lookup knows all sinks that there were at the call.
func (s *Service) Sync(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return s.sinks.Sync(ctx, s.admin)
}

// Discarded counts documents of a job that was deleted.
func (s *Service) Discarded(job, name string, documents int) {
	key := s.leaveOut(job, name, documents)
	s.mu.Lock()
	said := s.gone[key]
	s.gone[key] = true
	s.mu.Unlock()
	if !said {
		s.d.Logger.Warn("documents of a job that was deleted are discarded", "job", job, "sink", name)
	}
}

// Overtaken counts documents that a run of a job wrote late.
func (s *Service) Overtaken(job, name string, documents int) {
	s.leaveOut(job, name, documents)
	s.d.Logger.Warn("documents of a run of the job that had been taken over by another instance came late; they are left out, that one writes them",
		"job", job, "sink", name, "documents", documents)
}

// leaveOut counts documents that are not written and returns their sink's key.
func (s *Service) leaveOut(job, name string, documents int) string {
	key := sinkKey(job, name)
	stage := s.d.Book.Stage(key)
	stage.In(documents)
	stage.Filtered(documents)
	return key
}
