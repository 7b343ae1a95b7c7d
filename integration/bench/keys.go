package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
)

// manyKeys measures a window of an hour with many keys: the memory that it takes, for
// how long checkpoints hold rows back, and how long it takes to go on after a crash.
func (b *bench) manyKeys() error {
	if err := b.fill(b.topic(), 2*b.keys, b.appendSmall); err != nil {
		return err
	}
	var pauses pauses
	b.watch = pauses.see
	f, err := b.onWeirflow("bench-"+b.id+"-keys", b.small(",'scan.bounded.mode'='latest-offset'"), "")
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "\n%d keys, %d events: %.0f s, %.0f events/s, %.2f CPU s per million, peak RSS %.0f MiB, %d checkpoints, the longest pause %v (state of %d MiB at most)\n",
		b.keys, 2*b.keys, f.took.Seconds(), float64(2*b.keys)/f.took.Seconds(), f.cpu*1e6/float64(2*b.keys), f.peak, pauses.n, pauses.longest, pauses.bytes>>20)
	return b.recovery("bench-" + b.id + "-crash")
}

// small is a script that counts and sums by key.
func (b *bench) small(more string) string {
	return fmt.Sprintf("CREATE TABLE Small (`at` TIMESTAMP(3), k VARCHAR, n INTEGER, WATERMARK FOR `at` AS `at` - INTERVAL '5' SECOND) WITH ('connector'='kafka','topic'='%s','properties.bootstrap.servers'='%s','properties.group.id'='bench','scan.startup.mode'='earliest-offset','format'='json'%s);\n", b.topic(), b.brokers, more) +
		"CREATE TABLE Answer (k VARCHAR, n BIGINT, total BIGINT) WITH ('connector'='blackhole');\n" +
		"INSERT INTO Answer SELECT k, COUNT(*), SUM(CAST(n AS BIGINT)) FROM TABLE(TUMBLE(TABLE Small, DESCRIPTOR(`at`), INTERVAL '1' HOUR)) GROUP BY k, window_start, window_end;\n"
}

// recovery kills a process whose job holds all keys, and measures the next.
func (b *bench) recovery(name string) error {
	t, err := b.transform()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	_, err = t.jobs.CreateJob(ctx, &jobv1.CreateJobRequest{Name: name, Sql: b.small(""), Start: true})
	if err == nil {
		err = t.until(ctx, name, func(s *jobv1.JobStatus) bool {
			left, known := int64(0), false
			for _, p := range s.GetSources() {
				left, known = left+p.GetLag(), known || p.GetOffset() > 0
			}
			for _, o := range s.GetOperators() {
				if o.GetStateEntries() >= int64(b.keys) && known && left == 0 {
					return true
				}
			}
			return false
		})
	}
	time.Sleep(5 * time.Second) // some checkpoints more, with which the sweep comes round
	if err = errors.Join(err, t.cmd.Process.Kill()); err != nil {
		t.stop()
		return err
	}
	_ = t.wait()
	before := time.Now()
	if t, err = b.transform(); err != nil {
		return err
	}
	defer t.stop()
	if err := t.until(ctx, name, func(s *jobv1.JobStatus) bool {
		return s.GetState() == jobv1.JobState_JOB_STATE_RUNNING && s.GetInstance() != ""
	}); err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "killed and started again: it went on after %.1f s, %.1f CPU s, peak RSS %.0f MiB\n", time.Since(before).Seconds(), t.cpu(), t.peak())
	_, err = t.jobs.StopJob(ctx, &jobv1.StopJobRequest{Name: name})
	return errors.Join(err, t.delete(name))
}

// until waits for a job's status to be as it shall.
func (t *transform) until(ctx context.Context, name string, done func(*jobv1.JobStatus) bool) error {
	for ; ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		j, err := t.jobs.GetJob(ctx, &jobv1.GetJobRequest{Name: name})
		if err != nil {
			return err
		}
		if done(j.GetJob().GetStatus()) {
			return nil
		}
	}
	return ctx.Err()
}
