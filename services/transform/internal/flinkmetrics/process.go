package flinkmetrics

import (
	"math"
	"os"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"

	"github.com/prometheus/procfs"

	"github.com/weirflow/weirflow/services/transform/internal/job"
)

// load tells which part of the machine's processors the process used since it was
// last asked.
type load struct {
	mu   sync.Mutex
	at   time.Time
	used float64
	last float64
}

// of returns the load, given the seconds of processor that were used so far.
func (l *load) of(now time.Time, used float64) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := now.Sub(l.at).Seconds()
	if d < apart.Seconds() {
		return l.last
	}
	if !l.at.IsZero() {
		l.last = min(1, max(0, (used-l.used)/d/float64(runtime.NumCPU())))
	}
	l.at, l.used = now, used
	return l.last
}

// process puts out the figures of the process, which is Flink's job manager and task
// manager in one, in the words of the Java virtual machine.
func (c *Collector) process(out *emitter, jobs []job.Running, managed int64) {
	n := 0
	for _, j := range jobs {
		if running(j) {
			n++
		}
	}
	jm := out.scope("jobmanager", "host", c.cfg.Host)
	jm.gauge("numRunningJobs", float64(n))
	jm.gauge("numRegisteredTaskManagers", 1)
	f := c.figures()
	for _, s := range []scope{jm.under("Status"), out.scope("taskmanager_Status", "host", c.cfg.Host, "tm_id", c.cfg.Instance)} {
		for name, v := range f {
			s.under("JVM").gauge(name, v)
		}
	}
	out.scope("taskmanager_Status_Flink_Memory_Managed", "host", c.cfg.Host, "tm_id", c.cfg.Instance).gauge("Used", float64(managed))
}

// figures are those of the Go runtime under the names of the virtual machine's.
func (c *Collector) figures() map[string]float64 {
	read := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}, {Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/sched/goroutines:goroutines"},
		{Name: "/gc/cycles/total:gc-cycles"}, {Name: "/gc/gomemlimit:bytes"}, {Name: "/cpu/classes/gc/total:cpu-seconds"}}
	metrics.Read(read)
	v := make(map[string]float64, len(read))
	for _, s := range read {
		switch s.Value.Kind() {
		case metrics.KindUint64:
			v[s.Name] = float64(s.Value.Uint64())
		case metrics.KindFloat64:
			v[s.Name] = s.Value.Float64()
		case metrics.KindBad, metrics.KindFloat64Histogram:
		}
	}
	used := v["/memory/classes/heap/objects:bytes"]
	committed := used + v["/memory/classes/heap/unused:bytes"] + v["/memory/classes/heap/free:bytes"]
	other := max(0, v["/memory/classes/total:bytes"]-v["/memory/classes/heap/released:bytes"]-committed)
	collecting := math.Round(1000 * v["/cpu/classes/gc/total:cpu-seconds"])
	f := map[string]float64{
		"Memory_Heap_Used": used, "Memory_Heap_Committed": committed, "Memory_NonHeap_Used": other, "Memory_NonHeap_Committed": other,
		"Threads_Count": v["/sched/goroutines:goroutines"],
	}
	limit := v["/gc/gomemlimit:bytes"]
	cpu, total := machine()
	if total > 0 {
		limit = min(limit, total)
	}
	if limit < math.MaxInt64 {
		f["Memory_Heap_Max"] = limit
	}
	now := c.cfg.Now()
	f["CPU_Load"], f["CPU_Time"] = c.cpu.of(now, cpu), math.Round(cpu*1e9)
	// There is one collector, and it goes over the whole heap.
	for _, name := range []string{"All", "G1_Old_Generation"} {
		f["GarbageCollector_"+name+"_Count"] = v["/gc/cycles/total:gc-cycles"]
		f["GarbageCollector_"+name+"_Time"] = collecting
		f["GarbageCollector_"+name+"_TimeMsPerSecond"] = c.meters.rate("gc "+name, collecting, time.Time{})
	}
	return f
}

// machine returns the seconds of processor that the process used and the bytes of
// the machine's memory; 0 where the system does not tell.
func machine() (cpu, memory float64) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return 0, 0
	}
	if p, err := fs.Proc(os.Getpid()); err == nil {
		if st, err := p.Stat(); err == nil {
			cpu = st.CPUTime()
		}
	}
	if m, err := fs.Meminfo(); err == nil && m.MemTotalBytes != nil {
		memory = float64(*m.MemTotalBytes)
	}
	return cpu, memory
}
