package standalone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"time"

	"google.golang.org/grpc"

	"github.com/weirflow/weirflow/gateway"
	"github.com/weirflow/weirflow/services/agent"
	"github.com/weirflow/weirflow/services/indexer"
	"github.com/weirflow/weirflow/services/ingest"
	"github.com/weirflow/weirflow/services/platform/admin"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/lifecycle"
	"github.com/weirflow/weirflow/services/platform/process"
	"github.com/weirflow/weirflow/services/platform/rpc"
	"github.com/weirflow/weirflow/services/platform/secret"
	"github.com/weirflow/weirflow/services/platform/status"
	"github.com/weirflow/weirflow/services/platform/telemetry"
	"github.com/weirflow/weirflow/services/standalone/broker"
	"github.com/weirflow/weirflow/services/standalone/demo"
	"github.com/weirflow/weirflow/services/standalone/searchstore"
	"github.com/weirflow/weirflow/services/transform"
)

// Inputs are what a run is to do beside the demonstration.
type Inputs struct {
	// Filebeat are Filebeat configuration files, each for an agent of its own.
	Filebeat []string
	// SQL are files of statements, each a job with the file's name.
	SQL []string
}

// assembly is a process being put together.
type assembly struct {
	cfg      Config
	defaults Config
	in       Inputs
	out      io.Writer
	tel      *telemetry.Telemetry
	dir      *dataDir
	instance string

	group    *lifecycle.Group
	boards   []*status.Board
	backends map[string]grpc.ClientConnInterface
	places   places
	// unused give up parts that hold something before they run, if they never do.
	unused []func() error
}

// places are the addresses of everything, as they turned out.
type places struct {
	gateway, grpc, ingest, admin, alerting string
	kafka                                  kafka.Config
	kafkaEmbedded                          bool
	searchURL                              string
	searchEmbedded                         bool
	searchUser                             string
	searchPassword                         secret.String
	passwordIsNew                          bool
}

// Run puts the process together, runs it until the context ends, and stops it.
// What a person should know is written to out, logs to logs.
func Run(ctx context.Context, cfg, defaults Config, in Inputs, out, logs io.Writer) error {
	if err := in.Validate(); err != nil {
		return err
	}
	tel, err := telemetry.New(ctx, "standalone", cfg.Telemetry, logs)
	if err != nil {
		return err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		if err := tel.Close(end); err != nil {
			tel.Logger.Warn("telemetry was not all sent", "error", err)
		}
	}()
	dir, err := openDataDir(cfg.DataDir)
	if err != nil {
		return err
	}
	defer dir.close()
	instance, err := dir.instance()
	if err != nil {
		return err
	}
	a := &assembly{
		cfg: cfg, defaults: defaults, in: in, out: out, tel: tel, dir: dir, instance: instance,
		group: lifecycle.New(tel.Logger), backends: map[string]grpc.ClientConnInterface{},
	}
	// In the order in which they start; they stop in the reverse, so that intake
	// ends before what carries it out. A job of one's own may begin at its topic's
	// end, so it is there before the agents; the demonstration's reads all there
	// is, and finds its topic at once when the agent has made it.
	work := []func() error{a.addJobs, a.addAgents}
	if a.demonstrates() {
		slices.Reverse(work)
	}
	for _, add := range slices.Concat(
		[]func() error{a.addBroker, a.addStore, a.addIndexer, a.addTransform, a.addIngest, a.addAlerting, a.addGateway}, work,
		[]func() error{func() error { return a.addAdmin(ctx) }, a.addAnnouncement},
	) {
		if err := add(); err != nil {
			for _, giveUp := range a.unused {
				err = errors.Join(err, giveUp())
			}
			return err
		}
	}
	return a.group.Run(ctx)
}

func (a *assembly) env(service string) (process.Env, error) {
	e, err := process.NewEnv(service, a.instance, a.tel)
	if err == nil {
		a.boards = append(a.boards, e.Board)
	}
	return e, err
}

func (a *assembly) log(component string) *slog.Logger {
	return a.tel.Logger.With("component", component)
}

// serve puts a service's APIs on a gRPC port and connects the gateway to it.
func (a *assembly) serve(name string, cfg rpc.ServerConfig, register func(*grpc.Server)) (*rpc.Server, error) {
	s, err := rpc.NewServer(cfg, a.tel)
	if err != nil {
		return nil, err
	}
	register(s.Server)
	conn, err := rpc.DialServer(s, rpc.ClientConfig{Token: cfg.Token, TLS: rpc.TLS{CAFile: cfg.TLS.CAFile, CertFile: cfg.TLS.CertFile, KeyFile: cfg.TLS.KeyFile}}, a.tel)
	if err != nil {
		return nil, err
	}
	a.backends[name] = conn
	a.group.Add(lifecycle.Part{Name: name + " gRPC", Runner: s})
	return s, nil
}

func (a *assembly) addBroker() error {
	k := a.cfg.Kafka
	a.places.kafka = kafka.Config{Brokers: k.Brokers, Username: k.Username, Password: k.Password, Properties: k.Properties}
	if len(k.Brokers) > 0 {
		return nil
	}
	b, err := broker.Start(broker.Config{
		Listen: k.Listen, DataDir: a.dir.in("kafka"), Partitions: 1, RetentionBytes: k.RetentionBytes, RetentionTime: k.RetentionTime,
	}, a.log("broker"))
	if err != nil {
		return err
	}
	a.places.kafka.Brokers, a.places.kafkaEmbedded = []string{b.Addr()}, true
	a.group.Add(lifecycle.Part{Name: "broker", Runner: b})
	return nil
}

func (a *assembly) addStore() error {
	s := a.cfg.Search
	p := &a.places
	p.searchUser, p.searchPassword, p.searchURL = s.Username, s.Password, s.URL
	if s.URL != "" {
		return nil
	}
	var err error
	if p.searchPassword, p.passwordIsNew, err = a.dir.password(s.Password); err != nil {
		return err
	}
	cfg := searchstore.DefaultConfig()
	cfg.Listen, cfg.DataDir, cfg.User, cfg.Password = s.Listen, a.dir.in("search"), s.Username, p.searchPassword
	store, err := searchstore.New(cfg, searchstore.Deps{Logger: a.log("search store"), MeterProvider: a.tel.Meters})
	if err != nil {
		return err
	}
	p.searchURL, p.searchEmbedded = "http://"+s.Listen, true
	a.group.Add(lifecycle.Part{Name: "search store", Runner: store, Ready: store.Ready()})
	return nil
}

func (a *assembly) addIndexer() error {
	e, err := a.env("indexer")
	if err != nil {
		return err
	}
	cfg := indexer.DefaultConfig()
	cfg.Kafka = a.places.kafka
	cfg.Search = indexer.Search{URL: a.places.searchURL, Username: a.places.searchUser, Password: a.places.searchPassword}
	s, err := indexer.New(cfg, indexer.Deps{Logger: a.log("indexer"), Meters: a.tel.Meters, Board: e.Board, Book: e.Book})
	if err != nil {
		return err
	}
	a.group.Add(lifecycle.Part{Name: "indexer", Runner: s})
	_, err = a.serve("indexer", rpc.ServerConfig{Listen: rpc.InMemory}, s.Register)
	return err
}

func (a *assembly) addTransform() error {
	e, err := a.env("transform")
	if err != nil {
		return err
	}
	cfg := transform.DefaultConfig()
	cfg.Kafka, cfg.RPC, cfg.Exclusive = a.places.kafka, a.cfg.Transform, a.places.kafkaEmbedded
	if cfg.Exclusive { // nobody else is on this broker
		cfg.RPC = rpc.ServerConfig{Listen: rpc.InMemory}
	}
	s, err := transform.New(cfg, transform.Deps{Logger: a.log("transform"), Meters: a.tel.Meters, Board: e.Board, Book: e.Book,
		Instance: a.instance, Dial: transform.Dialer(cfg.RPC, a.tel), Registry: a.tel.Registry()})
	if err != nil {
		return err
	}
	a.group.Add(lifecycle.Part{Name: "transform", Runner: s})
	g, err := a.serve("transform", cfg.RPC, s.Register)
	if err == nil && !cfg.Exclusive {
		s.At(g.Addr())
	}
	return err
}

func (a *assembly) addIngest() error {
	e, err := a.env("ingest")
	if err != nil {
		return err
	}
	cfg := ingest.DefaultConfig()
	cfg.Kafka, cfg.RPC = a.places.kafka, a.cfg.Ingest
	s, err := ingest.New(cfg, ingest.Deps{Logger: a.log("ingest"), Meters: a.tel.Meters, Board: e.Board, Book: e.Book})
	if err != nil {
		return err
	}
	a.group.Add(lifecycle.Part{Name: "ingest", Runner: s})
	g, err := a.serve("ingest", cfg.RPC, s.Register)
	if err == nil {
		a.places.ingest = g.Addr()
	}
	return err
}

func (a *assembly) addGateway() error {
	e, err := a.env("gateway")
	if err != nil {
		return err
	}
	cfg := gateway.DefaultConfig()
	cfg.Listen, cfg.Token, cfg.TLS = a.cfg.Gateway.Listen, a.cfg.Gateway.Token, a.cfg.Gateway.TLS
	cfg.GRPC, cfg.Access, cfg.Kafka = a.cfg.Gateway.GRPC, a.cfg.Gateway.Access, a.places.kafka
	cfg.Search = gateway.Search{URL: a.places.searchURL, Username: a.places.searchUser, Password: a.places.searchPassword}
	s, err := gateway.New(cfg, gateway.Deps{
		Logger: a.log("gateway"), Meters: a.tel.Meters, Tracers: a.tel.Tracers, Propagator: a.tel.Propagator, Board: e.Board, Backends: a.backends, Ingest: a.places.ingest,
	})
	if err != nil {
		return err
	}
	a.places.gateway, a.places.grpc = s.Addr(), s.GRPCAddr()
	a.group.Add(lifecycle.Part{Name: "gateway", Runner: s})
	return nil
}

// demonstrates reports whether the demonstration runs: unless it was declined
// or something of one's own was brought.
func (a *assembly) demonstrates() bool {
	return !a.cfg.NoDemo && len(a.in.Filebeat) == 0 && len(a.in.SQL) == 0
}

func (a *assembly) addAgents() error {
	var agents []agent.Config
	for _, f := range a.in.Filebeat {
		c := agent.DefaultConfig()
		c.Files, c.StrictPerms = []string{f}, false
		c.PathData = a.dir.in("agent", fileName(f))
		agents = append(agents, c)
	}
	if a.demonstrates() {
		file := a.dir.in("demo", "top.log")
		c := agent.DefaultConfig()
		c.Files = nil
		c.Documents = []agent.Document{{Name: "demonstration", Text: []byte(demo.Filebeat(file, a.places.kafka.Brokers[0]))}}
		c.PathData = a.dir.in("agent", "demo")
		agents = append(agents, c)
		a.group.Add(lifecycle.Part{Name: "sampler", Runner: &demo.Sampler{File: file, Interval: 10 * time.Second, Logger: a.log("sampler")}})
	}
	if len(agents) == 0 {
		return nil
	}
	e, err := a.env("agent")
	if err != nil {
		return err
	}
	for _, c := range agents {
		s, err := agent.New(c, agent.Deps{
			Logger: a.log("agent"), Meters: a.tel.Meters, Board: e.Board, Book: e.Book, Stdout: a.out, Redirect: a.redirect, Dial: a.dialIngest,
		})
		if err != nil {
			return err
		}
		a.group.Add(lifecycle.Part{Name: "agent", Runner: s})
	}
	_, err = a.serve("agent", rpc.ServerConfig{Listen: rpc.InMemory}, registerStatus(e))
	return err
}

// redirect leads an output.kafka that means this process's Kafka through ingest,
// which makes topics and counts.
func (a *assembly) redirect(o agent.OutputConfig) agent.OutputConfig {
	if o.Kind != "kafka" {
		return o
	}
	for _, h := range o.Hosts {
		if !slices.ContainsFunc(a.places.kafka.Brokers, func(b string) bool { return sameAddress(h, b) }) {
			return o
		}
	}
	o.Kind, o.Hosts = "ingest", []string{a.places.ingest}
	return o
}

// dialIngest connects to ingest; to the one of this process with its own token.
func (a *assembly) dialIngest(c rpc.ClientConfig) (*grpc.ClientConn, error) {
	if c.Address == a.places.ingest && c.Token == "" {
		c.Token = a.cfg.Ingest.Token
	}
	return rpc.Dial(c, a.tel)
}

func sameAddress(x, y string) bool {
	normal := func(s string) string {
		host, port, err := net.SplitHostPort(s)
		if err != nil {
			return s
		}
		return net.JoinHostPort(loopback(host), port)
	}
	return normal(x) == normal(y)
}

func (a *assembly) addAdmin(ctx context.Context) error {
	s, err := admin.New(ctx, a.cfg.Admin, admin.Deps{Logger: a.tel.Logger, Metrics: a.tel.Handler(), Boards: a.boards, Config: a.cfg, Defaults: a.defaults})
	if err != nil {
		return fmt.Errorf("start the admin port: %w", err)
	}
	a.places.admin = s.Addr()
	a.group.Add(lifecycle.Part{Name: "admin port", Runner: s})
	return nil
}
