package metrics

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/scrape"
)

// scraper finds targets and reads their metrics.
type scraper struct {
	found   *discovery.Manager
	manager *scrape.Manager
	end     context.CancelFunc
}

func newScraper(e *Engine) (*scraper, error) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &scraper{end: cancel}
	measures, err := discovery.CreateAndRegisterSDMetrics(e.d.Registry)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("discover targets: %w", err)
	}
	s.found = discovery.NewManager(ctx, e.d.Logger, e.d.Registry, measures, discovery.Name("scrape"), discovery.Updatert(0))
	s.manager, err = scrape.NewManager(&scrape.Options{DiscoveryReloadInterval: duration(5e9), DiscoveryReloadOnStartup: true}, e.d.Logger, nil, nil, e.db, e.d.Registry)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("scrape targets: %w", err)
	}
	return s, nil
}

// run scrapes until stop is called.
func (s *scraper) run(ctx context.Context) error {
	found := make(chan error, 1)
	go func() { found <- s.found.Run() }()
	err := s.manager.Run(s.found.SyncCh())
	s.end()
	err = errors.Join(err, ignoreCanceled(<-found))
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (s *scraper) stop() {
	s.manager.Stop()
	s.end()
}

func (s *scraper) apply(file *config.Config) error {
	if err := s.manager.ApplyConfig(file); err != nil {
		return fmt.Errorf("configure scraping: %w", err)
	}
	by := make(map[string]discovery.Configs)
	for _, c := range file.ScrapeConfigs {
		by[c.JobName] = c.ServiceDiscoveryConfigs
	}
	if err := s.found.ApplyConfig(by); err != nil {
		return fmt.Errorf("configure the discovery of targets: %w", err)
	}
	return nil
}

// ignoreCanceled returns nil for the error of who was told to end.
func ignoreCanceled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
