package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	"github.com/weirflow/weirflow/services/platform/kafka"
)

const (
	transformRPC   = "127.0.0.1:27071"
	transformAdmin = "127.0.0.1:27081"
)

// transform is a process that runs jobs.
type transform struct {
	*proc
	conn    *grpc.ClientConn
	jobs    jobv1.JobServiceClient
	profile string
}

// transform starts a process and waits until it has read its jobs.
func (b *bench) transform() (*transform, error) {
	admin := ""
	if b.profile != "" {
		admin = transformAdmin
	}
	p, err := b.start("weirflow-transform", "--rpc.listen", transformRPC, "--admin.listen", admin, "--kafka.brokers", b.brokers)
	if err != nil {
		return nil, err
	}
	t := &transform{proc: p, profile: b.profile}
	if err := errors.Join(waitFor(transformRPC), t.ready()); err != nil {
		t.stop()
		return nil, err
	}
	return t, nil
}

func (t *transform) ready() error {
	var err error
	if t.conn, err = grpc.NewClient(transformRPC, grpc.WithTransportCredentials(insecure.NewCredentials())); err != nil {
		return err
	}
	t.jobs = jobv1.NewJobServiceClient(t.conn)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		_, err := t.jobs.ListJobs(ctx, &jobv1.ListJobsRequest{}, grpc.WaitForReady(true))
		if err == nil || status.Code(err) != codes.Unavailable {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// run runs a script as a job until it has finished; watch sees its status now and
// then, unless it is nil.
func (t *transform) run(name, script string, watch func(*jobv1.JobStatus)) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	if _, err := t.jobs.CreateJob(ctx, &jobv1.CreateJobRequest{Name: name, Sql: script, Start: true}); err != nil {
		return err
	}
	if t.profile != "" {
		go t.sample(name)
	}
	for {
		time.Sleep(20 * time.Millisecond)
		j, err := t.jobs.GetJob(ctx, &jobv1.GetJobRequest{Name: name})
		if err != nil {
			return err
		}
		s := j.GetJob().GetStatus()
		if watch != nil {
			watch(s)
		}
		switch s.GetState() {
		case jobv1.JobState_JOB_STATE_FINISHED:
			return nil
		case jobv1.JobState_JOB_STATE_FAILED, jobv1.JobState_JOB_STATE_RESTARTING:
			return fmt.Errorf("job %s: %s", name, s.GetError())
		}
	}
}

func (t *transform) delete(name string) error {
	_, err := t.jobs.DeleteJob(context.Background(), &jobv1.DeleteJobRequest{Name: name})
	return errors.Join(err, t.conn.Close())
}

// sample keeps a CPU profile and one of the memory.
func (t *transform) sample(name string) {
	for what, path := range map[string]string{"cpu": "profile?seconds=2", "heap": "heap"} {
		if err := t.fetch(path, filepath.Join(t.profile, name+"."+what)); err != nil {
			slog.Warn("no profile", "error", err) //nolint:sloglint // a command's own progress
		}
	}
}

func (t *transform) fetch(path, to string) error {
	res, err := http.Get("http://" + transformAdmin + "/debug/pprof/" + path)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}

// ensure makes a topic for an answer; none if it has no name.
func (b *bench) ensure(topic string) error {
	if topic == "" {
		return nil
	}
	a, err := kafka.NewAdmin(kafka.Config{Brokers: []string{b.brokers}}, slog.Default())
	if err != nil {
		return err
	}
	defer a.Close()
	return a.EnsureTopic(context.Background(), topic, 1, nil)
}

// pauses are the checkpoints of a job that were seen.
type pauses struct {
	n       int64
	longest time.Duration
	bytes   int64
}

func (p *pauses) see(s *jobv1.JobStatus) {
	c := s.GetCheckpoint()
	p.n = max(p.n, c.GetId())
	p.longest = max(p.longest, time.Duration(c.GetPauseMicros())*time.Microsecond)
	p.bytes = max(p.bytes, c.GetTotalBytes())
}
