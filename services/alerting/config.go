package alerting

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/alerting/internal/callback"
	"github.com/weirflow/weirflow/services/alerting/internal/outgoing"
	"github.com/weirflow/weirflow/services/alerting/internal/outside"
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
	// Transform carries out policies of log patterns; without an address there are none.
	Transform rpc.ClientConfig `yaml:"transform"`
}

// Metrics is the configuration of the store of metrics.
type Metrics struct {
	// Enabled keeps metrics, or asks another Prometheus for them. Without it there are
	// alerts of jobs and of others only.
	Enabled bool `yaml:"enabled" help:"keep metrics and evaluate rules; false: there are only the alerts that jobs and others raise"`
	// ExternalURL is another Prometheus, which is asked in the place of a store here.
	ExternalURL        string        `yaml:"external_url" help:"address of another Prometheus that keeps the metrics; policies are evaluated by queries to it, and nothing is scraped here"`
	ExternalUsername   string        `yaml:"external_username" help:"user for it (basic authentication)"`
	ExternalPassword   secret.String `yaml:"external_password" help:"its password"`
	ExternalToken      secret.String `yaml:"external_token" help:"bearer token for it"`
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

// outside is the other Prometheus; nil: there is none.
func (m Metrics) outside() *outside.Config {
	if m.ExternalURL == "" {
		return nil
	}
	return &outside.Config{URL: m.ExternalURL, Username: m.ExternalUsername, Password: m.ExternalPassword, Token: m.ExternalToken, Timeout: m.QueryTimeout}
}

// Notify is the configuration of notifications.
type Notify struct {
	// ConfigFile is a configuration file of the Alertmanager, with Weirflow's channels.
	ConfigFile string `yaml:"config_file" help:"the Alertmanager's configuration: routes, receivers, inhibition"`
	// Receipts is what providers of text messages and calls tell afterwards.
	Receipts Receipts `yaml:"receipts"`
	// Cluster is other instances that know of the same alerts.
	Cluster Cluster `yaml:"cluster"`
}

// Cluster is how several instances tell people once.
type Cluster struct {
	Listen string `yaml:"listen" help:"address for other instances of alerting (TCP and UDP); empty: there are none"`
	// TLS encrypts what they say. Each shows its certificate to the others.
	TLS       rpc.TLS       `yaml:"tls"`
	Advertise string        `yaml:"advertise" help:"address that other instances reach this one by, if it is not that of listen"`
	Peers     []string      `yaml:"peers" help:"addresses of other instances of alerting"`
	Wait      time.Duration `yaml:"wait" help:"for how long an instance lets each one before it tell people first"`
}

// Validate says what is wrong.
func (c Cluster) Validate() error {
	if c.Listen == "" && len(c.Peers) > 0 {
		return errors.New("alerting.notify.cluster.peers are named and listen is empty: the others must reach this one, too")
	}
	if c.Listen != "" && c.Wait < time.Second {
		return errors.New("alerting.notify.cluster.wait must be at least 1s")
	}
	if t := c.TLS; t != (rpc.TLS{}) && (t.CertFile == "" || t.KeyFile == "" || t.CAFile == "") {
		return errors.New("alerting.notify.cluster.tls needs cert_file, key_file and ca_file: each instance shows its certificate to the others")
	}
	return nil
}

// id tells instances apart.
func (c Cluster) id() string {
	text := c.Advertise
	if text == "" {
		text = c.Listen
	}
	return strings.NewReplacer(":", "-", "[", "", "]", "").Replace(text)
}

// Receipts is how providers tell what became of text messages and calls.
type Receipts struct {
	// Secret stands in the path that they call; without it nobody is heard.
	Secret secret.String `yaml:"secret" help:"what stands in the path that providers of text messages and calls report to, /receipts/<secret>/…; at least 16 letters and digits; empty: none are taken"`
	// ExternalURL is where they find this service.
	ExternalURL string `yaml:"external_url" help:"address by which these providers reach this service's HTTP port, https://alerts.example.com"`
}

const leastSecret = 16

// address is where providers report to; empty: nowhere.
func (r Receipts) address() string {
	if r.Secret.Reveal() == "" || r.ExternalURL == "" {
		return ""
	}
	return r.ExternalURL + callback.Path + r.Secret.Reveal()
}

// Validate says what is wrong.
func (r Receipts) Validate() error {
	s := r.Secret.Reveal()
	if s == "" && r.ExternalURL == "" {
		return nil
	}
	if len(s) < leastSecret || strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
		return fmt.Errorf("alerting.notify.receipts.secret must have at least %d letters and digits", leastSecret)
	}
	if u, err := url.Parse(r.ExternalURL); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.HasSuffix(r.ExternalURL, "/") || u.RawQuery != "" {
		return errors.New("alerting.notify.receipts.external_url is not an address such as https://alerts.example.com, without a slash at its end")
	}
	return nil
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
		ExternalURL: "http://" + ports.Loopback(ports.GatewayHTTP), ShippedRules: true, Notify: Notify{Cluster: Cluster{Wait: 15 * time.Second}}, Transform: rpc.ClientConfig{Address: ports.Loopback(ports.TransformGRPC)},
		Metrics: Metrics{Enabled: true, Retention: 15 * 24 * time.Hour, ScrapeInterval: 15 * time.Second, EvaluationInterval: 15 * time.Second, QueryTimeout: 2 * time.Minute,
			Targets: Targets{Agent: local(ports.AgentAdmin), Ingest: local(ports.IngestAdmin), Transform: local(ports.TransformAdmin), Indexer: local(ports.IndexerAdmin),
				Gateway: local(ports.GatewayAdmin), Alerting: local(ports.AlertingAdmin)}},
	}
}

// group remembers how far the topic of alerts was read. Each of several instances reads
// all of it.
func (c Config) group() string {
	if c.Notify.Cluster.Listen == "" {
		return group
	}
	return group + "-" + c.Notify.Cluster.id()
}

func (c Config) port() web.Config { return web.Config{Listen: c.Listen, TLS: c.TLS, Token: c.Token} }

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	errs := []error{c.port().Validate("alerting"), c.Kafka.Validate(), c.Notify.Receipts.Validate(), c.Notify.Cluster.Validate()}
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
	if o := c.Metrics.outside(); o != nil && c.Metrics.Enabled {
		errs = append(errs, o.Validate())
	}
	if _, err := outgoing.New(c.Outgoing.Allow); err != nil {
		errs = append(errs, fmt.Errorf("alerting.outgoing.allow: %w", err))
	}
	return errors.Join(errs...)
}
