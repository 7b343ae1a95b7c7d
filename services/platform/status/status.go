// Package status keeps what must work for a service to be ready, and why it is
// not when it is not.
package status

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	statusv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/status/v1"
	"github.com/weirflow/weirflow/services/platform/version"
)

// Board is the readiness of one service. Its methods may be called from several goroutines.
type Board struct {
	service, instance string
	started           time.Time

	mu    sync.Mutex
	parts map[string]string // reason why not ready; "" when ready
	admin string
}

// New makes the board of a service; without parts it is ready.
func New(service, instance string) *Board {
	return &Board{service: service, instance: instance, started: time.Now(), parts: map[string]string{}}
}

// Ready says that a part works.
func (b *Board) Ready(part string) { b.set(part, "") }

// NotReady says that a part does not work, and why.
func (b *Board) NotReady(part, reason string) {
	if reason == "" {
		reason = "not ready"
	}
	b.set(part, reason)
}

// ServedAt notes the address of the admin port.
func (b *Board) ServedAt(admin string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.admin = admin
}

func (b *Board) set(part, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.parts[part] = reason
}

// Proto renders the board as the API shows it.
func (b *Board) Proto() *statusv1.ServiceStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &statusv1.ServiceStatus{
		Service: b.service, Instance: b.instance, Version: version.String(), Ready: true,
		StartedAt: timestamppb.New(b.started), AdminAddress: b.admin,
	}
	for name, reason := range b.parts {
		s.Parts = append(s.Parts, &statusv1.Part{Name: name, Ready: reason == "", Reason: reason})
		s.Ready = s.Ready && reason == ""
	}
	slices.SortFunc(s.Parts, func(a, b *statusv1.Part) int { return strings.Compare(a.GetName(), b.GetName()) })
	return s
}

// Server answers StatusService for a board.
type Server struct {
	statusv1.UnimplementedStatusServiceServer
	Board *Board
}

// GetStatus returns the board.
func (s Server) GetStatus(context.Context, *statusv1.GetStatusRequest) (*statusv1.GetStatusResponse, error) {
	return &statusv1.GetStatusResponse{Services: []*statusv1.ServiceStatus{s.Board.Proto()}}, nil
}
