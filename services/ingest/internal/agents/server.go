package agents

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	agentv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/agent/v1"
)

const (
	defaultPage = 100
	maxPage     = 500
)

// Server answers AgentService.
type Server struct {
	agentv1.UnimplementedAgentServiceServer
	Keeper *Keeper
}

func (s Server) ready() error {
	select {
	case <-s.Keeper.table.Ready():
		return nil
	default:
		return status.Error(codes.Unavailable, "the agents have not been read from Kafka yet")
	}
}

// ListAgents returns agents by name, without their files.
func (s Server) ListAgents(_ context.Context, req *agentv1.ListAgentsRequest) (*agentv1.ListAgentsResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	after, err := base64.RawURLEncoding.DecodeString(req.GetPageToken())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, "page_token is not one that ListAgents gave")
	}
	size := int(req.GetPageSize())
	if size <= 0 {
		size = defaultPage
	}
	size = min(size, maxPage)
	var all []*agentv1.Agent
	for _, a := range s.Keeper.table.All() {
		if place(a) > string(after) {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b *agentv1.Agent) int { return cmp.Compare(place(a), place(b)) })
	res := &agentv1.ListAgentsResponse{}
	if len(all) > size {
		all = all[:size]
		res.NextPageToken = base64.RawURLEncoding.EncodeToString([]byte(place(all[size-1])))
	}
	for _, a := range all {
		res.Agents = append(res.Agents, s.Keeper.shown(a, false))
	}
	return res, nil
}

// place is where an agent stands in the list.
func place(a *agentv1.Agent) string { return strings.ToLower(a.GetName()) + "\x00" + a.GetId() }

// GetAgent returns one agent with its files.
func (s Server) GetAgent(_ context.Context, req *agentv1.GetAgentRequest) (*agentv1.GetAgentResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	a, ok := s.Keeper.table.Get(req.GetId())
	if !ok {
		return nil, status.Errorf(codes.NotFound, "no agent %q has reported", req.GetId())
	}
	return &agentv1.GetAgentResponse{Agent: s.Keeper.shown(a, true)}, nil
}
