package standalone

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/weirflow/weirflow/services/platform/admin"
	"github.com/weirflow/weirflow/services/platform/ports"
	"github.com/weirflow/weirflow/services/platform/rpc"
	"github.com/weirflow/weirflow/services/platform/secret"
	"github.com/weirflow/weirflow/services/platform/telemetry"
)

// Config is the configuration of the all-in-one.
type Config struct {
	// DataDir keeps everything that outlives the process.
	DataDir string `yaml:"data_dir"`
	// NoDemo leaves the demonstration out.
	NoDemo    bool             `yaml:"no_demo"`
	Gateway   Gateway          `yaml:"gateway"`
	Ingest    rpc.ServerConfig `yaml:"ingest"`
	Kafka     Kafka            `yaml:"kafka"`
	Search    Search           `yaml:"search"`
	Admin     admin.Config     `yaml:"admin"`
	Telemetry telemetry.Config `yaml:"telemetry"`
}

// Gateway is the HTTP port.
type Gateway struct {
	Listen string        `yaml:"listen"`
	Token  secret.String `yaml:"token"`
	TLS    rpc.TLS       `yaml:"tls"`
}

// Kafka is the embedded broker, or a cluster elsewhere.
type Kafka struct {
	// Listen is where the embedded broker listens.
	Listen string `yaml:"listen"`
	// Brokers is a cluster to use instead of the embedded broker.
	Brokers  []string      `yaml:"brokers"`
	Username string        `yaml:"username"`
	Password secret.String `yaml:"password"`
	// Properties are librdkafka's, such as security.protocol.
	Properties map[string]string `yaml:"properties"`
	// RetentionBytes and RetentionTime bound what the embedded broker keeps of a partition.
	RetentionBytes int64         `yaml:"retention_bytes"`
	RetentionTime  time.Duration `yaml:"retention_time"`
}

// Search is the embedded store, or an Elasticsearch elsewhere.
type Search struct {
	// Listen is where the embedded store listens.
	Listen string `yaml:"listen"`
	// URL is a store to use instead of the embedded one.
	URL      string `yaml:"url"`
	Username string `yaml:"username"`
	// Password of the user. Empty with the embedded store: one is made at the
	// first start and kept in the data directory.
	Password secret.String `yaml:"password"`
}

// DefaultConfig needs nothing but this machine.
func DefaultConfig() Config {
	return Config{
		DataDir: "data",
		Gateway: Gateway{Listen: ports.Loopback(ports.GatewayHTTP)},
		Ingest:  rpc.ServerConfig{Listen: ports.Loopback(ports.IngestGRPC)},
		Kafka:   Kafka{Listen: ports.Loopback(ports.Kafka), RetentionBytes: 4 << 30, RetentionTime: 7 * 24 * time.Hour},
		Search:  Search{Listen: ports.Loopback(ports.Search), Username: "elastic"},
		Admin:   admin.Config{Listen: ports.Loopback(ports.StandaloneAdmin)}, Telemetry: telemetry.DefaultConfig(),
	}
}

// Validate says what is wrong with the configuration.
func (c *Config) Validate() error {
	errs := []error{c.Telemetry.Validate()}
	if c.DataDir == "" {
		errs = append(errs, errors.New("data_dir is empty"))
	}
	taken := map[string]string{}
	for _, a := range []struct{ key, addr string }{
		{"gateway.listen", c.Gateway.Listen}, {"ingest.listen", c.Ingest.Listen}, {"kafka.listen", c.Kafka.Listen},
		{"search.listen", c.Search.Listen}, {"admin.listen", c.Admin.Listen},
	} {
		if (a.key == "kafka.listen" && len(c.Kafka.Brokers) > 0) || (a.key == "search.listen" && c.Search.URL != "") || (a.key == "admin.listen" && a.addr == "") {
			continue
		}
		_, port, err := net.SplitHostPort(a.addr)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %q is not host:port", a.key, a.addr))
			continue
		}
		if other, ok := taken[a.addr]; ok && port != "0" {
			errs = append(errs, fmt.Errorf("%s and %s are both %s", other, a.key, a.addr))
		}
		taken[a.addr] = a.key
	}
	return errors.Join(errs...)
}
