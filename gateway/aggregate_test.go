package gateway

import (
	"context"
	"testing"

	"google.golang.org/grpc"

	agentv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/agent/v1"
	ledgerv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
)

// ingest knows of agents by what they reported, a page each.
type ingest struct {
	agentv1.UnimplementedAgentServiceServer
	ledgerv1.UnimplementedLedgerServiceServer
}

func (ingest) GetLedger(context.Context, *ledgerv1.GetLedgerRequest) (*ledgerv1.GetLedgerResponse, error) {
	return &ledgerv1.GetLedgerResponse{Stages: []*ledgerv1.Stage{{Service: "ingest", Name: "topic", Instance: "i", In: 5, Out: 5}}}, nil
}

func (ingest) ListAgents(_ context.Context, r *agentv1.ListAgentsRequest) (*agentv1.ListAgentsResponse, error) {
	agents := []*agentv1.Agent{
		{Id: "1", State: agentv1.AgentState_AGENT_STATE_ONLINE, Stages: []*ledgerv1.Stage{{Service: "agent", Name: "input", Instance: "here", In: 2, Out: 1, InFlight: 1}}},
		{Id: "2", State: agentv1.AgentState_AGENT_STATE_STOPPED, Stages: []*ledgerv1.Stage{{Service: "agent", Name: "input", Instance: "gone", In: 9, Out: 9}}},
		{Id: "3", State: agentv1.AgentState_AGENT_STATE_ONLINE, Stages: []*ledgerv1.Stage{{Service: "agent", Name: "input", Instance: "there", In: 3, Out: 3}}},
	}
	at := len(r.GetPageToken())
	res := &agentv1.ListAgentsResponse{Agents: agents[at : at+1]}
	if at+1 < len(agents) {
		res.NextPageToken = r.GetPageToken() + "x"
	}
	return res, nil
}

// agent is one that the gateway reaches.
type agent struct {
	ledgerv1.UnimplementedLedgerServiceServer
}

func (agent) GetLedger(context.Context, *ledgerv1.GetLedgerRequest) (*ledgerv1.GetLedgerResponse, error) {
	return &ledgerv1.GetLedgerResponse{Stages: []*ledgerv1.Stage{{Service: "agent", Name: "input", Instance: "here", In: 2, Out: 2}}}, nil
}

func TestLedgerHasAgentsThatNobodyReaches(t *testing.T) {
	backend := func(register func(g *grpc.Server)) grpc.ClientConnInterface {
		in, err := newInside()
		if err != nil {
			t.Fatal(err)
		}
		register(in.server)
		t.Cleanup(in.begin())
		return in.conn
	}
	s := ledgerServer{aggregate: aggregate{backends: map[string]grpc.ClientConnInterface{
		"ingest": backend(func(g *grpc.Server) {
			agentv1.RegisterAgentServiceServer(g, ingest{})
			ledgerv1.RegisterLedgerServiceServer(g, ingest{})
		}),
		"agent": backend(func(g *grpc.Server) { ledgerv1.RegisterLedgerServiceServer(g, agent{}) }),
	}}}
	res, err := s.GetLedger(t.Context(), &ledgerv1.GetLedgerRequest{})
	if err != nil || len(res.GetUnreachable()) > 0 {
		t.Fatalf("%v, %v", res, err)
	}
	got := map[string]uint64{}
	for _, stage := range res.GetStages() {
		got[stage.GetService()+"/"+stage.GetInstance()] += stage.GetOut()
	}
	want := map[string]uint64{"agent/here": 2, "agent/there": 3, "ingest/i": 5}
	if len(got) != len(want) || got["agent/here"] != 2 || got["agent/there"] != 3 || got["ingest/i"] != 5 {
		t.Errorf("the ledger has %v, want %v", got, want)
	}
	if first := res.GetStages()[0].GetService(); first != "agent" {
		t.Errorf("the first line is of %s", first)
	}
}
