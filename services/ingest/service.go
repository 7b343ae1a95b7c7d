package ingest

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/metric"
	"google.golang.org/grpc"

	agentv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/agent/v1"
	ingestv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ingest/v1"
	ledgerv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
	statusv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/status/v1"
	topicv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/topic/v1"
	"github.com/weirflow/weirflow/services/ingest/internal/agents"
	"github.com/weirflow/weirflow/services/ingest/internal/message"
	"github.com/weirflow/weirflow/services/ingest/internal/topic"
	"github.com/weirflow/weirflow/services/ingest/internal/writer"
	"github.com/weirflow/weirflow/services/platform/ledger"
	"github.com/weirflow/weirflow/services/platform/status"
)

// Deps are what the service is given.
type Deps struct {
	Logger *slog.Logger
	Meters metric.MeterProvider
	Board  *status.Board
	Book   *ledger.Book
	// Now is the clock; nil: the real one.
	Now func() time.Time
}

// Service takes events into Kafka.
type Service struct {
	cfg    Config
	d      Deps
	writer *writer.Writer
	push   *pushServer
	agents *agents.Keeper
}

// New checks the configuration and prepares the service; Kafka need not be there yet.
func New(cfg Config, d Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	m, err := newMetrics(d.Meters)
	if err != nil {
		return nil, err
	}
	w, err := writer.New(writer.Options{
		Kafka: cfg.Kafka, TopicPartitions: cfg.TopicPartitions, MaxEventBytes: cfg.MaxEventBytes,
		DeadLetterTopic: cfg.DeadLetterTopic, Logger: d.Logger, Book: d.Book,
	})
	if err != nil {
		return nil, err
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	known, err := agents.New(cfg.Kafka, d.Logger, d.Now)
	if err != nil {
		return nil, err
	}
	d.Board.NotReady("kafka", "not asked yet")
	return &Service{cfg: cfg, d: d, writer: w, agents: known, push: &pushServer{cfg: cfg, writer: w, metrics: m, report: known.Offer}}, nil
}

// Register puts the service's APIs on a gRPC server.
func (s *Service) Register(g *grpc.Server) {
	ingestv1.RegisterIngestServiceServer(g, s.push)
	topicv1.RegisterTopicServiceServer(g, topic.NewServer(s.writer.Admin()))
	topicv1.RegisterMessageServiceServer(g, message.NewServer(s.cfg.Kafka, s.writer.Admin(), s.d.Logger))
	agentv1.RegisterAgentServiceServer(g, agents.Server{Keeper: s.agents})
	ledgerv1.RegisterLedgerServiceServer(g, ledger.Server{Book: s.d.Book})
	statusv1.RegisterStatusServiceServer(g, status.Server{Board: s.d.Board})
}

// Run watches Kafka until the context ends, then flushes. The gRPC server must
// have stopped before, so that nothing new comes.
func (s *Service) Run(ctx context.Context) error {
	watching, stop := context.WithCancel(ctx)
	reports := make(chan error, 1)
	go func() { reports <- s.agents.Run(watching) }()
	defer func() {
		stop()
		if err := <-reports; err != nil {
			s.d.Logger.Error("reports of agents were not kept", "error", err)
		}
	}()
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		s.ping(ctx)
		select {
		case <-ctx.Done():
			flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := s.writer.Close(flush); err != nil {
				s.d.Logger.Warn("stopping before Kafka has everything; clients will send it again", "error", err)
			}
			return nil
		case <-tick.C:
		}
	}
}

func (s *Service) ping(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if err := s.writer.Admin().Ping(ctx); err != nil {
		s.d.Board.NotReady("kafka", "kafka does not answer: "+err.Error())
		return
	}
	s.d.Board.Ready("kafka")
}
