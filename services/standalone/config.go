package standalone

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/weirflow/weirflow/gateway"
	"github.com/weirflow/weirflow/services/platform/admin"
	"github.com/weirflow/weirflow/services/platform/ports"
	"github.com/weirflow/weirflow/services/platform/rpc"
	"github.com/weirflow/weirflow/services/platform/secret"
	"github.com/weirflow/weirflow/services/platform/telemetry"
)

// Config is the configuration of the all-in-one.
type Config struct {
	// DataDir keeps everything that outlives the process.
	DataDir string `yaml:"data_dir" help:"directory of everything that outlives the process"`
	// NoDemo leaves the demonstration out.
	NoDemo  bool             `yaml:"no_demo" help:"leave the demonstration out"`
	Gateway Gateway          `yaml:"gateway"`
	Ingest  rpc.ServerConfig `yaml:"ingest"`
	// Transform is where the other instances of a Kafka elsewhere reach the jobs of
	// this one. With the embedded broker there are none, and no port is taken.
	Transform rpc.ServerConfig `yaml:"transform"`
	Kafka     Kafka            `yaml:"kafka"`
	Search    Search           `yaml:"search"`
	Alerting  Alerting         `yaml:"alerting"`
	Admin     admin.Config     `yaml:"admin"`
	Telemetry telemetry.Config `yaml:"telemetry"`
}

// Gateway is the HTTP port, and the one of gRPC.
type Gateway struct {
	Listen string        `yaml:"listen" help:"address of the HTTP API"`
	Token  secret.String `yaml:"token" help:"bearer token with which API calls may do everything"`
	TLS    rpc.TLS       `yaml:"tls"`
	GRPC   gateway.GRPC  `yaml:"grpc"`
	// Access says who may log in: users, sessions, an OpenID provider.
	Access gateway.Access `yaml:"access"`
}

// Kafka is the embedded broker, or a cluster elsewhere.
type Kafka struct {
	// Listen is where the embedded broker listens.
	Listen string `yaml:"listen" help:"address of the embedded broker"`
	// Brokers is a cluster to use instead of the embedded broker.
	Brokers  []string      `yaml:"brokers" help:"Kafka to use instead of the embedded broker"`
	Username string        `yaml:"username" help:"user there (SASL)"`
	Password secret.String `yaml:"password" help:"its password"`
	// Properties are librdkafka's, such as security.protocol.
	Properties map[string]string `yaml:"properties" help:"librdkafka properties, as {name: value}"`
	// RetentionBytes and RetentionTime bound what the embedded broker keeps of a partition.
	RetentionBytes int64         `yaml:"retention_bytes" help:"what the embedded broker keeps of a partition"`
	RetentionTime  time.Duration `yaml:"retention_time" help:"how long the embedded broker keeps records"`
}

// Search is the embedded store, or an Elasticsearch elsewhere.
type Search struct {
	// Listen is where the embedded store listens.
	Listen string `yaml:"listen" help:"address of the embedded search store"`
	// URL is a store to use instead of the embedded one.
	URL      string `yaml:"url" help:"Elasticsearch to use instead of the embedded store"`
	Username string `yaml:"username" help:"user of the store"`
	// Password of the user. Empty with the embedded store: one is made at the
	// first start and kept in the data directory.
	Password secret.String `yaml:"password" help:"its password; one is made for the embedded store"`
}

// DefaultConfig needs nothing but this machine.
func DefaultConfig() Config {
	return Config{
		DataDir:   "data",
		Gateway:   Gateway{Listen: ports.Loopback(ports.GatewayHTTP), Access: gateway.DefaultConfig().Access},
		Ingest:    rpc.ServerConfig{Listen: ports.Loopback(ports.IngestGRPC)},
		Transform: rpc.ServerConfig{Listen: "127.0.0.1:0"},
		Kafka:     Kafka{Listen: ports.Loopback(ports.Kafka), RetentionBytes: 4 << 30, RetentionTime: 7 * 24 * time.Hour},
		Search:    Search{Listen: ports.Loopback(ports.Search), Username: "elastic"},
		Alerting:  defaultAlerting(),
		Admin:     admin.Config{Listen: ports.Loopback(ports.StandaloneAdmin)}, Telemetry: telemetry.DefaultConfig(),
	}
}

// Validate says what is wrong with the configuration.
func (c *Config) Validate() error {
	errs := []error{c.Telemetry.Validate()}
	if c.DataDir == "" {
		errs = append(errs, errors.New("data_dir is empty"))
	}
	taken := map[string][]listener{}
	for _, a := range []struct{ key, addr string }{
		{"gateway.listen", c.Gateway.Listen}, {"gateway.grpc.listen", c.Gateway.GRPC.Listen}, {"ingest.listen", c.Ingest.Listen}, {"kafka.listen", c.Kafka.Listen},
		{"search.listen", c.Search.Listen}, {"alerting.listen", c.Alerting.Listen}, {"admin.listen", c.Admin.Listen},
	} {
		if (a.key == "kafka.listen" && len(c.Kafka.Brokers) > 0) || (a.key == "search.listen" && c.Search.URL != "") || (a.addr == "" && slices.Contains([]string{"admin.listen", "alerting.listen", "gateway.grpc.listen"}, a.key)) {
			continue
		}
		host, port, err := net.SplitHostPort(a.addr)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %q is not host:port", a.key, a.addr))
			continue
		}
		if port == "0" {
			continue
		}
		for _, t := range taken[port] {
			if overlap(t.host, host) {
				errs = append(errs, fmt.Errorf("%s and %s are both %s", t.key, a.key, a.addr))
			}
		}
		taken[port] = append(taken[port], listener{a.key, host})
	}
	if len(c.Kafka.Brokers) == 0 {
		if c.Kafka.RetentionBytes <= 0 {
			errs = append(errs, fmt.Errorf("kafka.retention_bytes %d is not positive", c.Kafka.RetentionBytes))
		}
		if c.Kafka.RetentionTime < time.Second {
			errs = append(errs, fmt.Errorf("kafka.retention_time %s is less than a second", c.Kafka.RetentionTime))
		}
	}
	return errors.Join(errs...)
}

type listener struct{ key, host string }

// overlap reports whether two hosts mean the same address of this machine.
func overlap(x, y string) bool {
	every := func(h string) bool { return h == "" || h == "0.0.0.0" || h == "::" }
	return every(x) || every(y) || loopback(x) == loopback(y)
}

// loopback gives the names of the loopback address one name.
func loopback(host string) string {
	if host == "localhost" || host == "::1" {
		return "127.0.0.1"
	}
	return host
}

// Validate says what is wrong with what was brought: an agent's and a job's
// name are the file's, so two files must not have the same.
func (in Inputs) Validate() error {
	var errs []error
	for flag, files := range map[string][]string{"-c": in.Filebeat, "--sql": in.SQL} {
		seen := map[string]string{}
		for _, f := range files {
			name := fileName(f)
			if other, ok := seen[name]; ok {
				errs = append(errs, fmt.Errorf("%s %s and %s would both be called %s: rename one", flag, other, f, name))
			}
			seen[name] = f
		}
	}
	return errors.Join(errs...)
}

func fileName(f string) string { return strings.TrimSuffix(filepath.Base(f), filepath.Ext(f)) }
