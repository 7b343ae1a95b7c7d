package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	statev1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/state/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/checkpoint"
)

// startsWithin is for how long a savepoint waits for a job that is about to start.
const startsWithin = 5 * time.Second

// SavepointPrefix begins the names of the topics of savepoints. They stay when the
// job is deleted.
const SavepointPrefix = "weirflow.savepoint."

// shelf opens the savepoints of a job; they must be there unless create is set.
func (m *Manager) shelf(ctx context.Context, job string, create bool) (*checkpoint.Store, error) {
	cfg := m.stateConfig(job, 0)
	cfg.Topic = SavepointPrefix + job
	if !create {
		if _, err := m.admin.Topic(ctx, cfg.Topic); err != nil {
			if kafka.HasCode(err, kafka.CodeUnknownTopicOrPartition, kafka.CodeUnknownTopic) {
				return nil, checkpoint.ErrNoSavepoint
			}
			return nil, err
		}
	}
	return checkpoint.Peek(ctx, cfg)
}

// Savepoint keeps a copy of a job's state under a name. A job that runs makes a
// checkpoint first.
func (m *Manager) Savepoint(ctx context.Context, job, name string) (*jobv1.Savepoint, error) {
	if !namePattern.MatchString(name) {
		return nil, fmt.Errorf("savepoint %q: %w", name, ErrName)
	}
	if err := m.owned(job); err != nil {
		return nil, err
	}
	j, ok := m.jobs.Get(job)
	if !ok {
		return nil, fmt.Errorf("job %q: %w", job, ErrNotFound)
	}
	shelf, err := m.shelf(ctx, job, true)
	if err != nil {
		return nil, err
	}
	defer shelf.Close()
	m.mu.Lock()
	r := m.runs[job]
	m.mu.Unlock()
	p := &statev1.Savepoint{Name: name, Sql: j.GetSql(), Parameters: j.GetParameters()}
	if r != nil {
		err = r.savepoint(ctx, shelf, p)
	} else {
		err = m.saveStopped(ctx, job, shelf, p)
	}
	if err != nil {
		return nil, fmt.Errorf("savepoint of job %q: %w", job, err)
	}
	return savepointProto(job, p), nil
}

// saveStopped copies what a job that does not run remembers.
func (m *Manager) saveStopped(ctx context.Context, job string, shelf *checkpoint.Store, p *statev1.Savepoint) error {
	from, err := checkpoint.Peek(ctx, m.stateConfig(job, 0))
	if err != nil {
		return err
	}
	defer from.Close()
	return shelf.Save(ctx, from, p)
}

// savepoint has the attempt under way write a checkpoint and copies that.
func (r *run) savepoint(ctx context.Context, shelf *checkpoint.Store, p *statev1.Savepoint) error {
	a, err := r.underWay(ctx)
	if err != nil {
		return err
	}
	defer a.using.Done()
	if err := a.checkpoint(ctx); err != nil {
		return err
	}
	return shelf.Save(ctx, a.state.store, p)
}

// underWay is the attempt of a run, for which it waits a moment: a job that was replaced
// is about to start. It does not close its state until using.Done is called.
func (r *run) underWay(ctx context.Context) (*attempt, error) {
	late := time.NewTimer(startsWithin)
	defer late.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		r.mu.Lock()
		a := r.attempt
		if a != nil {
			a.using.Add(1)
		}
		r.mu.Unlock()
		if a != nil {
			return a, nil
		}
		select {
		case <-look.C:
		case <-late.C:
			return nil, errors.New("the job has not started yet, or failed and is about to be tried again; see its status")
		case <-r.done:
			return nil, errors.New("the job has stopped")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// checkpoint writes one out of turn, if there is anything new.
func (a *attempt) checkpoint(ctx context.Context) error {
	answer := make(chan error, 1)
	for _, wait := range []func() (bool, error){
		func() (bool, error) {
			select {
			case a.demand <- answer:
				return true, nil
			case <-a.ended:
				return false, errors.New("the job has stopped")
			case <-ctx.Done():
				return false, ctx.Err()
			}
		},
		func() (bool, error) {
			select {
			case err := <-answer:
				return true, err
			case <-a.ended:
				return false, errors.New("the job has stopped")
			case <-ctx.Done():
				return false, ctx.Err()
			}
		},
	} {
		if ok, err := wait(); !ok || err != nil {
			return err
		}
	}
	return nil
}

// Savepoints lists the savepoints of a job, which need not be there any more.
func (m *Manager) Savepoints(ctx context.Context, job string) ([]*jobv1.Savepoint, error) {
	shelf, err := m.shelf(ctx, job, false)
	if errors.Is(err, checkpoint.ErrNoSavepoint) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer shelf.Close()
	var all []*jobv1.Savepoint
	for _, p := range shelf.Savepoints() {
		all = append(all, savepointProto(job, p))
	}
	return all, nil
}

// DeleteSavepoint removes a savepoint of a job.
func (m *Manager) DeleteSavepoint(ctx context.Context, job, name string) error {
	shelf, err := m.shelf(ctx, job, false)
	if err != nil {
		return err
	}
	defer shelf.Close()
	return shelf.Remove(ctx, name)
}

// adopt makes a savepoint what a stopped job goes on from.
func (m *Manager) adopt(ctx context.Context, job, name string) error {
	shelf, err := m.shelf(ctx, job, false)
	if err != nil {
		return fmt.Errorf("savepoint %q of job %q: %w", name, job, err)
	}
	defer shelf.Close()
	p, err := shelf.Savepoint(name)
	if err != nil {
		return err
	}
	own, err := checkpoint.Open(ctx, m.stateConfig(job, 0))
	if err != nil {
		return err
	}
	defer own.Close()
	return own.Adopt(ctx, shelf, p)
}

func savepointProto(job string, p *statev1.Savepoint) *jobv1.Savepoint {
	total, _ := sizes(p.GetCheckpoint())
	return &jobv1.Savepoint{Name: p.GetName(), Job: job, At: p.GetAt(), Bytes: total, Checkpoint: p.GetCheckpoint().GetId()}
}
