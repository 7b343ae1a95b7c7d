package ingest_test

import (
	"errors"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	agentv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/agent/v1"
	ingestv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ingest/v1"
	"github.com/weirflow/weirflow/services/ingest"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
	"github.com/weirflow/weirflow/services/platform/process"
	"github.com/weirflow/weirflow/services/platform/telemetry"
)

// clocked is a service whose clock one may move.
func clocked(t *testing.T, k kafka.Config, ahead *atomic.Int64) *grpc.ClientConn {
	t.Helper()
	tel, err := telemetry.New(t.Context(), "ingest", telemetry.DefaultConfig(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	env, err := process.NewEnv("ingest", "test", tel)
	if err != nil {
		t.Fatal(err)
	}
	cfg := ingest.DefaultConfig()
	cfg.Kafka = k
	s, err := ingest.New(cfg, ingest.Deps{Logger: slog.New(slog.DiscardHandler), Meters: tel.Meters, Board: env.Board, Book: env.Book,
		Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, s, tel)
}

func report(t *testing.T, conn *grpc.ClientConn, agents ...*agentv1.Agent) {
	t.Helper()
	stream, err := ingestv1.NewIngestServiceClient(conn).Push(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range agents {
		if err := stream.Send(&ingestv1.PushRequest{Message: &ingestv1.PushRequest_Report{Report: a}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = stream.Recv()
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
}

// listed waits until agents are in a state.
func listed(t *testing.T, client agentv1.AgentServiceClient, want map[string]agentv1.AgentState) {
	t.Helper()
	var got []*agentv1.Agent
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		res, err := client.ListAgents(t.Context(), &agentv1.ListAgentsRequest{})
		if err != nil {
			continue
		}
		got = res.GetAgents()
		same := len(got) == len(want)
		for _, a := range got {
			same = same && want[a.GetId()] == a.GetState()
		}
		if same {
			return
		}
	}
	t.Fatalf("agents are %v, want %v", got, want)
}

func TestAgentsAreKnownByTheirReports(t *testing.T) {
	k := kafkatest.Start(t)
	var ahead atomic.Int64
	conn := clocked(t, k, &ahead)
	client := agentv1.NewAgentServiceClient(conn)
	file := &agentv1.File{Path: "/var/log/a.log", Id: "f", Size: 10, Offset: 4, LagBytes: 6}
	report(t, conn,
		&agentv1.Agent{Id: "1", Name: "one", IntervalMillis: 5000, Lines: 1},
		&agentv1.Agent{Id: "1", Name: "one", IntervalMillis: 5000, Lines: 2, Files: []*agentv1.File{file}, FileCount: 1, LagBytes: 6},
		&agentv1.Agent{Id: "2", Name: "two", IntervalMillis: 5000, Stopping: true},
		&agentv1.Agent{Name: "nobody"})
	listed(t, client, map[string]agentv1.AgentState{"1": agentv1.AgentState_AGENT_STATE_ONLINE, "2": agentv1.AgentState_AGENT_STATE_STOPPED})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		res, err := client.GetAgent(t.Context(), &agentv1.GetAgentRequest{Id: "1"})
		if err != nil {
			t.Fatal(err)
		}
		if a := res.GetAgent(); a.GetLines() == 2 && len(a.GetFiles()) == 1 && a.GetFiles()[0].GetLagBytes() == 6 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the agent is %v", res)
		}
	}
	if _, err := client.GetAgent(t.Context(), &agentv1.GetAgentRequest{Id: "3"}); status.Code(err) != codes.NotFound {
		t.Errorf("an agent that never reported: %v", err)
	}
	page, err := client.ListAgents(t.Context(), &agentv1.ListAgentsRequest{PageSize: 1})
	if err != nil || len(page.GetAgents()) != 1 || page.GetAgents()[0].GetName() != "one" || page.GetAgents()[0].GetFiles() != nil {
		t.Fatalf("the first page is %v, %v", page, err)
	}
	page, err = client.ListAgents(t.Context(), &agentv1.ListAgentsRequest{PageSize: 1, PageToken: page.GetNextPageToken()})
	if err != nil || len(page.GetAgents()) != 1 || page.GetAgents()[0].GetName() != "two" || page.GetNextPageToken() != "" {
		t.Errorf("the second page is %v, %v", page, err)
	}
	ahead.Store(int64(16 * time.Second))
	listed(t, client, map[string]agentv1.AgentState{"1": agentv1.AgentState_AGENT_STATE_SILENT, "2": agentv1.AgentState_AGENT_STATE_STOPPED})

	// Another instance on the same Kafka knows them as well.
	var no atomic.Int64
	other := agentv1.NewAgentServiceClient(clocked(t, k, &no))
	listed(t, other, map[string]agentv1.AgentState{"1": agentv1.AgentState_AGENT_STATE_ONLINE, "2": agentv1.AgentState_AGENT_STATE_STOPPED})
}
