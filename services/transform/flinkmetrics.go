package transform

import (
	"os"
	"slices"

	"github.com/weirflow/weirflow/services/transform/internal/flinkmetrics"
	"github.com/weirflow/weirflow/services/transform/internal/flinkmetrics/promgateway"
	"github.com/weirflow/weirflow/services/transform/internal/job"
)

// flinkMetrics tells of a job, or of all that run here, under Flink's names.
func (s *Service) flinkMetrics(only string, filter func(string) string) *flinkmetrics.Collector {
	host, err := os.Hostname()
	if err != nil {
		host = s.d.Instance
	}
	jobs := s.jobs.Running
	if only != "" {
		jobs = func() []job.Running {
			return slices.DeleteFunc(s.jobs.Running(), func(j job.Running) bool { return j.Job.GetName() != only })
		}
	}
	return flinkmetrics.New(flinkmetrics.Config{Host: host, Instance: s.d.Instance, Jobs: jobs, Now: s.d.Now, Filter: filter})
}

// report pushes the metrics of a job whose settings want it.
func (s *Service) report(name string, settings map[string]string, hide func(error) string) func(lost bool) {
	o, err := promgateway.Parse(settings)
	if err != nil || o == nil { // what is wrong with them is told before the job begins
		return nil
	}
	var filter func(string) string
	if o.Filter {
		filter = promgateway.Strip
	}
	return promgateway.Begin(*o, s.flinkMetrics(name, filter), s.d.Logger.With("job", name), hide).End
}
