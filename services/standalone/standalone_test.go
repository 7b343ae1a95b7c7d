package standalone

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weirflow/weirflow/services/agent"
	"github.com/weirflow/weirflow/services/platform/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDefaultsAreValidAndOnLoopback(t *testing.T) {
	c := DefaultConfig()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, addr := range [...]string{c.Gateway.Listen, c.Ingest.Listen, c.Kafka.Listen, c.Search.Listen, c.Admin.Listen} {
		if !strings.HasPrefix(addr, "127.0.0.1:") {
			t.Errorf("%s is not on loopback", addr)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, c := range [...]struct {
		name, want string // want: in the error; "" for none
		change     func(*Config)
	}{
		{"no data directory", "data_dir", func(c *Config) { c.DataDir = "" }},
		{"not an address", `gateway.listen "8080"`, func(c *Config) { c.Gateway.Listen = "8080" }},
		{"one port twice", "gateway.listen and search.listen", func(c *Config) { c.Search.Listen = c.Gateway.Listen }},
		{"one port by two names", "gateway.listen and admin.listen", func(c *Config) { c.Gateway.Listen, c.Admin.Listen = "localhost:7000", "127.0.0.1:7000" }},
		{"one port on all addresses", "ingest.listen and kafka.listen", func(c *Config) { c.Ingest.Listen, c.Kafka.Listen = ":7000", "127.0.0.1:7000" }},
		{"one port on two addresses", "", func(c *Config) { c.Ingest.Listen, c.Kafka.Listen = "10.0.0.1:7000", "127.0.0.1:7000" }},
		{"any port", "", func(c *Config) { c.Gateway.Listen, c.Ingest.Listen = "127.0.0.1:0", "127.0.0.1:0" }},
		{"real cluster", "", func(c *Config) { c.Kafka.Brokers, c.Kafka.Listen, c.Kafka.RetentionBytes = []string{"k:9092"}, "", 0 }},
		{"real store", "", func(c *Config) { c.Search.URL, c.Search.Listen = "http://es:9200", "" }},
		{"no admin port", "", func(c *Config) { c.Admin.Listen = "" }},
		{"retention of nothing", "retention_bytes", func(c *Config) { c.Kafka.RetentionBytes = 0 }},
		{"retention of no time", "retention_time", func(c *Config) { c.Kafka.RetentionTime = time.Millisecond }},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := DefaultConfig()
			c.change(&cfg)
			err := cfg.Validate()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("want %q, got %v", c.want, err)
			}
		})
	}
}

func TestInputsOfOneName(t *testing.T) {
	if err := (Inputs{Filebeat: []string{"a/x.yml", "y.yml"}, SQL: []string{"x.sql", "y.sql"}}).Validate(); err != nil {
		t.Error(err)
	}
	for _, in := range [...]Inputs{{Filebeat: []string{"a/x.yml", "b/x.yaml"}}, {SQL: []string{"x.sql", "sub/x.sql"}}} {
		if err := in.Validate(); err == nil || !strings.Contains(err.Error(), "called x") {
			t.Errorf("%+v: %v", in, err)
		}
	}
}

func TestDataDirIsLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "data")
	d, err := openDataDir(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info, err)
	}
	if _, err := openDataDir(path); err == nil || !strings.Contains(err.Error(), "in use by another") || !strings.Contains(err.Error(), path) {
		t.Errorf("a second process: %v", err)
	}
	d.close()
	again, err := openDataDir(path)
	if err != nil {
		t.Fatal("after the first has ended:", err)
	}
	again.close()
}

func TestDataDirThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openDataDir(file); err == nil {
		t.Error("a file was taken for a directory")
	}
}

func TestPassword(t *testing.T) {
	d, err := openDataDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	first, fresh, err := d.password("")
	if err != nil || !fresh || len(first) < 16 {
		t.Fatalf("%d characters, fresh %v, %v", len(first), fresh, err)
	}
	info, err := os.Stat(d.in("search-password"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	second, fresh, err := d.password("")
	if err != nil || fresh || second != first {
		t.Errorf("not kept: fresh %v, %v", fresh, err)
	}
	if p, fresh, err := d.password("mine"); err != nil || fresh || p.Reveal() != "mine" {
		t.Errorf("configured: fresh %v, %v", fresh, err)
	}
	if err := os.WriteFile(d.in("search-password"), nil, 0o600); err != nil { // a start that was cut off
		t.Fatal(err)
	}
	if p, fresh, err := d.password(""); err != nil || !fresh || p == "" || p == first {
		t.Errorf("after an empty file: fresh %v, %v", fresh, err)
	}
	if err := os.Remove(d.in("search-password")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(d.in("search-password"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.password(""); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("unreadable: %v", err)
	}
}

func announced(t *testing.T, dir string, change func(*assembly)) string {
	t.Helper()
	a := &assembly{cfg: DefaultConfig(), dir: &dataDir{path: dir}}
	a.places = places{gateway: "127.0.0.1:1", ingest: "127.0.0.1:2", kafkaEmbedded: true, searchURL: "http://127.0.0.1:3", searchEmbedded: true, searchUser: "elastic", searchPassword: "s3cret"}
	a.places.kafka.Brokers = []string{"127.0.0.1:4"}
	change(a)
	return a.announcement()
}

func TestAnnouncement(t *testing.T) {
	for _, c := range [...]struct {
		name, dir string
		change    func(*assembly)
		want, not []string
	}{
		{"first start", "/d", func(a *assembly) { a.places.passwordIsNew = true },
			[]string{"http://127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:4", "embedded, user elastic", "password of user elastic is s3cret", "/d/search-password", `-u elastic:s3cret 'http://127.0.0.1:3/oceanus_test2/_search`, "http://127.0.0.1:1/sources"}, []string{"Admin"}},
		{"second start", "/d", func(*assembly) {}, []string{`curl -u elastic:"$(cat /d/search-password)" `}, []string{"s3cret"}},
		{"a directory with blanks", "/my data", func(*assembly) {}, []string{`-u elastic:"$(cat '/my data/search-password')" `}, []string{"s3cret"}},
		{"configured", "/d", func(a *assembly) { a.cfg.Search.Password = "s3cret" }, []string{"-u elastic:… "}, []string{"s3cret"}},
		{"real parts without a user", "/d", func(a *assembly) {
			a.places.searchEmbedded, a.places.kafkaEmbedded, a.places.admin = false, false, "127.0.0.1:5"
		},
			[]string{"as configured", "http://127.0.0.1:5", "curl 'http://127.0.0.1:3"}, []string{"s3cret", "embedded", "search-password"}},
		{"own files", "/d", func(a *assembly) { a.in.SQL = []string{"a.sql"} }, []string{"Gateway"}, []string{"demonstration", "curl", "s3cret"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := announced(t, c.dir, c.change)
			for _, w := range c.want {
				if !strings.Contains(got, w) {
					t.Errorf("without %q:\n%s", w, got)
				}
			}
			for _, w := range c.not {
				if strings.Contains(got, w) {
					t.Errorf("with %q:\n%s", w, got)
				}
			}
		})
	}
}

func TestRedirect(t *testing.T) {
	a := &assembly{}
	a.places.kafka.Brokers, a.places.ingest = []string{"127.0.0.1:9092"}, "127.0.0.1:7"
	for _, c := range [...]struct {
		kind, host, want string
	}{{"kafka", "127.0.0.1:9092", "ingest"}, {"kafka", "localhost:9092", "ingest"}, {"kafka", "127.0.0.1:9093", "kafka"}, {"kafka", "other:9092", "kafka"}, {"file", "127.0.0.1:9092", "file"}} {
		if got := a.redirect(agent.OutputConfig{Kind: c.kind, Hosts: []string{c.host}}); got.Kind != c.want || (c.want == "ingest") != (got.Hosts[0] == "127.0.0.1:7") {
			t.Errorf("%+v: %s %v", c, got.Kind, got.Hosts)
		}
	}
}

func TestConfigHidesPasswords(t *testing.T) {
	c := DefaultConfig()
	c.Search.Password, c.Kafka.Password = secret.String("s3cret"), secret.String("s3cret")
	if text := c.Search.Password.String() + c.Kafka.Password.String(); strings.Contains(text, "s3cret") {
		t.Error(text)
	}
}
