package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	agentv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/agent/v1"
	"github.com/weirflow/weirflow/services/agent/internal/feed"
	"github.com/weirflow/weirflow/services/agent/internal/pipeline"
	"github.com/weirflow/weirflow/services/agent/internal/registry"
	"github.com/weirflow/weirflow/services/agent/internal/report"
	"github.com/weirflow/weirflow/services/agent/internal/settings"
	"github.com/weirflow/weirflow/services/agent/internal/tail"
	"github.com/weirflow/weirflow/services/platform/ledger"
	"github.com/weirflow/weirflow/services/platform/rpc"
	"github.com/weirflow/weirflow/services/platform/status"
	"github.com/weirflow/weirflow/services/platform/telemetry"
)

// drainTime is how long a stopping agent waits for acknowledgements if the
// configuration does not say. What is not acknowledged is sent again.
const drainTime = 2 * time.Second

// sweepEvery is how often entries of files that are gone are looked for.
const (
	sweepEvery = 5 * time.Minute
	sweepAfter = time.Hour
)

// Deps are what the service is given.
type Deps struct {
	Logger *slog.Logger
	Meters metric.MeterProvider
	Board  *status.Board
	Book   *ledger.Book
	// Stdout takes the events of output.console; the process's if nil.
	Stdout io.Writer
	// Redirect may send an output elsewhere: it is asked with what the file says.
	Redirect func(OutputConfig) OutputConfig
	// Dial connects to ingest.
	Dial func(rpc.ClientConfig) (*grpc.ClientConn, error)
}

// Service is an agent.
type Service struct {
	cfg      Config
	d        Deps
	settings *settings.Config
	facts    facts
	inputs   *compiled
	out      OutputConfig
	metrics  *metrics
}

// New checks the configuration; Run opens files and connections.
func New(cfg Config, d Deps) (*Service, error) {
	if d.Stdout == nil {
		d.Stdout = os.Stdout
	}
	if d.Dial == nil {
		d.Dial = func(c rpc.ClientConfig) (*grpc.ClientConn, error) {
			return rpc.Dial(c, &telemetry.Telemetry{
				Logger: d.Logger, Meters: d.Meters, Tracers: tracenoop.NewTracerProvider(), Propagator: propagation.TraceContext{},
			})
		}
	}
	s, err := cfg.settings()
	if err != nil {
		return nil, err
	}
	svc := &Service{cfg: cfg, d: d, settings: s}
	if svc.facts, err = identify(s.PathData); err != nil {
		return nil, err
	}
	if svc.inputs, err = compile(s, cfg, svc.facts); err != nil {
		return nil, err
	}
	if svc.out, err = outputConfig(s); err != nil {
		return nil, err
	}
	if d.Redirect != nil {
		svc.out = d.Redirect(svc.out)
	}
	if svc.metrics, err = newMetrics(d.Meters); err != nil {
		return nil, err
	}
	return svc, nil
}

// Run reads and ships until the context ends or, with Once, all has been sent.
func (s *Service) Run(ctx context.Context) (err error) {
	if len(s.settings.Ignored) > 0 {
		s.d.Logger.Info("settings without meaning here are ignored", "keys", strings.Join(s.settings.Ignored, " "))
	}
	reg, err := registry.Open(s.settings.RegistryPath, s.settings.RegistryMode, s.d.Logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reg.Close()) }()
	// The output outlives the inputs by the time that acknowledgements may take.
	outCtx, stopOutput := context.WithCancel(context.WithoutCancel(ctx))
	defer stopOutput()
	out, err := s.openOutput(outCtx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	p := pipeline.New(max(s.cfg.QueueBytes, 1<<20), reg, s.d.Book.Stage("input"))
	s.d.Board.Ready("inputs")
	s.d.Logger.Info("agent is running", "id", s.facts.id, "inputs", len(s.inputs.inputs), "output", s.out.Kind, "registry", s.settings.RegistryPath, "files", reg.Len())
	return s.run(ctx, outCtx, stopOutput, reg, p, out)
}

// run connects the parts: inputs fill the pipeline, the pipeline feeds the
// output, a clock writes the registry.
func (s *Service) run(ctx, outCtx context.Context, stopOutput func(), reg *registry.Registry, p *pipeline.Pipeline, out pipeline.Output) error {
	inCtx, stopInputs := context.WithCancel(ctx)
	defer stopInputs()
	sent := make(chan error, 1)
	go func() {
		err := p.Run(outCtx, out)
		if err != nil {
			stopInputs() // an output that can't go on ends the agent
		}
		sent <- err
	}()
	var background sync.WaitGroup
	background.Go(func() { s.keepRegistry(inCtx, reg) })
	claims := tail.NewClaims()
	background.Go(func() { s.sweep(inCtx, reg, claims) })
	farewell := s.report(outCtx, reg, claims, out)
	s.readAll(inCtx, reg, claims, p)
	stopInputs()
	background.Wait()
	p.Close()
	err := s.drain(ctx, p, sent, stopOutput)
	farewell()
	return errors.Join(err, reg.Flush())
}

// reporter is an output that can tell how far files are read.
type reporter interface {
	Report(a *agentv1.Agent)
	Farewell(ctx context.Context, a *agentv1.Agent) error
}

// report tells who takes the events how far files are read, until the function that
// it returns is called.
func (s *Service) report(ctx context.Context, reg *registry.Registry, claims *tail.Claims, out pipeline.Output) func() {
	to, ok := out.(reporter)
	if !ok || s.cfg.Once {
		return func() {}
	}
	book := s.d.Book.Stage("input")
	src := report.Source{
		Agent: &agentv1.Agent{Id: s.facts.id, Name: s.facts.name(s.settings), Hostname: s.facts.host.Hostname, Version: Compatible, Output: s.out.Kind,
			StartedAt: timestamppb.New(s.facts.started)},
		Entries: reg.Snapshot, Taken: claims.Taken, Lines: func() uint64 { return book.Account().Out }, Stages: s.d.Book.Stages,
	}
	reporting, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		src.Run(reporting, to.Report)
	}()
	return func() {
		stop()
		<-done
		if err := to.Farewell(context.WithoutCancel(ctx), src.Last()); err != nil {
			s.d.Logger.Debug("send the last report", "error", err)
		}
	}
}

// readAll runs the inputs until they end.
func (s *Service) readAll(ctx context.Context, reg *registry.Registry, claims *tail.Claims, p *pipeline.Pipeline) {
	watcher := tail.NewWatcher(s.d.Logger)
	var wg sync.WaitGroup
	watchCtx, stop := context.WithCancel(ctx)
	defer stop()
	go watcher.Run(watchCtx)
	for _, in := range s.inputs.inputs {
		t := tail.NewInput(in.tail, tail.Deps{
			Registry: reg, Watcher: watcher, Log: s.d.Logger.With("input", in.label), Count: s.metrics, Claims: claims,
			Consumer: func() tail.Consumer { return feed.New(in.plan, p) },
		})
		wg.Go(func() { t.Run(ctx) })
	}
	wg.Wait()
}

// drain waits for what is under way.
func (s *Service) drain(ctx context.Context, p *pipeline.Pipeline, sent <-chan error, stopOutput func()) error {
	limit := s.settings.ShutdownTimeout
	if limit == 0 {
		limit = drainTime
	}
	waitCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	if s.cfg.Once && ctx.Err() == nil {
		waitCtx, cancel = context.WithCancel(ctx)
	}
	defer cancel()
	var err error
	select {
	case err = <-sent:
		if err == nil {
			err = p.Drain(waitCtx)
		}
	case <-waitCtx.Done():
		err = fmt.Errorf("the output is busy: %w", waitCtx.Err())
	}
	stopOutput()
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		s.d.Logger.Info("stopping before everything was acknowledged; the rest is sent again at the next start", "events", p.InFlight())
		return nil
	}
	return err
}

// keepRegistry writes positions now and then.
func (s *Service) keepRegistry(ctx context.Context, reg *registry.Registry) {
	every := time.NewTicker(max(s.settings.RegistryFlush, 50*time.Millisecond))
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			if err := reg.Flush(); err != nil {
				s.d.Logger.Debug("write registry", "error", err) // the registry says it once
			}
		}
	}
}

// sweep forgets files that no input has and that are no longer there.
func (s *Service) sweep(ctx context.Context, reg *registry.Registry, claims *tail.Claims) {
	every := time.NewTicker(sweepEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			for _, e := range reg.Snapshot() {
				if claims.Taken(e.ID) || time.Since(e.Updated) < sweepAfter {
					continue
				}
				if _, err := os.Lstat(e.Path); errors.Is(err, os.ErrNotExist) {
					reg.Remove(e.ID, e.FileID)
				}
			}
		}
	}
}
