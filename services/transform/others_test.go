package transform

import (
	"net"
	"strings"
	"testing"

	"github.com/weirflow/weirflow/services/platform/rpc"
)

func TestReachable(t *testing.T) {
	for _, c := range []struct{ name, listen, broker, want string }{
		{"an address", "10.1.2.3:7071", "10.9.9.9:9092", "10.1.2.3:7071"},
		{"a name", "transform-1:7071", "10.9.9.9:9092", "transform-1:7071"},
		{"loopback", "127.0.0.1:7071", "10.9.9.9:9092", "127.0.0.1:7071"},
		{"every address", "0.0.0.0:7071", "127.0.0.1:9092", "127.0.0.1:7071"},
		{"every address of both kinds", "[::]:7071", "127.0.0.1:9092", "127.0.0.1:7071"},
		{"no host", ":7071", "127.0.0.1:9092", "127.0.0.1:7071"},
		{"a broker without a port", ":7071", "nowhere", ""},
		{"no port at all", "memory", "127.0.0.1:9092", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := reachable(c.listen, c.broker); got != c.want {
				t.Errorf("reachable(%q) = %q, want %q", c.listen, got, c.want)
			}
		})
	}
}

func TestNameOfTheInstance(t *testing.T) {
	named := func(name, listen string) string {
		return instance(Config{Instance: name, RPC: rpc.ServerConfig{Listen: listen}})
	}
	if got := named("mine", "127.0.0.1:7071"); got != "mine" {
		t.Errorf("the configured name is %q", got)
	}
	one, again, two := named("", "127.0.0.1:7071"), named("", "127.0.0.1:7071"), named("", "127.0.0.1:7081")
	if one != again || one == two || !strings.HasSuffix(one, "-7071") {
		t.Errorf("names by port: %q, %q, %q", one, again, two)
	}
	if a, b := named("", net.JoinHostPort("127.0.0.1", "0")), named("", "127.0.0.1:0"); a == b {
		t.Errorf("two processes on free ports are both %q", a)
	}
}

func TestConfigOfInstances(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(c *Config)
		want   string
	}{
		{"as it is", func(*Config) {}, ""},
		{"a name with a space", func(c *Config) { c.Instance = "a b" }, "transform.instance"},
		{"no time", func(c *Config) { c.SessionTimeout = 0 }, "transform.session_timeout"},
		{"no time, but no group", func(c *Config) { c.SessionTimeout, c.Exclusive = 0, true }, ""},
		{"an address without a port", func(c *Config) { c.Advertise = "here" }, "transform.advertise"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := DefaultConfig()
			c.change(&cfg)
			err := cfg.Validate()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("Validate = %v, want %q", err, c.want)
			}
		})
	}
}
