// Package api answers the gRPC calls of JobService.
package api

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/transform/internal/checkpoint"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/job"
	"github.com/weirflow/weirflow/services/transform/internal/peer"
	"github.com/weirflow/weirflow/services/transform/internal/script"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
	"github.com/weirflow/weirflow/services/transform/internal/wasm"
)

const (
	defaultPage = 100
	maxPage     = 1000
)

// Jobs answers JobService.
type Jobs struct {
	jobv1.UnimplementedJobServiceServer
	Manager    *job.Manager
	Connectors connector.Registry
	// Functions are the modules that statements may load.
	Functions wasm.Library
	// Ready reports whether the jobs are known yet.
	Ready  func() bool
	Logger *slog.Logger
	// Previews has room for those that may run at once.
	Previews chan struct{}
}

// shown is a job as clients see it: without its secrets.
func shown(j *jobv1.Job) *jobv1.Job {
	if j == nil {
		return nil
	}
	c, _ := proto.Clone(j).(*jobv1.Job)
	c.Sql, c.Parameters = sql.Redact(j.GetSql()), sql.RedactSettings(j.GetParameters())
	return c
}

// problem turns an error into what clients understand.
func problem(err error) error {
	var e *sql.Error
	var o *connector.OptionError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, job.ErrElsewhere):
		return peer.ErrNotHere
	case errors.Is(err, job.ErrNotFound), errors.Is(err, checkpoint.ErrNoSavepoint):
		return status.Error(codes.NotFound, err.Error())
	case errors.Is(err, checkpoint.ErrNoState):
		return status.Error(codes.FailedPrecondition, err.Error())
	case errors.Is(err, job.ErrExists), errors.Is(err, checkpoint.ErrTaken):
		return status.Error(codes.AlreadyExists, err.Error())
	case errors.Is(err, job.ErrName), errors.As(err, &e), errors.As(err, &o):
		return status.Error(codes.InvalidArgument, err.Error())
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return status.FromContextError(err).Err()
	default:
		return status.Error(codes.Unavailable, err.Error())
	}
}

func (s *Jobs) ready() error {
	if !s.Ready() {
		return status.Error(codes.Unavailable, "the jobs have not been read from Kafka yet")
	}
	return nil
}

// CreateJob keeps a new job and starts it if asked.
func (s *Jobs) CreateJob(ctx context.Context, req *jobv1.CreateJobRequest) (*jobv1.CreateJobResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	j, err := s.Manager.Create(ctx, req)
	if err = problem(err); err != nil {
		st := status.Convert(err)
		return nil, status.Error(st.Code(), sql.NewHider(req.GetSql(), req.GetParameters()).Hide(st.Message()))
	}
	return &jobv1.CreateJobResponse{Job: shown(j)}, nil
}

// ValidateJob says what is wrong with a script.
func (s *Jobs) ValidateJob(ctx context.Context, req *jobv1.ValidateJobRequest) (*jobv1.ValidateJobResponse, error) {
	p, err := script.Compile(req.GetSql(), req.GetParameters(), s.Connectors, s.Functions)
	h := sql.NewHider(req.GetSql(), req.GetParameters())
	if err == nil {
		js, err := p.ExplainJSON()
		if err != nil {
			return nil, problem(err)
		}
		res := &jobv1.ValidateJobResponse{Valid: true, Plan: h.Hide(p.Explain()), PlanJson: h.Hide(js)}
		if req.GetJob() == "" {
			return res, nil
		}
		if err := s.ready(); err != nil {
			return nil, err
		}
		res.Effect, res.Changes, err = s.Manager.Compare(ctx, req.GetJob(), req.GetSavepoint(), p)
		return res, problem(err)
	}
	if e, ok := errors.AsType[*sql.Error](err); ok {
		return &jobv1.ValidateJobResponse{Problems: []*jobv1.Problem{{Line: int32(e.Line), Column: int32(e.Column), Message: h.Hide(e.Message), Hint: h.Hide(e.Hint)}}}, nil
	}
	return &jobv1.ValidateJobResponse{Problems: []*jobv1.Problem{{Message: h.Hide(err.Error())}}}, nil
}

// GetJob returns a job with its present status.
func (s *Jobs) GetJob(_ context.Context, req *jobv1.GetJobRequest) (*jobv1.GetJobResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	j, err := s.Manager.Get(req.GetName())
	return &jobv1.GetJobResponse{Job: shown(j)}, problem(err)
}

// ListJobs returns jobs by name.
func (s *Jobs) ListJobs(_ context.Context, req *jobv1.ListJobsRequest) (*jobv1.ListJobsResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	after, err := base64.RawURLEncoding.DecodeString(req.GetPageToken())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, "page_token is not one that ListJobs gave")
	}
	size := int(req.GetPageSize())
	if size <= 0 {
		size = defaultPage
	}
	size = min(size, maxPage)
	res := &jobv1.ListJobsResponse{}
	for _, j := range s.Manager.List() {
		if len(after) > 0 && j.GetName() <= string(after) {
			continue
		}
		if len(res.GetJobs()) == size {
			res.NextPageToken = base64.RawURLEncoding.EncodeToString([]byte(res.GetJobs()[size-1].GetName()))
			break
		}
		res.Jobs = append(res.Jobs, shown(j))
	}
	return res, nil
}

// StartJob runs a job.
func (s *Jobs) StartJob(ctx context.Context, req *jobv1.StartJobRequest) (*jobv1.StartJobResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	j, err := s.Manager.Start(ctx, req.GetName(), req.GetFromScratch(), req.GetSavepoint())
	return &jobv1.StartJobResponse{Job: shown(j)}, problem(err)
}

// StopJob stops a job cleanly, and keeps a savepoint if asked.
func (s *Jobs) StopJob(ctx context.Context, req *jobv1.StopJobRequest) (*jobv1.StopJobResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	j, err := s.Manager.Stop(ctx, req.GetName())
	res := &jobv1.StopJobResponse{Job: shown(j)}
	if err == nil && req.GetSavepoint() != "" {
		res.Savepoint, err = s.Manager.Savepoint(ctx, req.GetName(), req.GetSavepoint())
	}
	return res, problem(err)
}

// DeleteJob stops a job and forgets it.
func (s *Jobs) DeleteJob(ctx context.Context, req *jobv1.DeleteJobRequest) (*jobv1.DeleteJobResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	return &jobv1.DeleteJobResponse{}, problem(s.Manager.Delete(ctx, req.GetName()))
}
