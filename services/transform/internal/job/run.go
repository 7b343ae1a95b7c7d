package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"
	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/platform/fault"

	"github.com/weirflow/weirflow/services/transform/internal/checkpoint"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
)

// steady is how long an attempt must have lasted for the pauses to begin anew.
const steady = time.Minute

// afterPause is how long a job waits after the process itself was stopped.
const afterPause = 3 * time.Second

// errPaused ends attempts after the process was stopped for so long that others may
// have taken its jobs over.
var errPaused = errors.New("this instance stood still for too long; another may have taken its jobs")

// run keeps a job running: attempt after attempt until it is stopped, its
// inputs end, or it fails for good.
type run struct {
	m      *Manager
	job    *jobv1.Job
	name   string
	log    *slog.Logger
	ctx    context.Context //nolint:containedctx // the run's own life
	cancel context.CancelFunc
	done   chan struct{}
	hider  *sql.Hider
	gone   chan struct{} // closed when the job is another instance's

	mu       sync.Mutex
	status   *jobv1.JobStatus
	attempt  *attempt // the one under way
	sinkFail error
	abort    context.CancelCauseFunc // of the attempt under way
	reported func(lost bool)         // ends what is told of the run; only the loop has it
}

func newRun(m *Manager, j *jobv1.Job) *run {
	ctx, cancel := context.WithCancel(m.ctx)
	return &run{m: m, job: j, name: j.GetName(), log: m.d.Logger.With("job", j.GetName()), ctx: ctx, cancel: cancel, done: make(chan struct{}), gone: make(chan struct{}),
		hider:  sql.NewHider(j.GetSql(), j.GetParameters()),
		status: &jobv1.JobStatus{State: jobv1.JobState_JOB_STATE_INITIALIZING, StartedAt: m.now(), ChangedAt: m.now(), Instance: m.cfg.Instance}}
}

// abandon ends the run at once, without finishing or writing anything.
func (r *run) abandon() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.lost() {
		close(r.gone)
	}
	r.cancel()
}

// lost reports whether the run was abandoned.
func (r *run) lost() bool {
	select {
	case <-r.gone:
		return true
	default:
		return false
	}
}

// over reports whether the run has come to its end by itself, though its record may
// not say so yet.
func (r *run) over() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status.GetState() == jobv1.JobState_JOB_STATE_FAILED || r.status.GetState() == jobv1.JobState_JOB_STATE_FINISHED
}

func (r *run) loop() {
	defer close(r.done)
	defer r.m.ended(r)
	defer r.endReport()
	defer r.cancel()
	pause := r.m.cfg.RestartMin
	for {
		began := time.Now()
		r.set(jobv1.JobState_JOB_STATE_INITIALIZING, nil)
		err := r.try()
		switch {
		case r.lost():
			r.log.Warn("job is left to another instance")
			return
		case err == nil && r.ctx.Err() != nil:
			return
		case err == nil:
			r.finish(jobv1.JobState_JOB_STATE_FINISHED, nil)
			return
		case errors.Is(err, checkpoint.ErrFenced) && !r.m.mine(r.name):
			r.log.Warn("job is left to another instance, which has taken it over")
			return
		case r.ctx.Err() != nil && errors.Is(err, context.Canceled):
			return // it was stopped before it ran; there is nothing to finish
		case final(err):
			r.log.Error("job failed", "error", r.hider.Hide(err.Error()))
			r.finish(jobv1.JobState_JOB_STATE_FAILED, err)
			return
		case r.ctx.Err() != nil:
			r.log.Warn("job did not stop cleanly; it goes on from its last checkpoint", "error", r.hider.Hide(err.Error()))
			return
		}
		if time.Since(began) > steady {
			pause = r.m.cfg.RestartMin
		}
		if errors.Is(err, errPaused) {
			pause = max(pause, afterPause) // by then the group has told whose the job is
		}
		r.log.Warn("job failed and is tried again", "error", r.hider.Hide(err.Error()), "pause", pause)
		r.mu.Lock()
		r.status.Restarts++
		r.mu.Unlock()
		r.set(jobv1.JobState_JOB_STATE_RESTARTING, err)
		select {
		case <-r.ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, r.m.cfg.RestartMax)
	}
}

// final tells errors that come again however often one tries: those of the data
// and of the statements.
func final(err error) bool {
	var row *exec.RowError
	var value *eval.Error
	var unsupported *eval.Unsupported
	return fault.IsPermanent(err) || errors.As(err, &row) || errors.As(err, &value) || errors.As(err, &unsupported)
}

// try makes one attempt.
func (r *run) try() error {
	ctx, abort := context.WithCancelCause(r.ctx)
	defer abort(nil)
	r.mu.Lock()
	r.abort, r.sinkFail = abort, nil
	r.mu.Unlock()
	for _, s := range r.m.statuses.All() {
		if s.GetJob() == r.name && s.GetState() == indexv1.SinkState_SINK_STATE_FAILED {
			r.sinkFailed(s)
		}
	}
	a, err := newAttempt(ctx, r)
	if err != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	r.mu.Lock()
	r.attempt = a
	r.mu.Unlock()
	err = a.run(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempt = nil
	if r.sinkFail != nil {
		return r.sinkFail
	}
	return err
}

// sinkFailed ends the run because the indexer has stopped at a document.
func (r *run) sinkFailed(s *indexv1.SinkStatus) {
	if s.GetEpoch() != r.job.GetEpoch() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sinkFail = fault.Permanent(fmt.Errorf("sink %q: %s: %s", s.GetSink(), s.GetErrorType(), s.GetErrorMessage()))
	if r.abort != nil {
		r.abort(r.sinkFail)
	}
}

// set notes the state and writes it to the job's record.
func (r *run) set(state jobv1.JobState, cause error) {
	_ = r.note(state, cause, 10*time.Second, func(*jobv1.Job) {}) // the next state is written anew
}

// finish notes that the job runs no more. While it is not sure whose the job is, after
// the process stood still, that is tried again: nobody else would find out.
func (r *run) finish(state jobv1.JobState, cause error) {
	for {
		err := r.note(state, cause, 30*time.Second, func(j *jobv1.Job) { j.Running = false })
		if !errors.Is(err, ErrElsewhere) {
			return
		}
		select {
		case <-r.ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

// note writes the state and what else changes with it to the job's record.
func (r *run) note(state jobv1.JobState, cause error, within time.Duration, change func(*jobv1.Job)) error {
	r.mu.Lock()
	r.status.State, r.status.ChangedAt, r.status.Error = state, r.m.now(), ""
	if cause != nil {
		r.status.Error = r.hider.Hide(cause.Error())
	}
	st, _ := proto.Clone(r.status).(*jobv1.JobStatus)
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), within)
	defer cancel()
	_, err := r.m.update(ctx, r.name, func(j *jobv1.Job) { change(j); j.Status = st })
	if err != nil && !errors.Is(err, ErrElsewhere) {
		r.log.Warn("the job's state could not be written", "error", err)
	}
	return err
}

// fill adds to a status what is known of the attempt under way.
func (r *run) fill(st *jobv1.JobStatus) {
	r.mu.Lock()
	defer r.mu.Unlock()
	st.State, st.Error, st.Restarts = r.status.GetState(), r.status.GetError(), r.status.GetRestarts()
	st.StartedAt, st.ChangedAt, st.Instance = r.status.GetStartedAt(), r.status.GetChangedAt(), r.m.cfg.Instance
	if r.attempt != nil {
		r.attempt.fill(st)
	}
}
