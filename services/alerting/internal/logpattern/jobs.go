package logpattern

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	"github.com/weirflow/weirflow/services/platform/kafka"
)

var (
	// ErrPattern is wrapped by what is wrong with a policy.
	ErrPattern = errors.New("the log pattern is not right")
	// ErrNoJobs says that nobody carries jobs out.
	ErrNoJobs = errors.New("policies of log patterns need the service of jobs: set alerting.transform.address")
)

// Jobs has the service of jobs carry out policies.
type Jobs struct {
	client jobv1.JobServiceClient
	kafka  kafka.Config
}

// NewJobs returns one that calls the service behind a connection; nil is no service.
func NewJobs(conn grpc.ClientConnInterface, cluster kafka.Config) *Jobs {
	j := &Jobs{kafka: cluster}
	if conn != nil {
		j.client = jobv1.NewJobServiceClient(conn)
	}
	return j
}

// Check says what is wrong with a policy, and returns its statements, without secrets.
func (j *Jobs) Check(p *alertv1.Policy) (string, error) {
	s, err := New(p, j.kafka)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrPattern, err)
	}
	return s.SQL(false), nil
}

// Put has the job of a policy run; a policy that is disabled has one that does not.
func (j *Jobs) Put(ctx context.Context, p *alertv1.Policy) error {
	s, err := New(p, j.kafka)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPattern, err)
	}
	if j.client == nil {
		return ErrNoJobs
	}
	_, err = j.client.CreateJob(ctx, &jobv1.CreateJobRequest{Name: Job(p.GetName()), Sql: s.SQL(true), Start: !p.GetDisabled(), Replace: true})
	if status.Code(err) == codes.InvalidArgument {
		return fmt.Errorf("%w: %s", ErrPattern, status.Convert(err).Message())
	}
	if err != nil {
		return fmt.Errorf("make the job of the policy: %s", status.Convert(err).Message())
	}
	return nil
}

// Delete ends and forgets the job of a policy, if there is one.
func (j *Jobs) Delete(ctx context.Context, policy string) error {
	if j.client == nil {
		return ErrNoJobs
	}
	name := Job(policy)
	if _, err := j.client.StopJob(ctx, &jobv1.StopJobRequest{Name: name}); status.Code(err) == codes.NotFound {
		return nil
	}
	_, err := j.client.DeleteJob(ctx, &jobv1.DeleteJobRequest{Name: name})
	if err != nil && status.Code(err) != codes.NotFound {
		return fmt.Errorf("delete the job of the policy: %s", status.Convert(err).Message())
	}
	return nil
}
