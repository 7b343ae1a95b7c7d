package flinkmetrics

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/transform/internal/job"
)

// id makes an id of the form that Flink's have, which stays the same over restarts.
func id(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// job puts out what Flink's job manager tells of a job.
func (c *Collector) job(out *emitter, j job.Running, now time.Time) {
	st := j.Job.GetStatus()
	s := out.scope("jobmanager_job", "host", c.cfg.Host, "job_id", id(j.Job.GetName()), "job_name", j.Job.GetName())
	s.gauge("numRestarts", float64(st.GetRestarts()))
	s.gauge("fullRestarts", float64(st.GetRestarts()))
	since := max(0, now.Sub(st.GetChangedAt().AsTime())).Milliseconds()
	for _, x := range []struct {
		name  string
		state jobv1.JobState
	}{{"initializing", jobv1.JobState_JOB_STATE_INITIALIZING}, {"running", jobv1.JobState_JOB_STATE_RUNNING}, {"restarting", jobv1.JobState_JOB_STATE_RESTARTING}} {
		is := st.GetState() == x.state
		s.flag(x.name+"State", is)
		if is {
			s.gauge(x.name+"Time", float64(since))
		} else {
			s.gauge(x.name+"Time", 0)
		}
	}
	up, down := since, int64(0)
	if !running(j) {
		up, down = 0, since
	}
	s.gauge("uptime", float64(up))
	s.gauge("downtime", float64(down))
	checkpoints(s, st.GetCheckpoint())
}

// checkpoints puts out how the checkpoints went. Their ids count them.
func checkpoints(s scope, c *jobv1.CheckpointStatus) {
	s.gauge("numberOfCompletedCheckpoints", float64(c.GetId()))
	s.gauge("numberOfFailedCheckpoints", float64(c.GetFailures()))
	s.gauge("totalNumberOfCheckpoints", float64(c.GetId()+c.GetFailures()))
	if c == nil {
		return
	}
	s.gauge("lastCheckpointDuration", float64(c.GetDurationMillis()))
	s.gauge("lastCheckpointSize", float64(c.GetBytes()))
	s.gauge("lastCheckpointFullSize", float64(c.GetTotalBytes()))
	s.gauge("lastCompletedCheckpointId", float64(c.GetId()))
	s.gauge("lastCheckpointCompletedTimestamp", float64(c.GetAt().AsTime().UnixMilli()+c.GetDurationMillis()))
}

// attempt is Flink's labels of a task's attempt.
func attempt(j job.Running, task string) []string {
	n := strconv.FormatUint(uint64(j.Job.GetStatus().GetRestarts()), 10)
	return []string{"task_attempt_id", id(task, strconv.FormatInt(j.Job.GetEpoch(), 10), n), "task_attempt_num", n}
}
