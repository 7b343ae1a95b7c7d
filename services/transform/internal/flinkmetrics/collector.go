package flinkmetrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/transform/internal/job"
)

// Config is what a collector tells of.
type Config struct {
	// Host and Instance are Flink's labels host and tm_id.
	Host, Instance string
	// Jobs are those that run here.
	Jobs func() []job.Running
	// Now is the clock.
	Now func() time.Time
	// Filter takes characters out of the values of labels; nil leaves them.
	Filter func(string) string
}

// Collector gives metrics to a registry of Prometheus.
type Collector struct {
	cfg    Config
	meters *meters
	cpu    *load
	descs  map[string]*prometheus.Desc // one collects at a time
}

// New returns a collector.
func New(cfg Config) *Collector {
	return &Collector{cfg: cfg, meters: newMeters(), cpu: &load{}, descs: make(map[string]*prometheus.Desc)}
}

// Describe describes nothing: which series there are depends on the jobs.
func (c *Collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	now := c.cfg.Now()
	jobs := c.cfg.Jobs()
	defer c.meters.begin(now)()
	out := &emitter{ch: ch, filter: c.cfg.Filter, seen: make(map[string]bool), descs: c.descs}
	managed := int64(0)
	for _, j := range jobs {
		c.job(out, j, now)
		c.tasks(out, j, now)
		for _, o := range j.Job.GetStatus().GetOperators() {
			managed += o.GetStateBytes()
		}
	}
	c.process(out, jobs, managed)
}

func running(j job.Running) bool {
	return j.Job.GetStatus().GetState() == jobv1.JobState_JOB_STATE_RUNNING
}
