// Package metrics keeps metrics and answers PromQL: Prometheus's engine, its store,
// scraper and rules, in this process.
package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/compression"

	"github.com/weirflow/weirflow/services/alerting/internal/outside"
)

const (
	// lookback is for how long a sample counts: Prometheus's default.
	lookback = 5 * time.Minute
	// late is by how much samples that are pushed may be behind the newest.
	late = 30 * time.Minute
	// maxSamples bounds what a query may hold in memory.
	maxSamples = 20_000_000
)

// Config is the configuration of the store.
type Config struct {
	// Dir is where samples are kept.
	Dir string
	// Retention is for how long, RetentionBytes up to what size (0: any).
	Retention      time.Duration
	RetentionBytes int64
	ScrapeInterval time.Duration
	// EvaluationInterval is how often rules are evaluated.
	EvaluationInterval time.Duration
	QueryTimeout       time.Duration
	// File is a configuration file of Prometheus: its scrape_configs and rule_files
	// are taken over. Empty: none.
	File string
	// Targets are the metrics ports of services by name, beside those of File.
	Targets map[string][]string
	// Outside is another Prometheus, which is asked in the place of the store; nil: none.
	Outside *outside.Config
}

// Deps are what the store is given.
type Deps struct {
	Logger *slog.Logger
	// Registry takes the engine's own metrics.
	Registry *prometheus.Registry
	// Notify hears of alerts that rules began, repeated or ended.
	Notify rules.NotifyFunc
	// Version is shown as that of the build.
	Version string
}

// Engine keeps metrics, scrapes targets and evaluates rules.
type Engine struct {
	cfg     Config
	d       Deps
	db      *tsdb.DB
	queries *promql.Engine
	parser  parser.Parser
	rules   *ruleSet
	scrape  *scraper
	api     http.Handler
	outside *outside.Prometheus

	applying sync.Mutex // held while the configuration is carried out
	mu       sync.RWMutex
	file     *config.Config
	open     atomic.Bool
}

// New opens the store.
func New(cfg Config, d Deps) (*Engine, error) {
	file, err := load(cfg, d.Logger)
	if err != nil {
		return nil, err
	}
	e := &Engine{cfg: cfg, d: d, file: file, parser: parser.NewParser(parser.Options{})}
	if cfg.Outside != nil {
		if e.outside, err = outside.New(*cfg.Outside); err != nil {
			return nil, err
		}
	}
	opts := tsdb.DefaultOptions()
	opts.RetentionDuration = cfg.Retention.Milliseconds()
	opts.MaxBytes = cfg.RetentionBytes
	opts.MaxBlockDuration = max(opts.MinBlockDuration, min((31*24*time.Hour).Milliseconds(), opts.RetentionDuration/10))
	opts.OutOfOrderTimeWindow = late.Milliseconds()
	opts.WALCompression = compression.Snappy
	if e.db, err = tsdb.Open(filepath.Join(cfg.Dir, "data"), d.Logger, d.Registry, opts, nil); err != nil {
		return nil, fmt.Errorf("open the store of metrics in %s: %w", cfg.Dir, err)
	}
	e.queries = promql.NewEngine(promql.EngineOpts{
		Logger: d.Logger, Reg: d.Registry, MaxSamples: maxSamples, Timeout: cfg.QueryTimeout, LookbackDelta: lookback,
		EnableAtModifier: true, EnableNegativeOffset: true, Parser: e.parser,
		ActiveQueryTracker: nil,
	})
	e.rules = newRuleSet(e)
	if e.scrape, err = newScraper(e); err != nil {
		return nil, errors.Join(err, e.db.Close())
	}
	e.api = newAPI(e)
	e.open.Store(true)
	return e, nil
}

// Run scrapes and evaluates until the context ends, then closes the store.
func (e *Engine) Run(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	if err := e.apply(); err != nil {
		return errors.Join(err, e.Close())
	}
	var running sync.WaitGroup
	errs := make(chan error, 2)
	running.Go(func() { errs <- e.scrape.run(work) })
	running.Go(e.rules.manager.Run)
	var err error
	select {
	case <-ctx.Done():
	case err = <-errs:
	}
	e.rules.manager.Stop()
	e.scrape.stop()
	cancel()
	running.Wait()
	return errors.Join(err, e.Close())
}

// Close closes the store, once.
func (e *Engine) Close() error {
	if !e.open.CompareAndSwap(true, false) {
		return nil
	}
	if e.outside != nil {
		e.outside.Close()
	}
	return e.db.Close()
}

// apply carries out the configuration.
func (e *Engine) apply() error {
	e.applying.Lock()
	defer e.applying.Unlock()
	e.mu.RLock()
	file := e.file
	e.mu.RUnlock()
	if err := e.db.ApplyConfig(file); err != nil {
		return fmt.Errorf("configure the store of metrics: %w", err)
	}
	if err := e.scrape.apply(file); err != nil {
		return err
	}
	return e.rules.apply(file)
}

// Reload reads the configuration file again.
func (e *Engine) Reload() error {
	file, err := load(e.cfg, e.d.Logger)
	if err != nil {
		return err
	}
	e.mu.Lock()
	e.file = file
	e.mu.Unlock()
	return e.apply()
}

// Handler serves Prometheus's HTTP API below /api/v1, and /federate.
func (e *Engine) Handler() http.Handler { return e.api }

// Parser parses PromQL as the engine does.
func (e *Engine) Parser() parser.Parser { return e.parser }

// Appender writes samples.
func (e *Engine) Appender(ctx context.Context) storage.AppenderV2 { return e.db.AppenderV2(ctx) }

func duration(d time.Duration) model.Duration { return model.Duration(d) }
