package policy

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/logpattern"
	"github.com/weirflow/weirflow/services/alerting/internal/query"
	"github.com/weirflow/weirflow/services/platform/kafka"
)

// Server answers PolicyService.
type Server struct {
	alertv1.UnimplementedPolicyServiceServer
	Book *Book
	Now  func() time.Time
}

func (s Server) ready() error {
	select {
	case <-s.Book.Ready():
		return nil
	default:
		return status.Error(codes.Unavailable, "the policies have not been read from Kafka yet")
	}
}

func problem(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNotFound), kafka.HasCode(err, kafka.CodeUnknownTopicOrPartition, kafka.CodeUnknownTopic):
		return status.Error(codes.NotFound, err.Error())
	case errors.Is(err, logpattern.ErrNoJobs), errors.Is(err, query.ErrNone):
		return status.Error(codes.FailedPrecondition, err.Error())
	case errors.Is(err, ErrPolicy), errors.Is(err, logpattern.ErrPattern), errors.Is(err, logpattern.ErrTooMuch):
		return status.Error(codes.InvalidArgument, err.Error())
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return status.FromContextError(err).Err()
	default:
		return status.Error(codes.Unavailable, err.Error())
	}
}

// PutPolicy keeps a policy.
func (s Server) PutPolicy(ctx context.Context, req *alertv1.PutPolicyRequest) (*alertv1.PutPolicyResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	p, expr, err := s.Book.Put(ctx, req.GetPolicy())
	if err != nil {
		return nil, problem(err)
	}
	return &alertv1.PutPolicyResponse{Policy: p, Expr: expr}, nil
}

// GetPolicy returns a policy.
func (s Server) GetPolicy(_ context.Context, req *alertv1.GetPolicyRequest) (*alertv1.GetPolicyResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	p, expr, err := s.Book.Get(req.GetName())
	if err != nil {
		return nil, problem(err)
	}
	return &alertv1.GetPolicyResponse{Policy: p, Expr: expr}, nil
}

// ListPolicies returns all policies.
func (s Server) ListPolicies(context.Context, *alertv1.ListPoliciesRequest) (*alertv1.ListPoliciesResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	return &alertv1.ListPoliciesResponse{Policies: s.Book.List()}, nil
}

// DeletePolicy forgets a policy.
func (s Server) DeletePolicy(ctx context.Context, req *alertv1.DeletePolicyRequest) (*alertv1.DeletePolicyResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	return &alertv1.DeletePolicyResponse{}, problem(s.Book.Delete(ctx, req.GetName()))
}

// TestPolicy says when a policy would have fired.
func (s Server) TestPolicy(ctx context.Context, req *alertv1.TestPolicyRequest) (*alertv1.TestPolicyResponse, error) {
	to := s.Now()
	if req.GetTo() != nil {
		to = req.GetTo().AsTime()
	}
	from := to.Add(-24 * time.Hour)
	if req.GetFrom() != nil {
		from = req.GetFrom().AsTime()
	}
	expr, all, more, err := s.Book.Past(ctx, req.GetPolicy(), from, to)
	if err != nil {
		return nil, problem(err)
	}
	return &alertv1.TestPolicyResponse{Expr: expr, Episodes: all, Truncated: more}, nil
}
