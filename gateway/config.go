package gateway

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/ports"
	"github.com/weirflow/weirflow/services/platform/rpc"
	"github.com/weirflow/weirflow/services/platform/secret"
	"github.com/weirflow/weirflow/services/platform/web"
)

// Config is the configuration of the gateway.
type Config struct {
	// Listen is host:port of the HTTP port.
	Listen string `yaml:"listen" help:"address of the HTTP API"`
	// TLS serves HTTPS where a certificate is named.
	TLS rpc.TLS `yaml:"tls"`
	// Token, if set, must come with every API call as a bearer token. It is
	// required where the gateway listens beyond loopback.
	Token secret.String `yaml:"token" help:"bearer token that API calls must bring"`
	// Search is the store that /api/v1/search leads to.
	Search Search `yaml:"search"`
	// Kafka keeps what people make here, such as dashboards; without brokers nothing
	// can be kept.
	Kafka kafka.Config `yaml:"kafka"`
	// Ingest, Transform, Indexer, Agent and Alerting are the services behind the gateway;
	// an empty address leaves one out.
	Ingest    rpc.ClientConfig `yaml:"ingest"`
	Transform rpc.ClientConfig `yaml:"transform"`
	Indexer   rpc.ClientConfig `yaml:"indexer"`
	Agent     rpc.ClientConfig `yaml:"agent"`
	Alerting  rpc.ClientConfig `yaml:"alerting"`
}

// Search is the address of the search store.
type Search struct {
	URL      string        `yaml:"url" help:"search store that /api/v1/search leads to"`
	Username string        `yaml:"username" help:"user there"`
	Password secret.String `yaml:"password" help:"its password"`
}

// DefaultConfig reaches services on this machine.
func DefaultConfig() Config {
	return Config{
		Listen:    ports.Loopback(ports.GatewayHTTP),
		Kafka:     kafka.Config{Brokers: []string{ports.Loopback(ports.Kafka)}},
		Search:    Search{URL: "http://" + ports.Loopback(ports.Search), Username: "elastic"},
		Ingest:    rpc.ClientConfig{Address: ports.Loopback(ports.IngestGRPC)},
		Transform: rpc.ClientConfig{Address: ports.Loopback(ports.TransformGRPC)},
		Indexer:   rpc.ClientConfig{Address: ports.Loopback(ports.IndexerGRPC)},
	}
}

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	var errs []error
	errs = append(errs, c.port().Validate("gateway"))
	if u, err := url.Parse(c.Search.URL); err != nil || (c.Search.URL != "" && u.Host == "") {
		errs = append(errs, fmt.Errorf("gateway.search.url %q is not a URL such as http://127.0.0.1:9200", c.Search.URL))
	}
	if len(c.Kafka.Brokers) > 0 {
		errs = append(errs, c.Kafka.Validate())
	}
	return errors.Join(errs...)
}

func (c Config) port() web.Config { return web.Config{Listen: c.Listen, TLS: c.TLS, Token: c.Token} }
