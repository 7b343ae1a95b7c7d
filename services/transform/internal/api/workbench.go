package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/transform/internal/outline"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
	"github.com/weirflow/weirflow/services/transform/internal/sqltest"
)

// The limits of what people write and try.
const (
	maxText  = 1 << 20 // bytes of statements or tests
	maxTests = 200
	// testTime is after which no further test of a request begins.
	testTime = 20 * time.Second
)

// ListJobVersions returns how a job's statements were.
func (s *Jobs) ListJobVersions(_ context.Context, req *jobv1.ListJobVersionsRequest) (*jobv1.ListJobVersionsResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	versions, err := s.Manager.Versions(req.GetJob())
	if err != nil {
		return nil, problem(err)
	}
	res := &jobv1.ListJobVersionsResponse{}
	for _, v := range versions {
		res.Versions = append(res.Versions, &jobv1.JobVersion{Job: v.GetJob(), Version: v.GetVersion(), At: v.GetAt(),
			Sql: sql.Redact(v.GetSql()), Parameters: sql.RedactSettings(v.GetParameters())})
	}
	return res, nil
}

// GetCatalog returns what names statements may use.
func (s *Jobs) GetCatalog(_ context.Context, req *jobv1.GetCatalogRequest) (*jobv1.GetCatalogResponse, error) {
	if err := bounded("sql", req.GetSql()); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return outline.Of(req.GetSql(), req.GetParameters(), s.Connectors), nil
}

// TestJob runs unit tests of statements.
func (s *Jobs) TestJob(ctx context.Context, req *jobv1.TestJobRequest) (*jobv1.TestJobResponse, error) {
	if err := errors.Join(bounded("sql", req.GetSql()), bounded("tests", req.GetTests())); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	f, err := sqltest.Parse(req.GetTests(), req.GetSql(), req.GetParameters(), s.Functions)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if len(f.Tests) > maxTests {
		return nil, status.Errorf(codes.InvalidArgument, "%d tests are too many for one request: at most %d", len(f.Tests), maxTests)
	}
	select {
	case s.Previews <- struct{}{}:
		defer func() { <-s.Previews }()
	default:
		return nil, status.Errorf(codes.ResourceExhausted, "%d previews and tests are running already; try again when one has ended", cap(s.Previews))
	}
	h := sql.NewHider(req.GetSql(), req.GetParameters())
	res := &jobv1.TestJobResponse{}
	for began := time.Now(); len(res.GetResults()) < len(f.Tests); {
		if ctx.Err() != nil {
			return nil, status.FromContextError(ctx.Err()).Err()
		}
		if time.Since(began) > testTime {
			return nil, status.Errorf(codes.DeadlineExceeded, "%d of %d tests ran in %s; run fewer at once", len(res.GetResults()), len(f.Tests), testTime)
		}
		c := f.Tests[len(res.GetResults())]
		r := f.Run(c)
		res.Results = append(res.Results, &jobv1.TestResult{Name: c.Name, Passed: r.Passed(), Difference: h.Hide(r.Text()), DurationMillis: r.Took.Milliseconds()})
	}
	return res, nil
}

func bounded(what, text string) error {
	if len(text) > maxText {
		return fmt.Errorf("%s has %d bytes: at most %d", what, len(text), maxText)
	}
	return nil
}
