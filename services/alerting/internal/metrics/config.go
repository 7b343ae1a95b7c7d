package metrics

import (
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/prometheus/config"

	// How targets may be discovered beside static lists.
	_ "github.com/prometheus/prometheus/discovery/dns"
	_ "github.com/prometheus/prometheus/discovery/file"
)

// ours is what the services' targets look like in Prometheus's configuration.
type ours struct {
	Name    string   `yaml:"job_name"`
	Statics []static `yaml:"static_configs"`
}

type static struct {
	Targets []string          `yaml:"targets"`
	Labels  map[string]string `yaml:"labels"`
}

// load reads the configuration file, if there is one, and adds the services.
func load(cfg Config, log *slog.Logger) (*config.Config, error) {
	file := &config.Config{}
	var err error
	if cfg.File == "" {
		file, err = config.Load("", log)
	} else {
		file, err = config.LoadFile(cfg.File, false, log)
	}
	if err != nil {
		return nil, fmt.Errorf("read the configuration of metrics: %w", err)
	}
	if cfg.Outside != nil { // the other Prometheus scrapes
		file.ScrapeConfigs = nil
		return paced(file, cfg), nil
	}
	own, err := services(cfg, log)
	if err != nil {
		return nil, err
	}
	for _, s := range file.ScrapeConfigs {
		if s.JobName == own.JobName {
			return nil, fmt.Errorf("%s: the job_name %q is that of Weirflow's own services: give the scrape configuration another", cfg.File, s.JobName)
		}
	}
	file.ScrapeConfigs = append(file.ScrapeConfigs, own)
	return paced(file, cfg), nil
}

// paced sets how often things are done, where the file does not.
func paced(file *config.Config, cfg Config) *config.Config {
	if cfg.File == "" {
		file.GlobalConfig.ScrapeInterval, file.GlobalConfig.EvaluationInterval = duration(cfg.ScrapeInterval), duration(cfg.EvaluationInterval)
	}
	return file
}

// services is the scrape configuration of Weirflow's own services.
func services(cfg Config, log *slog.Logger) (*config.ScrapeConfig, error) {
	o := ours{Name: "weirflow"}
	for _, name := range slices.Sorted(maps.Keys(cfg.Targets)) {
		if len(cfg.Targets[name]) > 0 {
			o.Statics = append(o.Statics, static{cfg.Targets[name], map[string]string{"service": name}})
		}
	}
	text, err := yaml.Marshal(map[string]any{
		"global":         map[string]string{"scrape_interval": duration(cfg.ScrapeInterval).String(), "scrape_timeout": duration(min(cfg.ScrapeInterval, 10e9)).String()},
		"scrape_configs": []ours{o},
	})
	if err != nil {
		return nil, err
	}
	file, err := config.Load(string(text), log)
	if err != nil {
		return nil, fmt.Errorf("scrape the services: %w", err)
	}
	return file.ScrapeConfigs[0], nil
}

// ruleFiles lists the files that rule_files names.
func ruleFiles(file *config.Config) ([]string, error) {
	var all []string
	for _, pattern := range file.RuleFiles {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, fmt.Errorf("rule_files: %q: %w", pattern, err)
		}
		all = append(all, found...)
	}
	return all, nil
}
