package api

import (
	"context"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
)

// CreateSavepoint keeps a copy of a job's state.
func (s *Jobs) CreateSavepoint(ctx context.Context, req *jobv1.CreateSavepointRequest) (*jobv1.CreateSavepointResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	p, err := s.Manager.Savepoint(ctx, req.GetJob(), req.GetName())
	return &jobv1.CreateSavepointResponse{Savepoint: p}, problem(err)
}

// ListSavepoints returns the savepoints of a job, oldest first.
func (s *Jobs) ListSavepoints(ctx context.Context, req *jobv1.ListSavepointsRequest) (*jobv1.ListSavepointsResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	all, err := s.Manager.Savepoints(ctx, req.GetJob())
	return &jobv1.ListSavepointsResponse{Savepoints: all}, problem(err)
}

// DeleteSavepoint removes a savepoint.
func (s *Jobs) DeleteSavepoint(ctx context.Context, req *jobv1.DeleteSavepointRequest) (*jobv1.DeleteSavepointResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	return &jobv1.DeleteSavepointResponse{}, problem(s.Manager.DeleteSavepoint(ctx, req.GetJob(), req.GetName()))
}
