package transform

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/api"
	"github.com/weirflow/weirflow/services/transform/internal/job"
	"github.com/weirflow/weirflow/services/transform/internal/peer"
)

// others is how this instance and the others know and reach one another.
type others struct {
	directory *peer.Directory
	router    *peer.Router
	address   string // where others reach this one; empty: nowhere
}

func newOthers(cfg Config, d Deps) (*others, error) {
	a, err := kafka.NewAdmin(cfg.Kafka, d.Logger)
	if err != nil {
		return nil, err
	}
	return &others{address: cfg.Advertise, directory: &peer.Directory{Admin: a, Group: job.Group, Topic: job.JobsTopic}}, nil
}

func (o *others) close() {
	if o.router != nil {
		o.router.Close()
	}
	o.directory.Admin.Close()
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
