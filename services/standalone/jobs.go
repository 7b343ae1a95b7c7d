package standalone

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	ledgerv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
	statusv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/status/v1"
	"github.com/weirflow/weirflow/services/platform/ledger"
	"github.com/weirflow/weirflow/services/platform/lifecycle"
	"github.com/weirflow/weirflow/services/platform/process"
	platform "github.com/weirflow/weirflow/services/platform/status"
	"github.com/weirflow/weirflow/services/standalone/demo"
)

// job is what a file of statements becomes.
type job struct{ name, sql string }

// addJobs brings the jobs of this run to transform, through its API.
func (a *assembly) addJobs() error {
	var jobs []job
	for _, f := range a.in.SQL {
		b, err := os.ReadFile(f)
		if err != nil {
			return fmt.Errorf("read statements: %w", err)
		}
		jobs = append(jobs, job{strings.TrimSuffix(filepath.Base(f), filepath.Ext(f)), string(b)})
	}
	if a.demonstrates() {
		sql, err := demo.SQL(demo.Places{
			Brokers: strings.Join(a.places.kafka.Brokers, ","), SearchURL: a.places.searchURL,
			Username: a.places.searchUser, Password: a.places.searchPassword.Reveal(),
		})
		if err != nil {
			return err
		}
		jobs = append(jobs, job{demo.Job, sql})
	}
	if len(jobs) == 0 {
		return nil
	}
	client := jobv1.NewJobServiceClient(a.backends["transform"])
	submitted := make(chan struct{})
	a.group.Add(lifecycle.Part{Name: "jobs", Ready: submitted, Runner: lifecycle.Func(func(ctx context.Context) error {
		for _, j := range jobs {
			if err := submit(ctx, client, j); err != nil && ctx.Err() == nil {
				return err
			}
		}
		close(submitted)
		<-ctx.Done()
		return nil
	})})
	return nil
}

// submit makes a job run: one that is there with the same statements goes on
// where it was, one with others is replaced. A transform that is not ready yet is asked again.
func submit(ctx context.Context, c jobv1.JobServiceClient, j job) error {
	for {
		_, err := c.CreateJob(ctx, &jobv1.CreateJobRequest{Name: j.name, Sql: j.sql, Start: true})
		if status.Code(err) == codes.AlreadyExists {
			_, err = c.CreateJob(ctx, &jobv1.CreateJobRequest{Name: j.name, Sql: j.sql, Start: true, Replace: true})
		}
		switch status.Code(err) {
		case codes.OK:
			return nil
		case codes.Unavailable, codes.DeadlineExceeded:
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(100 * time.Millisecond):
			}
		default:
			return fmt.Errorf("job %s: %s", j.name, status.Convert(err).Message())
		}
	}
}

// registerStatus answers for a service that has no API of its own.
func registerStatus(e process.Env) func(*grpc.Server) {
	return func(g *grpc.Server) {
		ledgerv1.RegisterLedgerServiceServer(g, ledger.Server{Book: e.Book})
		statusv1.RegisterStatusServiceServer(g, platform.Server{Board: e.Board})
	}
}
