package job

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/platform/kafka/group"
)

// Slots is how many shares there are of the jobs: the partitions of weirflow.jobs.
// Each job belongs to one of them by its name. Instances of different numbers would
// not agree on whose a job is.
const Slots = 32

// Group is the consumer group that the instances form.
const Group = "weirflow.transform"

// ErrElsewhere says that another instance has the job.
var ErrElsewhere = errors.New("the job belongs to another instance")

// Sharing says how jobs are shared out among instances.
type Sharing struct {
	// Session is how long an instance may be silent before others take its jobs.
	Session time.Duration
}

// Slot is the share to which a job belongs.
func Slot(name string) int32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return int32(h.Sum32() % Slots)
}

// shares are the slots that this instance has.
type shares struct {
	m      *Manager
	member *group.Member
	settle sync.Mutex // held while slots change hands
	taking sync.WaitGroup

	mu     sync.Mutex
	left   bool // nothing more is begun
	wanted map[int32]bool
	held   map[int32]int64 // with the term under which jobs are written
}

// Share has the manager run only the jobs that fall to it among the members of a
// group; without it all jobs are its own. It is called before Run.
func (m *Manager) Share(s Sharing) {
	m.shares = &shares{m: m, wanted: make(map[int32]bool), held: make(map[int32]int64)}
	m.shares.member = group.New(group.Config{Kafka: m.cfg.Kafka, Group: Group, Topic: JobsTopic, Name: m.cfg.Instance, ClientID: "weirflow-transform",
		Session: s.Session, Logger: m.d.Logger}, m.shares)
}

// run is a member of the group until the context ends.
func (s *shares) run(ctx context.Context) error {
	if err := s.widen(ctx); err != nil {
		return nil //nolint:nilerr // only the end of the context stops trying
	}
	err := s.member.Run(ctx)
	if errors.Is(err, group.ErrReplaced) {
		return fmt.Errorf("instance %q: %w; each needs a name of its own (instance)", s.m.cfg.Instance, err)
	}
	return err
}

// begin calls a function beside the caller, unless the group has been left: the table
// of jobs is read for longer than that.
func (s *shares) begin(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.left {
		s.taking.Go(f)
	}
}

// leave returns when all that was begun has ended.
func (s *shares) leave() {
	s.mu.Lock()
	s.left = true
	s.mu.Unlock()
	s.taking.Wait()
}

// widen gives the topic of jobs its partitions: all records stay in the first.
func (s *shares) widen(ctx context.Context) error {
	for said := false; ; said = true {
		try, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := s.m.admin.Widen(try, JobsTopic, Slots)
		cancel()
		if err == nil {
			return nil
		}
		if !said && ctx.Err() == nil {
			s.m.d.Logger.Warn("the topic of jobs needs more partitions to be shared out; trying on", "topic", JobsTopic, "partitions", Slots, "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// holds reports whether a job is this instance's. Nothing else may write its record.
func (m *Manager) holds(name string) bool {
	return m.given(name) && (m.shares == nil || m.shares.member.Awake())
}

// given reports whether a job's share was taken and has not been given up: while the
// process stands still it may be lost all the same.
func (m *Manager) given(name string) bool {
	if m.shares == nil {
		return true
	}
	m.shares.mu.Lock()
	defer m.shares.mu.Unlock()
	_, ok := m.shares.held[Slot(name)]
	return ok
}

// mine reports whether a job is shared out to this instance, so that who took its
// state will learn that it has it no more.
func (m *Manager) mine(name string) bool { return m.shares != nil && m.holds(name) }

// watch returns what says of an attempt that begins now whether it may go on.
func (m *Manager) watch() func() error {
	if m.shares == nil {
		return nil
	}
	naps := m.shares.member.Naps()
	return func() error {
		if !m.shares.member.Awake() || m.shares.member.Naps() != naps {
			return errPaused
		}
		return nil
	}
}

// owned is nil for a job of this instance, and ErrElsewhere for others.
func (m *Manager) owned(name string) error {
	if !m.holds(name) {
		return fmt.Errorf("job %q: %w", name, ErrElsewhere)
	}
	return nil
}

// Holds reports whether requests about a job are for this instance.
func (m *Manager) Holds(name string) bool { return m.holds(name) }

// stamp gives a record the term under which this instance has the job.
func (m *Manager) stamp(j *jobv1.Job) *jobv1.Job {
	if m.shares != nil {
		m.shares.mu.Lock()
		defer m.shares.mu.Unlock()
		j.Term = max(j.GetTerm(), m.shares.held[Slot(j.GetName())])
	}
	return j
}

// accept is the rule of the table of jobs. An instance that was stopped in the
// middle of a write, and goes on when others have its jobs, writes what is not true
// any more; whose the job is writes again what was there.
func (m *Manager) accept(name string, old *jobv1.Job, there bool, row *jobv1.Job) bool {
	stale := there && row.GetTerm() < old.GetTerm()
	if m.shares == nil {
		return !stale
	}
	m.shares.mu.Lock()
	term, held := m.shares.held[Slot(name)]
	m.shares.mu.Unlock()
	if held && row.GetTerm() < term { // though it be a job that was deleted since
		stale = true
		m.shares.begin(func() { m.rewrite(name) })
	}
	return !stale
}

// rewrite writes a job's record as it is known here, or that there is none.
func (m *Manager) rewrite(name string) {
	m.change.Lock() // no request makes or deletes the job meanwhile
	defer m.change.Unlock()
	m.write.Lock()
	defer m.write.Unlock()
	if !m.holds(name) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var err error
	if j, ok := m.jobs.Get(name); ok {
		err = m.put(ctx, j)
	} else {
		err = m.jobs.Delete(ctx, name)
	}
	m.d.Logger.Warn("another instance wrote the record of a job that it has no more; it is put right", "job", name, "error", err)
}

// Gained takes slots.
func (s *shares) Gained(slots []int32) {
	s.mu.Lock()
	for _, n := range slots {
		if n < Slots {
			s.wanted[n] = true
		}
	}
	s.mu.Unlock()
	s.m.d.Logger.Info("jobs are shared out: taking shares", "shares", len(slots))
	s.begin(func() { s.take(slots) })
}

// take begins the jobs of slots when all that was written of them is known.
func (s *shares) take(slots []int32) {
	s.settle.Lock()
	defer s.settle.Unlock()
	if !s.known(slots) {
		return
	}
	jobs := s.m.jobs.All()
	s.mu.Lock()
	term := int64(1)
	for _, j := range jobs {
		term = max(term, j.GetTerm()+1)
	}
	mine := make(map[int32]bool)
	for _, n := range slots {
		if s.wanted[n] {
			s.held[n], mine[n] = term, true
		}
	}
	s.mu.Unlock()
	for name := range jobs {
		if mine[Slot(name)] {
			s.m.resume(name)
		}
	}
}

// resume begins a job of a share that was just taken. Requests about the job come
// before or after, not in between: they may want it stopped.
func (m *Manager) resume(name string) {
	m.change.Lock()
	defer m.change.Unlock()
	m.halt(name) // a run that was lost may not have ended yet
	if j, ok := m.jobs.Get(name); ok && j.GetRunning() {
		m.launch(j)
	}
}

// known waits until this instance has read what the last owner of slots wrote;
// false when it is not to have them any more.
func (s *shares) known(slots []int32) bool {
	for {
		s.m.mu.Lock()
		ctx := s.m.ctx
		s.m.mu.Unlock()
		s.mu.Lock()
		wanted := false
		for _, n := range slots {
			wanted = wanted || s.wanted[n]
		}
		s.mu.Unlock()
		if ctx == nil || !wanted {
			return false
		}
		try, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := s.m.jobs.Sync(try, s.m.admin)
		cancel()
		if err == nil {
			return true
		}
		s.m.d.Logger.Debug("read the jobs of new shares", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// drop forgets slots and returns the runs of their jobs.
func (s *shares) drop(slots []int32) []*run {
	gone := make(map[int32]bool)
	s.mu.Lock()
	for _, n := range slots {
		delete(s.wanted, n)
		delete(s.held, n)
		gone[n] = true
	}
	s.mu.Unlock()
	var runs []*run
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	for name, r := range s.m.runs {
		if gone[Slot(name)] {
			runs = append(runs, r)
		}
	}
	return runs
}

// Released stops the jobs of slots cleanly and gives them up.
func (s *shares) Released(slots []int32) {
	s.mu.Lock()
	for _, n := range slots {
		delete(s.wanted, n)
	}
	s.mu.Unlock()
	s.settle.Lock()
	defer s.settle.Unlock()
	s.m.change.Lock() // requests that have begun come to their end
	runs := s.drop(slots)
	s.m.change.Unlock()
	s.m.d.Logger.Info("jobs are shared out anew: giving shares up", "shares", len(slots), "jobs", len(runs))
	for _, r := range runs {
		r.cancel()
	}
	for _, r := range runs {
		<-r.done
	}
}

// Lost ends the jobs of slots at once: others may run them already.
func (s *shares) Lost(slots []int32) {
	runs := s.drop(slots)
	s.m.d.Logger.Warn("this instance was out of touch for too long: its jobs are left to others", "shares", len(slots), "jobs", len(runs))
	for _, r := range runs {
		r.abandon()
	}
}
