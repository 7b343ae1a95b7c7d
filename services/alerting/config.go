package alerting

import (
	"errors"
	"fmt"
	"time"

	"github.com/weirflow/weirflow/services/alerting/internal/outgoing"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/ports"
	"github.com/weirflow/weirflow/services/platform/rpc"
	"github.com/weirflow/weirflow/services/platform/secret"
	"github.com/weirflow/weirflow/services/platform/web"
)

// Config is the configuration of the service.
type Config struct {
	// RPC is the port for the gateway.
	RPC rpc.ServerConfig `yaml:"rpc"`
	// Kafka is the cluster of the alerts that jobs raise.
	Kafka kafka.Config `yaml:"kafka"`
	// Listen is the HTTP port of Prometheus's API and the Alertmanager's.
	Listen string `yaml:"listen" help:"address of Prometheus's API (/api/v1) and the Alertmanager's (/api/v2)"`
	// TLS serves HTTPS where a certificate is named.
	TLS rpc.TLS `yaml:"tls"`
	// Token, if set, must come with every call as a bearer token. It is required
	// where the service listens beyond loopback.
	Token secret.String `yaml:"token" help:"bearer token that calls of the HTTP APIs must bring"`
	// DataDir is where metrics, alerts and silences are kept.
	DataDir string `yaml:"data_dir" help:"where metrics, alerts and silences are kept"`
	// ExternalURL is where people find the console; messages link to it.
	ExternalURL string `yaml:"external_url" help:"where people find the console; messages link to it"`
	// Metrics is the store of metrics.
	Metrics Metrics `yaml:"metrics"`
	// ShippedRules evaluates the rules that come with Weirflow.
	ShippedRules bool `yaml:"shipped_rules" help:"evaluate the rules that come with Weirflow"`
	// Notify says who is told.
	Notify Notify `yaml:"notify"`
	// Outgoing bounds where messages may be sent.
	Outgoing Outgoing `yaml:"outgoing"`
}

// Metrics is the configuration of the store of metrics.
type Metrics struct {
	Retention          time.Duration `yaml:"retention" help:"for how long metrics are kept"`
	RetentionBytes     int64         `yaml:"retention_bytes" help:"how many bytes of metrics are kept at most; 0: any"`
	ScrapeInterval     time.Duration `yaml:"scrape_interval" help:"how often services are scraped"`
	EvaluationInterval time.Duration `yaml:"evaluation_interval" help:"how often policies are evaluated"`
	QueryTimeout       time.Duration `yaml:"query_timeout" help:"how long a query may take"`
	// ConfigFile is a configuration file of Prometheus.
	ConfigFile string `yaml:"config_file" help:"Prometheus's configuration, whose scrape_configs and rule_files are taken over"`
	// Targets are the admin ports of services.
	Targets Targets `yaml:"targets"`
}

// Targets are the metrics ports (host:port) of each service.
type Targets struct {
	Agent     []string `yaml:"agent" help:"metrics ports of agents"`
	Ingest    []string `yaml:"ingest" help:"metrics ports of ingest"`
	Transform []string `yaml:"transform" help:"metrics ports of transform"`
	Indexer   []string `yaml:"indexer" help:"metrics ports of the indexer"`
	Gateway   []string `yaml:"gateway" help:"metrics ports of the gateway"`
	Alerting  []string `yaml:"alerting" help:"metrics ports of alerting"`
	// Standalone is the all-in-one, which is all of them.
	Standalone []string `yaml:"standalone" help:"metrics ports of all-in-one processes"`
}

func (t Targets) byName() map[string][]string {
	return map[string][]string{"agent": t.Agent, "ingest": t.Ingest, "transform": t.Transform, "indexer": t.Indexer, "gateway": t.Gateway,
		"alerting": t.Alerting, "standalone": t.Standalone}
}

// Notify is the configuration of notifications.
type Notify struct {
	// ConfigFile is a configuration file of the Alertmanager, with Weirflow's channels.
	ConfigFile string `yaml:"config_file" help:"the Alertmanager's configuration: routes, receivers, inhibition"`
}

// Outgoing bounds where messages may be sent.
type Outgoing struct {
	// Allow are networks and addresses that are not public and may be reached.
	Allow []string `yaml:"allow" help:"networks and addresses that are not public and may be sent to, such as 10.0.0.0/8"`
}

// DefaultConfig watches services on this machine and tells nobody.
func DefaultConfig() Config {
	local := func(port int) []string { return []string{ports.Loopback(port)} }
	return Config{
		RPC: rpc.ServerConfig{Listen: ports.Loopback(ports.AlertingGRPC)}, Kafka: kafka.Config{Brokers: []string{ports.Loopback(ports.Kafka)}}, Listen: ports.Loopback(ports.Metrics), DataDir: "data/alerting",
		ExternalURL: "http://" + ports.Loopback(ports.GatewayHTTP), ShippedRules: true,
		Metrics: Metrics{Retention: 15 * 24 * time.Hour, ScrapeInterval: 15 * time.Second, EvaluationInterval: 15 * time.Second, QueryTimeout: 2 * time.Minute,
			Targets: Targets{Agent: local(ports.AgentAdmin), Ingest: local(ports.IngestAdmin), Transform: local(ports.TransformAdmin), Indexer: local(ports.IndexerAdmin),
				Gateway: local(ports.GatewayAdmin), Alerting: local(ports.AlertingAdmin)}},
	}
}

func (c Config) port() web.Config { return web.Config{Listen: c.Listen, TLS: c.TLS, Token: c.Token} }

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	errs := []error{c.port().Validate("alerting"), c.Kafka.Validate()}
	if c.DataDir == "" {
		errs = append(errs, errors.New("alerting.data_dir is empty"))
	}
	for _, d := range []struct {
		key  string
		is   time.Duration
		from time.Duration
	}{
		{"retention", c.Metrics.Retention, time.Hour}, {"scrape_interval", c.Metrics.ScrapeInterval, 100 * time.Millisecond},
		{"evaluation_interval", c.Metrics.EvaluationInterval, 100 * time.Millisecond}, {"query_timeout", c.Metrics.QueryTimeout, time.Second},
	} {
		if d.is < d.from {
			errs = append(errs, fmt.Errorf("alerting.metrics.%s must be at least %v", d.key, d.from))
		}
	}
	if _, err := outgoing.New(c.Outgoing.Allow); err != nil {
		errs = append(errs, fmt.Errorf("alerting.outgoing.allow: %w", err))
	}
	return errors.Join(errs...)
}
