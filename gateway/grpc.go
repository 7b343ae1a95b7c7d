package gateway

import (
	"fmt"

	"google.golang.org/grpc"

	"github.com/weirflow/weirflow/gateway/internal/access"
	"github.com/weirflow/weirflow/gateway/internal/audit"
	"github.com/weirflow/weirflow/gateway/internal/front"
	dashboardv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/dashboard/v1"
	ledgerv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
	searchv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/search/v1"
	statusv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/status/v1"
)

// GRPC is the port on which the gateway speaks gRPC for all services.
type GRPC struct {
	// Listen is host:port; empty: there is no such port.
	Listen string `yaml:"listen" help:"address of the gRPC API of all services; empty: none"`
}

// addFront takes the gRPC port, if there is to be one.
func (s *Service) addFront() error {
	if s.cfg.GRPC.Listen == "" {
		return nil
	}
	tls, err := s.cfg.TLS.Server()
	if err != nil {
		return err
	}
	s.front, err = front.New(s.cfg.GRPC.Listen, front.Deps{
		Guard: s.access, Backend: s.answers, TLS: tls, Meters: s.d.Meters, Tracers: s.d.Tracers, Propagator: s.d.Propagator,
	})
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	all := aggregate{backends: s.d.Backends}
	ledgerv1.RegisterLedgerServiceServer(s.front, ledgerServer{aggregate: all})
	statusv1.RegisterStatusServiceServer(s.front, s.status(all))
	searchv1.RegisterSearchServiceServer(s.front, s.search)
	dashboardv1.RegisterDashboardServiceServer(s.front, s.dashboards)
	s.access.Register(s.front, audit.NewServer(s.audit))
	return nil
}

// GRPCAddr is where the gateway speaks gRPC; empty: nowhere.
func (s *Service) GRPCAddr() string {
	if s.front == nil {
		return ""
	}
	return s.front.Addr()
}

// answers is where the calls of a service go; nil for those that are not passed on.
func (s *Service) answers(service string) grpc.ClientConnInterface {
	switch service {
	case "weirflow.agent.v1.AgentService", "weirflow.ingest.v1.IngestService", "weirflow.topic.v1.TopicService", "weirflow.topic.v1.MessageService":
		return s.backend("ingest")
	case "weirflow.job.v1.JobService", "weirflow.deadletter.v1.DeadLetterService":
		return s.backend("transform")
	case "weirflow.alert.v1.AlertService", "weirflow.alert.v1.PolicyService", "weirflow.alert.v1.OnCallService", "weirflow.alert.v1.TemplateService",
		"weirflow.alert.v1.SilenceService", "weirflow.metric.v1.MetricService":
		return access.Signed(s.backend("alerting"))
	case "weirflow.flow.v1.FlowService":
		return s.inside.conn
	}
	return nil
}
