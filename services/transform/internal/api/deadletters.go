package api

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	deadletterv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"

	"github.com/weirflow/weirflow/services/transform/internal/deadletter"
)

// DeadLetters answers DeadLetterService.
type DeadLetters struct {
	deadletterv1.UnimplementedDeadLetterServiceServer
	Keeper *deadletter.Keeper
	// Ready reports whether the jobs are known yet.
	Ready func() bool
}

func (s *DeadLetters) ready() error {
	if !s.Ready() {
		return status.Error(codes.Unavailable, "the jobs have not been read from Kafka yet")
	}
	return nil
}

// letterProblem turns an error into what clients understand.
func letterProblem(err error) error {
	switch {
	case errors.Is(err, deadletter.ErrNoLetter), errors.Is(err, deadletter.ErrNoJob):
		return status.Error(codes.NotFound, err.Error())
	case errors.Is(err, deadletter.ErrRequest):
		return status.Error(codes.InvalidArgument, err.Error())
	default:
		return problem(err)
	}
}

// ListDeadLetters returns letters, newest first.
func (s *DeadLetters) ListDeadLetters(ctx context.Context, req *deadletterv1.ListDeadLettersRequest) (*deadletterv1.ListDeadLettersResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	res, err := s.Keeper.List(ctx, req)
	return res, letterProblem(err)
}

// GetDeadLetter returns a letter with all that is kept of it.
func (s *DeadLetters) GetDeadLetter(ctx context.Context, req *deadletterv1.GetDeadLetterRequest) (*deadletterv1.GetDeadLetterResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	l, err := s.Keeper.Get(ctx, req.GetJob(), req.GetId())
	return &deadletterv1.GetDeadLetterResponse{Letter: l}, letterProblem(err)
}

// CountDeadLetters says how many letters of which kind there are.
func (s *DeadLetters) CountDeadLetters(ctx context.Context, req *deadletterv1.CountDeadLettersRequest) (*deadletterv1.CountDeadLettersResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	res, err := s.Keeper.Counts(ctx, req.GetJob())
	return res, letterProblem(err)
}

// ReplayDeadLetters gives letters to the job again.
func (s *DeadLetters) ReplayDeadLetters(ctx context.Context, req *deadletterv1.ReplayDeadLettersRequest) (*deadletterv1.ReplayDeadLettersResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	res, err := s.Keeper.Replay(ctx, req)
	return res, letterProblem(err)
}

// DiscardDeadLetters notes that letters need nothing more.
func (s *DeadLetters) DiscardDeadLetters(ctx context.Context, req *deadletterv1.DiscardDeadLettersRequest) (*deadletterv1.DiscardDeadLettersResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	res, err := s.Keeper.Discard(ctx, req)
	return res, letterProblem(err)
}
