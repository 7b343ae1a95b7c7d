package gateway

import (
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/weirflow/weirflow/gateway/internal/access"
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
	// GRPC is the port on which all services are called over gRPC, as guarded as HTTP.
	GRPC GRPC `yaml:"grpc"`
	// TLS serves HTTPS, and gRPC over TLS, where a certificate is named.
	TLS rpc.TLS `yaml:"tls"`
	// Token, if set, is a bearer token with which a call may do everything.
	Token secret.String `yaml:"token" help:"bearer token with which API calls may do everything"`
	// Access says who else may log in. Beyond loopback one of Token, an administrator and
	// an OpenID provider is required.
	Access access.Config `yaml:"access"`
	// Search is the store that /api/v1/search leads to.
	Search Search `yaml:"search"`
	// Kafka keeps what people make here, such as dashboards, and users, tokens, sessions
	// and the audit log; without brokers nothing can be kept.
	Kafka kafka.Config `yaml:"kafka"`
	// Ingest, Transform, Indexer, Agent and Alerting are the services behind the gateway;
	// an empty address leaves one out.
	Ingest    rpc.ClientConfig `yaml:"ingest"`
	Transform rpc.ClientConfig `yaml:"transform"`
	Indexer   rpc.ClientConfig `yaml:"indexer"`
	Agent     rpc.ClientConfig `yaml:"agent"`
	Alerting  rpc.ClientConfig `yaml:"alerting"`
}

// Access says who may log in, and how.
type Access = access.Config

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
		Access:    access.DefaultConfig(),
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
	errs = append(errs, c.guarded(), c.Access.Validate("gateway.access"))
	if u, err := url.Parse(c.Search.URL); err != nil || (c.Search.URL != "" && u.Host == "") {
		errs = append(errs, fmt.Errorf("gateway.search.url %q is not a URL such as http://127.0.0.1:9200", c.Search.URL))
	}
	if len(c.Kafka.Brokers) > 0 {
		errs = append(errs, c.Kafka.Validate())
	}
	return errors.Join(errs...)
}

// guarded says whether the port may be reached from where it can be.
func (c Config) guarded() error {
	if err := c.guards("gateway.listen", c.Listen); err != nil || c.GRPC.Listen == "" {
		return err
	}
	return c.guards("gateway.grpc.listen", c.GRPC.Listen)
}

// guards says it of one of the ports.
func (c Config) guards(key, listen string) error {
	host, _, err := net.SplitHostPort(listen)
	switch {
	case err != nil:
		return fmt.Errorf("%s %q is not host:port", key, listen)
	case c.Access.Guarded() && len(c.Kafka.Brokers) == 0:
		return errors.New("gateway.access.admin and gateway.access.oidc need gateway.kafka.brokers: users are kept there")
	case !web.Loopback(host) && c.Token == "" && !c.Access.Guarded():
		return fmt.Errorf("%s %s can be reached from other machines: set gateway.token, gateway.access.admin or gateway.access.oidc, or listen on 127.0.0.1", key, listen)
	}
	return nil
}

// loopback reports whether only this machine reaches the ports.
func (c Config) loopback() bool {
	for _, listen := range []string{c.Listen, c.GRPC.Listen} {
		if listen == "" {
			continue
		}
		if host, _, err := net.SplitHostPort(listen); err != nil || !web.Loopback(host) {
			return false
		}
	}
	return true
}

func (c Config) port() web.Config { return web.Config{Listen: c.Listen, TLS: c.TLS, Token: c.Token} }
