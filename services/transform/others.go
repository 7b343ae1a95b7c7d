package transform

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/table"

	"github.com/weirflow/weirflow/services/transform/internal/api"
	"github.com/weirflow/weirflow/services/transform/internal/job"
	"github.com/weirflow/weirflow/services/transform/internal/peer"
)

// instancesTopic has an Instance for each name that ever was one.
const instancesTopic = "weirflow.instances"

// others is how this instance and the others know and reach one another.
type others struct {
	directory *peer.Directory
	router    *peer.Router
	known     *table.Table[*jobv1.Instance]
	log       *slog.Logger
	name      string
	address   string // where others reach this one; empty: nowhere
}

func newOthers(cfg Config, d Deps) (*others, error) {
	a, err := kafka.NewAdmin(cfg.Kafka, d.Logger)
	if err != nil {
		return nil, err
	}
	o := &others{address: cfg.Advertise, name: d.Instance, log: d.Logger}
	o.directory = &peer.Directory{Admin: a, Group: job.Group, Topic: job.JobsTopic, Address: func(name string) string {
		x, _ := o.known.Get(name)
		return x.GetAddress()
	}}
	o.known, err = table.New(table.Config{Kafka: cfg.Kafka, Topic: instancesTopic, Logger: d.Logger}, func() *jobv1.Instance { return &jobv1.Instance{} })
	return o, err
}

// begin tells the others where this instance is reached, and hears it of them, until
// the function that it returns is called.
func (o *others) begin(ctx context.Context) func() {
	own, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() {
		if err := o.known.Run(own); err != nil {
			o.log.Error("the other instances cannot be known", "topic", instancesTopic, "error", err)
		}
	})
	running.Go(func() { o.announce(own) })
	return func() {
		stop()
		running.Wait()
		if o.router != nil {
			o.router.Close()
		}
		o.directory.Admin.Close()
	}
}

func (o *others) announce(ctx context.Context) {
	me := &jobv1.Instance{Name: o.name, Address: o.address, StartedAt: timestamppb.Now()}
	for {
		try, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := o.known.Put(try, o.name, me)
		cancel()
		if err == nil {
			return
		}
		o.log.Debug("tell the other instances of this one", "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// At says where the service's APIs are reached, unless the configuration does. It is
// called before Run.
func (s *Service) At(listen string) {
	if s.others != nil && s.cfg.Advertise == "" {
		s.others.address = reachable(listen, s.cfg.Kafka.Brokers[0])
	}
}

// routed is the server, with calls passed on to the instance that they are for.
func (s *Service) routed(g *grpc.Server) grpc.ServiceRegistrar {
	if s.others == nil {
		return g
	}
	s.others.router = peer.New(peer.Config{
		Self: s.d.Instance, Directory: s.others.directory, Slot: job.Slot, Holds: s.jobs.Holds, Dial: s.dial,
		Patience: s.cfg.SessionTimeout + 5*time.Second, Logger: s.d.Logger,
	}, g, api.Rules(s.jobs))
	return s.others.router
}

func (s *Service) dial(address string) (*grpc.ClientConn, error) {
	if s.d.Dial == nil {
		return nil, fmt.Errorf("instance at %s: this one cannot call others", address)
	}
	return s.d.Dial(address)
}

// reachable makes an address for others of one that is listened on: every address
// becomes that of the interface on the way to Kafka.
func reachable(listen, broker string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
		return listen
	}
	c, err := (&net.Dialer{}).DialContext(context.Background(), "udp", broker) // nothing is sent
	if err != nil {
		return ""
	}
	defer func() { _ = c.Close() }()
	own, _, err := net.SplitHostPort(c.LocalAddr().String())
	if err != nil {
		return ""
	}
	return net.JoinHostPort(own, port)
}
