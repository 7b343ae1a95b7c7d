package transform

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/metric"
	"google.golang.org/grpc"

	deadletterv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	ledgerv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
	statusv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/status/v1"

	"github.com/weirflow/weirflow/services/platform/ledger"
	"github.com/weirflow/weirflow/services/platform/status"

	"github.com/weirflow/weirflow/services/transform/internal/api"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/connectors"
	"github.com/weirflow/weirflow/services/transform/internal/deadletter"
	"github.com/weirflow/weirflow/services/transform/internal/job"
	"github.com/weirflow/weirflow/services/transform/internal/wasm"
)

// Deps are what the service is given.
type Deps struct {
	Logger   *slog.Logger
	Meters   metric.MeterProvider
	Board    *status.Board
	Book     *ledger.Book
	Instance string
	// Dial connects to the gRPC API of another instance; not needed for an exclusive one.
	Dial func(address string) (*grpc.ClientConn, error)
	// Now is the clock; nil is the real one.
	Now func() time.Time
	// Registry takes the metrics of jobs under Flink's names; nil: nobody.
	Registry prometheus.Registerer
}

// Service keeps and runs SQL jobs.
type Service struct {
	d          Deps
	jobs       *job.Manager
	letters    *deadletter.Keeper
	connectors connector.Registry
	functions  wasm.Library
	cfg        Config
	others     *others // nil when there are none
}

// New checks the configuration and prepares the service; Kafka need not be there yet.
func New(cfg Config, d Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	s := &Service{d: d, cfg: cfg, connectors: connectors.All(), functions: wasm.Library{Folder: cfg.FunctionsFolder}}
	var err error
	s.letters, err = deadletter.New(deadletter.Config{Kafka: cfg.Kafka, Retention: cfg.DeadLetterRetention}, deadletter.Deps{
		Logger: d.Logger, Now: d.Now, Outlets: func(job string) (*deadletter.Outlets, error) { return s.jobs.Outlets(job) }})
	if err != nil {
		return nil, err
	}
	s.jobs, err = job.New(job.Config{
		Kafka: cfg.Kafka, Instance: d.Instance, Partitions: cfg.IndexPartitions, CheckpointInterval: cfg.CheckpointInterval,
		RestartMin: cfg.RestartMin, RestartMax: cfg.RestartMax, Letters: cfg.DeadLetterRetention,
	}, job.Deps{Logger: d.Logger, Book: d.Book, Connectors: s.connectors, Functions: s.functions, Now: d.Now, Letters: s.letters, Report: s.report})
	if err != nil {
		return nil, err
	}
	if !cfg.Exclusive {
		if s.others, err = newOthers(cfg, d); err != nil {
			return nil, err
		}
		s.jobs.Share(job.Sharing{Session: cfg.SessionTimeout}) // before anybody asks
	}
	if err := errors.Join(registerMetrics(d.Meters, s.jobs), letterMetrics(d.Meters, d.Instance, s.jobs, s.letters)); err != nil {
		return nil, err
	}
	if d.Registry != nil {
		if err := d.Registry.Register(s.flinkMetrics("", nil)); err != nil {
			return nil, fmt.Errorf("register the metrics of jobs: %w", err)
		}
	}
	d.Board.NotReady("jobs", "the jobs have not been read yet")
	return s, nil
}

// Register puts the service's APIs on a gRPC server.
func (s *Service) Register(server *grpc.Server) {
	g := s.routed(server)
	jobv1.RegisterJobServiceServer(g, &api.Jobs{Manager: s.jobs, Connectors: s.connectors, Functions: s.functions, Ready: s.jobs.Ready,
		Logger: s.d.Logger.With("component", "preview"), Previews: make(chan struct{}, api.MaxPreviews)})
	deadletterv1.RegisterDeadLetterServiceServer(g, &api.DeadLetters{Keeper: s.letters, Ready: s.jobs.Ready})
	ledgerv1.RegisterLedgerServiceServer(g, ledger.Server{Book: s.d.Book})
	statusv1.RegisterStatusServiceServer(g, status.Server{Board: s.d.Board})
}

// Run runs the jobs until the context ends; they go on at the next start.
func (s *Service) Run(ctx context.Context) error {
	if s.others != nil {
		defer s.others.begin(ctx)()
		s.d.Logger.Info("jobs are shared with the other instances", "instance", s.d.Instance, "advertise", s.others.address)
	}
	letters, stop := context.WithCancel(ctx)
	kept := make(chan error, 1)
	go func() { kept <- s.letters.Run(letters) }()
	err := s.jobs.Run(ctx, func() { s.d.Board.Ready("jobs") })
	stop()
	return errors.Join(err, <-kept)
}
