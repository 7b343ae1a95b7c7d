package transform

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/metric"
	"google.golang.org/grpc"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	ledgerv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
	statusv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/status/v1"

	"github.com/weirflow/weirflow/services/platform/ledger"
	"github.com/weirflow/weirflow/services/platform/status"

	"github.com/weirflow/weirflow/services/transform/internal/api"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/connectors"
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
	// Now is the clock; nil is the real one.
	Now func() time.Time
}

// Service keeps and runs SQL jobs.
type Service struct {
	d          Deps
	jobs       *job.Manager
	connectors connector.Registry
	functions  wasm.Library
}

// New checks the configuration and prepares the service; Kafka need not be there yet.
func New(cfg Config, d Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	s := &Service{d: d, connectors: connectors.All(), functions: wasm.Library{Folder: cfg.FunctionsFolder}}
	var err error
	s.jobs, err = job.New(job.Config{
		Kafka: cfg.Kafka, Instance: d.Instance, Partitions: cfg.IndexPartitions, CheckpointInterval: cfg.CheckpointInterval,
		RestartMin: cfg.RestartMin, RestartMax: cfg.RestartMax,
	}, job.Deps{Logger: d.Logger, Book: d.Book, Connectors: s.connectors, Functions: s.functions, Now: d.Now})
	if err != nil {
		return nil, err
	}
	if err := registerMetrics(d.Meters, s.jobs); err != nil {
		return nil, err
	}
	d.Board.NotReady("jobs", "the jobs have not been read yet")
	return s, nil
}

// Register puts the service's APIs on a gRPC server.
func (s *Service) Register(g *grpc.Server) {
	jobv1.RegisterJobServiceServer(g, &api.Jobs{Manager: s.jobs, Connectors: s.connectors, Functions: s.functions, Ready: s.jobs.Ready})
	ledgerv1.RegisterLedgerServiceServer(g, ledger.Server{Book: s.d.Book})
	statusv1.RegisterStatusServiceServer(g, status.Server{Board: s.d.Board})
}

// Run runs the jobs until the context ends; they go on at the next start.
func (s *Service) Run(ctx context.Context) error {
	return s.jobs.Run(ctx, func() { s.d.Board.Ready("jobs") })
}
