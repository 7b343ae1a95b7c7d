package standalone

import (
	"net"

	"github.com/weirflow/weirflow/services/alerting"
	"github.com/weirflow/weirflow/services/platform/lifecycle"
	"github.com/weirflow/weirflow/services/platform/rpc"
	"github.com/weirflow/weirflow/services/platform/secret"
)

// Alerting keeps metrics and tells people.
type Alerting struct {
	// Listen is the port of Prometheus's API and the Alertmanager's; empty: no alerting.
	Listen  string           `yaml:"listen" help:"address of Prometheus's API (/api/v1) and the Alertmanager's (/api/v2); empty: no metrics are kept and nobody is told"`
	Token   secret.String    `yaml:"token" help:"bearer token that calls of these APIs must bring"`
	TLS     rpc.TLS          `yaml:"tls"`
	Metrics alerting.Metrics `yaml:"metrics"`
	// ShippedRules evaluates the rules that come with Weirflow.
	ShippedRules bool              `yaml:"shipped_rules" help:"evaluate the rules that come with Weirflow"`
	Notify       alerting.Notify   `yaml:"notify"`
	Outgoing     alerting.Outgoing `yaml:"outgoing"`
}

func defaultAlerting() Alerting {
	d := alerting.DefaultConfig()
	d.Metrics.Targets = alerting.Targets{} // the process itself is the only one
	return Alerting{Listen: d.Listen, Metrics: d.Metrics, ShippedRules: d.ShippedRules, Notify: d.Notify}
}

func (a *assembly) addAlerting() error {
	c := a.cfg.Alerting
	if c.Listen == "" {
		return nil
	}
	e, err := a.env("alerting")
	if err != nil {
		return err
	}
	cfg := alerting.DefaultConfig()
	cfg.Kafka, cfg.Listen, cfg.Token, cfg.TLS, cfg.DataDir = a.places.kafka, c.Listen, c.Token, c.TLS, a.dir.in("alerting")
	cfg.Metrics, cfg.Notify, cfg.Outgoing, cfg.ExternalURL = c.Metrics, c.Notify, c.Outgoing, "http://"+a.cfg.Gateway.Listen
	cfg.ShippedRules = c.ShippedRules
	if _, port, err := net.SplitHostPort(a.cfg.Admin.Listen); err == nil && port != "0" {
		cfg.Metrics.Targets.Standalone = append(cfg.Metrics.Targets.Standalone, a.cfg.Admin.Listen)
	}
	s, err := alerting.New(cfg, alerting.Deps{Logger: a.log("alerting"), Registry: a.tel.Registry(), Board: e.Board, Book: e.Book, Jobs: a.backends["transform"]})
	if err != nil {
		return err
	}
	a.unused = append(a.unused, s.Close)
	a.places.alerting = s.Addr()
	a.group.Add(lifecycle.Part{Name: "alerting", Runner: s})
	_, err = a.serve("alerting", rpc.ServerConfig{Listen: rpc.InMemory}, s.Register)
	return err
}
