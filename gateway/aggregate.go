package gateway

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	agentv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/agent/v1"
	ledgerv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
	statusv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/status/v1"
)

// askWithin bounds what one service may take to answer a question put to all.
const askWithin = 3 * time.Second

// aggregate puts a question to all services.
type aggregate struct {
	backends map[string]grpc.ClientConnInterface
}

// each calls ask for every service at once and returns the reasons of those
// that did not answer.
func (a aggregate) each(ctx context.Context, ask func(ctx context.Context, c grpc.ClientConnInterface) error) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	failed := map[string]string{}
	for name, c := range a.backends {
		wg.Go(func() {
			if err := ask(ctx, c); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed[name] = status.Convert(err).Message()
			}
		})
	}
	wg.Wait()
	return failed
}

// ledgerServer answers for the ledgers of all services.
type ledgerServer struct {
	ledgerv1.UnimplementedLedgerServiceServer
	aggregate
}

// GetLedger gathers the stages in the order of the way that events take. Agents run
// where nobody can ask them: their stages are those that they last reported.
func (s ledgerServer) GetLedger(ctx context.Context, req *ledgerv1.GetLedgerRequest) (*ledgerv1.GetLedgerResponse, error) {
	var mu sync.Mutex
	out := &ledgerv1.GetLedgerResponse{}
	out.Unreachable = s.each(ctx, func(ctx context.Context, c grpc.ClientConnInterface) error {
		res, err := ledgerv1.NewLedgerServiceClient(c).GetLedger(ctx, req)
		mu.Lock()
		defer mu.Unlock()
		out.Stages = append(out.Stages, res.GetStages()...)
		return err
	})
	out.Stages = append(out.Stages, s.reported(ctx, out.Stages)...)
	slices.SortFunc(out.Stages, func(a, b *ledgerv1.Stage) int {
		if x, y := place(a.GetService()), place(b.GetService()); x != y {
			return x - y
		}
		return strings.Compare(a.GetName(), b.GetName())
	})
	return out, nil
}

// reported returns the stages of agents that are online and have not answered themselves.
func (s ledgerServer) reported(ctx context.Context, answered []*ledgerv1.Stage) []*ledgerv1.Stage {
	ingest := s.backends["ingest"]
	if ingest == nil {
		return nil
	}
	type process struct{ service, instance string }
	known := make(map[process]bool)
	for _, stage := range answered {
		known[process{stage.GetService(), stage.GetInstance()}] = true
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	var all []*ledgerv1.Stage
	for page := ""; ; {
		res, err := agentv1.NewAgentServiceClient(ingest).ListAgents(ctx, &agentv1.ListAgentsRequest{PageSize: 500, PageToken: page})
		for _, a := range res.GetAgents() {
			for _, stage := range a.GetStages() {
				if a.GetState() == agentv1.AgentState_AGENT_STATE_ONLINE && !known[process{stage.GetService(), stage.GetInstance()}] {
					all = append(all, stage)
				}
			}
		}
		if page = res.GetNextPageToken(); err != nil || page == "" {
			return all // that ingest does not answer is told with its own stages
		}
	}
}

// statusServer answers for the readiness of all services.
type statusServer struct {
	statusv1.UnimplementedStatusServiceServer
	aggregate
	connections *statusv1.Connections
}

func (s *Service) status(all aggregate) statusServer {
	return statusServer{aggregate: all, connections: &statusv1.Connections{
		Brokers: s.cfg.Kafka.Brokers, SearchUrl: s.cfg.Search.URL, Ingest: cmp.Or(s.d.Ingest, s.cfg.Ingest.Address),
	}}
}

// GetStatus gathers the services; one that does not answer is not ready.
func (s statusServer) GetStatus(ctx context.Context, req *statusv1.GetStatusRequest) (*statusv1.GetStatusResponse, error) {
	var mu sync.Mutex
	out := &statusv1.GetStatusResponse{Connections: s.connections}
	failed := s.each(ctx, func(ctx context.Context, c grpc.ClientConnInterface) error {
		res, err := statusv1.NewStatusServiceClient(c).GetStatus(ctx, req)
		mu.Lock()
		defer mu.Unlock()
		out.Services = append(out.Services, res.GetServices()...)
		return err
	})
	for name, reason := range failed {
		out.Services = append(out.Services, &statusv1.ServiceStatus{
			Service: name, Parts: []*statusv1.Part{{Name: "gRPC", Reason: reason}},
		})
	}
	slices.SortFunc(out.Services, func(a, b *statusv1.ServiceStatus) int { return place(a.GetService()) - place(b.GetService()) })
	return out, nil
}

// place is where on the way of events a service stands.
func place(service string) int {
	way := []string{"agent", "ingest", "transform", "indexer", "alerting", "gateway"}
	if i := slices.Index(way, service); i >= 0 {
		return i
	}
	return len(way)
}
