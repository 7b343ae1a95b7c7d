// Package host tells how much disk and memory the machine has left.
package host

import "github.com/prometheus/client_golang/prometheus"

// figures are of the machine, in bytes.
type figures struct{ diskFree, diskSize, memoryAvailable, memorySize float64 }

// Collector tells of the machine and of the disk that a folder is on.
type Collector struct {
	dir   string
	descs [4]*prometheus.Desc
}

// New returns a collector of the disk of a folder.
func New(dir string) *Collector {
	d := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("weirflow_alerting_host_"+name, help, nil, nil)
	}
	return &Collector{dir: dir, descs: [4]*prometheus.Desc{
		d("disk_free_bytes", "Space left on the disk of the data."), d("disk_size_bytes", "Size of the disk of the data."),
		d("memory_available_bytes", "Memory of the machine that processes can still have."), d("memory_size_bytes", "Memory of the machine."),
	}}
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		ch <- d
	}
}

// Collect implements prometheus.Collector. What the system does not tell is left out.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	f := read(c.dir)
	for i, v := range []float64{f.diskFree, f.diskSize, f.memoryAvailable, f.memorySize} {
		if size := []float64{f.diskSize, f.diskSize, f.memorySize, f.memorySize}[i]; size > 0 {
			ch <- prometheus.MustNewConstMetric(c.descs[i], prometheus.GaugeValue, v)
		}
	}
}
