package flinkmetrics

import (
	"math"
	"strconv"
	"strings"
	"time"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/transform/internal/job"
)

const (
	sourcePrefix = "Source: "
	sinkName     = "Sink"
	// longest is how many bytes of a task's name are told.
	longest = 240
	// noWatermark is what Flink tells before there is one.
	noWatermark = math.MinInt64
)

// task is a job's operators, which Flink would call one chain: rows go through all
// of them in one piece.
type task struct {
	c         *Collector
	j         job.Running
	now       time.Time
	began     time.Time
	key       string
	operators []operator
}

type operator struct {
	*jobv1.OperatorStatus
	name  string
	table string // of a source
	sink  bool
}

// tasks puts out what Flink's task managers tell of a job.
func (c *Collector) tasks(out *emitter, j job.Running, now time.Time) {
	t := &task{c: c, j: j, now: now, operators: named(j), began: j.Job.GetStatus().GetChangedAt().AsTime()}
	t.key = j.Job.GetName() + "\x00" + strconv.FormatInt(j.Job.GetEpoch(), 10) + "\x00" + strconv.FormatUint(uint64(j.Job.GetStatus().GetRestarts()), 10) + "\x00"
	if len(t.operators) == 0 {
		return // it is only being begun
	}
	names := make([]string, 0, len(t.operators))
	for _, o := range t.operators {
		names = append(names, o.name)
	}
	name := strings.Join(names, " -> ")
	if len(name) > longest {
		name = strings.ToValidUTF8(name[:longest], "") + "..."
	}
	taskID := id(j.Job.GetName(), "task")
	s := out.scope("taskmanager_job_task", "host", c.cfg.Host, "tm_id", c.cfg.Instance, "job_id", id(j.Job.GetName()), "job_name", j.Job.GetName(),
		"task_id", taskID, "task_name", name, "subtask_index", "0").with(attempt(j, taskID)...)
	t.whole(s)
	for _, o := range t.operators {
		t.operator(s.under("operator").with("operator_id", o.GetId(), "operator_name", o.name), o)
	}
}

// named gives operators the names that Flink would give them.
func named(j job.Running) []operator {
	var out []operator
	sinks, tables := 0, make(map[string]int)
	for _, o := range j.Job.GetStatus().GetOperators() {
		x := operator{OperatorStatus: o, name: o.GetName()}
		if table, ok := strings.CutPrefix(o.GetName(), sourcePrefix); ok {
			x.table = table
			if tables[table]++; tables[table] > 1 { // as the inputs of a pipeline are named
				x.table += "#" + strconv.Itoa(tables[table])
			}
		}
		if o.GetName() == sinkName {
			x.sink = true
			if sinks < len(j.Sinks) {
				x.name += ": " + j.Sinks[sinks]
			}
			sinks++
		}
		out = append(out, x)
	}
	return out
}

// whole puts out the figures of the whole task: what its sources read and its sinks
// were given. It has nobody behind it that could hold it back.
func (t *task) whole(s scope) {
	in, out := uint64(0), uint64(0)
	mark := int64(noWatermark)
	for _, o := range t.operators {
		switch {
		case o.table != "":
			in += o.GetRecordsOut()
		case o.sink:
			out += o.GetRecordsIn()
			if o.Watermark != nil {
				mark = max(mark, o.GetWatermark())
			}
		}
	}
	t.counter(s, "numRecordsIn", in)
	t.counter(s, "numRecordsOut", out)
	s.gauge("currentInputWatermark", float64(mark))
	busy := min(1000, 1000*t.c.meters.rate(t.key+"busy", t.j.Busy.Seconds(), t.began))
	s.gauge("busyTimeMsPerSecond", math.Round(busy))
	s.gauge("idleTimeMsPerSecond", 1000-math.Round(busy))
	for _, name := range []string{"backPressuredTimeMsPerSecond", "softBackPressuredTimeMsPerSecond", "hardBackPressuredTimeMsPerSecond", "isBackPressured"} {
		s.gauge(name, 0)
	}
}

func (t *task) counter(s scope, name string, value uint64) {
	s.gauge(name, float64(value))
	s.gauge(name+"PerSecond", t.c.meters.rate(t.key+s.prefix+name+"\x00"+strings.Join(s.values, "\x00"), float64(value), t.began))
}

func (t *task) operator(s scope, o operator) {
	t.counter(s, "numRecordsIn", max(o.GetRecordsIn(), rowsOf(o)))
	t.counter(s, "numRecordsOut", o.GetRecordsOut())
	s.gauge("numLateRecordsDropped", float64(o.GetLate()))
	mark := int64(noWatermark)
	if o.Watermark != nil {
		mark = o.GetWatermark()
	}
	s.gauge("currentInputWatermark", float64(mark))
	s.gauge("currentOutputWatermark", float64(mark))
	if o.sink {
		t.counter(s, "numRecordsSend", o.GetRecordsIn())
	}
	if o.table != "" {
		t.source(s, o)
	}
}

// rowsOf is what a source read, which nobody gave to it.
func rowsOf(o operator) uint64 {
	if o.table == "" {
		return 0
	}
	return o.GetRecordsOut()
}

func (t *task) source(s scope, o operator) {
	s.gauge("sourceIdleTime", float64(t.c.meters.still(t.key+"idle\x00"+o.GetId(), float64(o.GetRecordsOut()), t.began).Milliseconds()))
	var parts []*jobv1.SourcePosition
	for _, p := range t.j.Job.GetStatus().GetSources() {
		if p.GetTable() == o.table {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 {
		return // it is not read from partitions
	}
	pending, most, lag := int64(0), int64(0), int64(0)
	reader := s.under("KafkaSourceReader")
	for _, p := range parts {
		pending, most, lag = pending+p.GetLag(), max(most, p.GetLag()), max(lag, p.GetLagMillis())
		at := reader.under("topic_partition").with("topic", p.GetTopic(), "partition", strconv.Itoa(int(p.GetPartition())))
		at.gauge("currentOffset", float64(p.GetOffset()-1)) // Flink tells the last one read
		at.gauge("committedOffset", float64(p.GetCommitted()))
	}
	s.gauge("pendingRecords", float64(pending))
	s.gauge("currentEmitEventTimeLag", float64(lag))
	s.gauge("currentFetchEventTimeLag", float64(lag))
	if mark, ok := slowest(parts); ok {
		s.gauge("watermarkLag", float64(t.now.UnixMilli()-mark))
	}
	reader.gauge("KafkaConsumer_records_lag_max", float64(most))
	reader.gauge("KafkaConsumer_records_consumed_rate", t.c.meters.rate(t.key+"consumed\x00"+o.GetId(), float64(o.GetRecordsOut()), t.began))
}

// slowest is the watermark of a source: the least of the partitions that are waited for.
func slowest(parts []*jobv1.SourcePosition) (int64, bool) {
	mark, known := int64(math.MaxInt64), false
	for _, p := range parts {
		if p.Watermark != nil && !p.GetIdle() {
			mark, known = min(mark, p.GetWatermark()), true
		}
	}
	return mark, known
}
