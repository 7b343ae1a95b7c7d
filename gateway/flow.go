package gateway

import (
	"context"
	"maps"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/weirflow/weirflow/gateway/internal/flow"
	agentv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/agent/v1"
	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	flowv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/flow/v1"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	ledgerv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
	searchv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/search/v1"
	topicv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/topic/v1"
)

const (
	// heartbeat is how often a stream without news says that it is still there.
	heartbeat = 15 * time.Second
	// stalled is for how long a stream waits for a client that takes nothing.
	stalled = time.Minute
	// lookWithin bounds how long the picture of the flow waits for a service.
	lookWithin = 3 * time.Second
)

// inside is the gRPC port of the gateway's own streams, which only this process
// reaches: the REST handlers of streams need one.
type inside struct {
	server   *grpc.Server
	listener *bufconn.Listener
	conn     *grpc.ClientConn
}

func newInside() (*inside, error) {
	in := &inside{server: grpc.NewServer(), listener: bufconn.Listen(1 << 20)}
	var err error
	in.conn, err = grpc.NewClient("passthrough:///inside", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return in.listener.DialContext(ctx) }))
	return in, err
}

// begin serves until the function that it returns is called.
func (in *inside) begin() func() {
	var serving sync.WaitGroup
	serving.Go(func() { _ = in.server.Serve(in.listener) }) // it ends when it is stopped
	return func() {
		_ = in.conn.Close()
		in.server.Stop()
		serving.Wait()
	}
}

func (s *Service) addFlow() {
	flowv1.RegisterFlowServiceServer(s.inside.server, flow.New(s.look, time.Now))
}

// look asks all services at once for what the picture of the flow is made of.
func (s *Service) look(ctx context.Context) *flow.Look {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	l := &flow.Look{Unreachable: map[string]string{}}
	var mu sync.Mutex
	var asking sync.WaitGroup
	ask := func(service string, call func(c grpc.ClientConnInterface) error) {
		asking.Go(func() {
			if err := call(s.backend(service)); err != nil {
				mu.Lock()
				defer mu.Unlock()
				l.Unreachable[service] = status.Convert(err).Message()
			}
		})
	}
	if s.d.Backends["ingest"] != nil {
		ask("ingest", func(c grpc.ClientConnInterface) error {
			agents, err := agentv1.NewAgentServiceClient(c).ListAgents(ctx, &agentv1.ListAgentsRequest{PageSize: 500})
			l.Agents = agents.GetAgents()
			return err
		})
		ask("ingest", func(c grpc.ClientConnInterface) error {
			topics, err := topicv1.NewTopicServiceClient(c).ListTopics(ctx, &topicv1.ListTopicsRequest{PageSize: 500})
			l.Topics = topics.GetTopics()
			return err
		})
	}
	if s.d.Backends["transform"] != nil {
		ask("transform", func(c grpc.ClientConnInterface) error {
			jobs, err := jobv1.NewJobServiceClient(c).ListJobs(ctx, &jobv1.ListJobsRequest{PageSize: 500})
			l.Jobs = jobs.GetJobs()
			return err
		})
	}
	if s.d.Backends["alerting"] != nil {
		ask("alerting", func(c grpc.ClientConnInterface) error {
			alerts, err := alertv1.NewAlertServiceClient(c).ListAlerts(ctx, &alertv1.ListAlertsRequest{})
			l.Alerts = alerts.GetAlerts()
			return err
		})
	}
	asking.Go(func() {
		indices, err := s.search.ListIndices(ctx, &searchv1.ListIndicesRequest{})
		l.Indices = indices.GetIndices()
		if err != nil && s.cfg.Search.URL != "" {
			mu.Lock()
			defer mu.Unlock()
			l.Unreachable["search"] = status.Convert(err).Message()
		}
	})
	var book *ledgerv1.GetLedgerResponse
	asking.Go(func() {
		book, _ = ledgerServer{aggregate: aggregate{backends: s.d.Backends}}.GetLedger(ctx, &ledgerv1.GetLedgerRequest{}) // it names who is silent itself
	})
	asking.Wait()
	l.Stages = book.GetStages()
	maps.Copy(l.Unreachable, book.GetUnreachable())
	return l
}
