package flinkmetrics_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/types/known/timestamppb"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/transform/internal/flinkmetrics"
	"github.com/weirflow/weirflow/services/transform/internal/flinkmetrics/promgateway"
	"github.com/weirflow/weirflow/services/transform/internal/job"
)

var began = time.Unix(1_700_000_000, 0).UTC()

func aJob() job.Running {
	mark := began.Add(5 * time.Second).UnixMilli()
	return job.Running{
		Job: &jobv1.Job{Name: "orders", Epoch: 3, Status: &jobv1.JobStatus{
			State: jobv1.JobState_JOB_STATE_RUNNING, ChangedAt: timestamppb.New(began), Restarts: 2,
			Checkpoint: &jobv1.CheckpointStatus{Id: 7, At: timestamppb.New(began), DurationMillis: 40, Bytes: 100, TotalBytes: 900, Failures: 1},
			Operators: []*jobv1.OperatorStatus{
				{Id: "a", Name: "Source: t", RecordsOut: 200}, {Id: "b", Name: "Source: t", RecordsOut: 100},
				{Id: "c", Name: "Join", RecordsIn: 300, RecordsOut: 50, Late: 4, Watermark: &mark, Stateful: true, StateBytes: 64},
				{Id: "d", Name: "Sink", RecordsIn: 50, Watermark: &mark}, {Id: "e", Name: "Sink", RecordsIn: 50},
			},
			Sources: []*jobv1.SourcePosition{
				{Table: "t", Topic: "x", Partition: 0, Offset: 150, Committed: 140, Lag: 10, LagMillis: 900, Watermark: &mark},
				{Table: "t", Topic: "x", Partition: 1, Offset: 50, Committed: 50, Lag: 3},
				{Table: "t#2", Topic: "x", Partition: 0, Offset: 100, Committed: 90, Lag: 1},
			},
		}},
		Sinks: []string{"out", "more"}, Busy: 2500 * time.Millisecond,
	}
}

// gather returns all series, as name{labels}.
func gather(t *testing.T, c prometheus.Collector) map[string]float64 {
	t.Helper()
	r := prometheus.NewRegistry()
	if err := r.Register(c); err != nil {
		t.Fatal(err)
	}
	all, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]float64)
	for _, f := range all {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			out[f.GetName()+"{"+strings.Join(labels, ",")+"}"] = m.GetGauge().GetValue()
		}
	}
	return out
}

// pick returns the values of a metric whose labels have these parts.
func pick(all map[string]float64, name string, parts ...string) []float64 {
	var out []float64
next:
	for k, v := range all {
		if !strings.HasPrefix(k, name+"{") {
			continue
		}
		for _, p := range parts {
			if !strings.Contains(k, p) {
				continue next
			}
		}
		out = append(out, v)
	}
	return out
}

func TestNamesAndValues(t *testing.T) {
	all := gather(t, flinkmetrics.New(flinkmetrics.Config{Host: "h", Instance: "tm-1", Jobs: func() []job.Running { return []job.Running{aJob()} },
		Now: func() time.Time { return began.Add(10 * time.Second) }}))
	const task, op = "flink_taskmanager_job_task_", "flink_taskmanager_job_task_operator_"
	for _, c := range []struct {
		metric string
		parts  []string
		want   float64
	}{
		{"flink_jobmanager_job_numRestarts", []string{"job_name=orders"}, 2},
		{"flink_jobmanager_job_runningState", nil, 1},
		{"flink_jobmanager_job_restartingState", nil, 0},
		{"flink_jobmanager_job_uptime", nil, 10_000},
		{"flink_jobmanager_job_lastCheckpointDuration", nil, 40},
		{"flink_jobmanager_job_lastCheckpointFullSize", nil, 900},
		{"flink_jobmanager_job_numberOfFailedCheckpoints", nil, 1},
		{"flink_jobmanager_job_totalNumberOfCheckpoints", nil, 8},
		{"flink_jobmanager_numRunningJobs", []string{"host=h"}, 1},
		{task + "numRecordsIn", []string{"tm_id=tm-1", "task_attempt_num=2", "subtask_index=0", "task_name=Source: t -> Source: t -> Join -> Sink: out -> Sink: more"}, 300},
		{task + "numRecordsOut", nil, 100},
		{task + "busyTimeMsPerSecond", nil, 250},
		{task + "idleTimeMsPerSecond", nil, 750},
		{op + "numRecordsInPerSecond", []string{"operator_name=Join", "operator_id=c"}, 30},
		{op + "numRecordsOut", []string{"operator_id=a"}, 200},
		{op + "numLateRecordsDropped", []string{"operator_id=c"}, 4},
		{op + "numRecordsSend", []string{"operator_name=Sink: more"}, 50},
		{op + "pendingRecords", []string{"operator_id=a"}, 13},
		{op + "pendingRecords", []string{"operator_id=b"}, 1},
		{op + "currentEmitEventTimeLag", []string{"operator_id=a"}, 900},
		{op + "watermarkLag", []string{"operator_id=a"}, 5000},
		{op + "KafkaSourceReader_topic_partition_currentOffset", []string{"operator_id=a", "partition=0", "topic=x"}, 149},
		{op + "KafkaSourceReader_topic_partition_committedOffset", []string{"operator_id=b"}, 90},
		{op + "KafkaSourceReader_KafkaConsumer_records_lag_max", []string{"operator_id=a"}, 10},
		{"flink_taskmanager_Status_Flink_Memory_Managed_Used", nil, 64},
	} {
		if got := pick(all, c.metric, c.parts...); len(got) != 1 || got[0] != c.want {
			t.Errorf("%s %v: %v, want %v", c.metric, c.parts, got, c.want)
		}
	}
	for _, name := range []string{"CPU_Time", "Memory_Heap_Used", "Memory_Heap_Committed", "Memory_NonHeap_Used", "Threads_Count", "GarbageCollector_All_Count"} {
		for _, who := range []string{"jobmanager", "taskmanager"} {
			if got := pick(all, "flink_"+who+"_Status_JVM_"+name); len(got) != 1 || strings.HasPrefix(name, "Memory") && got[0] <= 0 {
				t.Errorf("%s of the %s: %v", name, who, got)
			}
		}
	}
}

// TestAnEndedJobIsGone: no series of a job stays behind it, and a failing clash of
// names costs nobody the others.
func TestAnEndedJobIsGone(t *testing.T) {
	jobs := []job.Running{aJob(), aJob()} // of one name, which two scrapes may see for a moment
	c := flinkmetrics.New(flinkmetrics.Config{Host: "h", Instance: "i", Jobs: func() []job.Running { return jobs }, Now: time.Now})
	if got := pick(gather(t, c), "flink_jobmanager_job_numRestarts"); len(got) != 1 {
		t.Errorf("of two of one name: %v", got)
	}
	jobs = nil
	for k := range gather(t, c) {
		if strings.Contains(k, "job_name") {
			t.Errorf("still there: %s", k)
		}
	}
}

func TestFilter(t *testing.T) {
	all := gather(t, flinkmetrics.New(flinkmetrics.Config{Host: "a host", Instance: "i", Jobs: func() []job.Running { return []job.Running{aJob()} }, Now: time.Now, Filter: promgateway.Strip}))
	if got := pick(all, "flink_taskmanager_job_task_operator_numRecordsSend", "operator_name=Sink:out", "host=ahost"); len(got) != 1 {
		t.Errorf("filtered: %v of %d", got, len(all))
	}
}

func BenchmarkCollect(b *testing.B) {
	jobs := make([]job.Running, 100)
	for i := range jobs {
		jobs[i] = aJob()
		jobs[i].Job.Name += string(rune('a'+i%26)) + string(rune('a'+i/26))
	}
	c := flinkmetrics.New(flinkmetrics.Config{Host: "h", Instance: "i", Jobs: func() []job.Running { return jobs }, Now: time.Now})
	b.ReportAllocs()
	for b.Loop() {
		ch := make(chan prometheus.Metric, 1<<16)
		c.Collect(ch)
	}
}
