package demo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/shirou/gopsutil/v4/process"
)

// writeSample writes one sample in the form of `top -b`.
func writeSample(ctx context.Context, w io.Writer) error {
	var b bytes.Buffer
	up, err := host.UptimeWithContext(ctx)
	if err != nil {
		return err
	}
	avg, err := load.AvgWithContext(ctx)
	if err != nil {
		return err
	}
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return err
	}
	busy, err := cpu.PercentWithContext(ctx, 100*time.Millisecond, false)
	if err != nil || len(busy) == 0 {
		return cmp.Or(err, errors.New("no CPU figures"))
	}
	rows, err := processes(ctx)
	if err != nil {
		return err
	}
	const mib = 1 << 20
	fmt.Fprintf(&b, "top - %s up %s,  load average: %.2f, %.2f, %.2f\n", time.Now().Format(time.TimeOnly), time.Duration(up)*time.Second, avg.Load1, avg.Load5, avg.Load15)
	fmt.Fprintf(&b, "Tasks: %d total\n", len(rows))
	fmt.Fprintf(&b, "%%Cpu(s): %.1f us, %.1f id\n", busy[0], 100-busy[0])
	fmt.Fprintf(&b, "MiB Mem : %.1f total, %.1f free, %.1f used, %.1f buff/cache\n", float64(m.Total)/mib, float64(m.Free)/mib, float64(m.Used)/mib, float64(m.Buffers+m.Cached)/mib)
	b.WriteString("\n    PID USER      S  %CPU  %MEM     TIME+ COMMAND\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "%7d %-9.9s %s %5.1f %5.1f %9.2f %s\n", r.pid, r.user, r.state, r.cpu, r.mem, r.time, r.name)
	}
	b.WriteByte('\n')
	_, err = w.Write(b.Bytes())
	return err
}

type row struct {
	pid               int32
	user, state, name string
	cpu, mem, time    float64
}

// processes lists the machine's processes, the busiest first. One that ends
// meanwhile is left out.
func processes(ctx context.Context) ([]row, error) {
	ps, err := process.ProcessesWithContext(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]row, 0, len(ps))
	for _, p := range ps {
		name, err := p.NameWithContext(ctx)
		if err != nil {
			continue
		}
		r := row{pid: p.Pid, name: name, state: "?"}
		r.user, _ = p.UsernameWithContext(ctx)
		if st, err := p.StatusWithContext(ctx); err == nil && len(st) > 0 && st[0] != "" {
			r.state = st[0][:1]
		}
		r.cpu, _ = p.CPUPercentWithContext(ctx)
		if share, err := p.MemoryPercentWithContext(ctx); err == nil {
			r.mem = float64(share)
		}
		if t, err := p.TimesWithContext(ctx); err == nil {
			r.time = t.User + t.System
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b row) int { return cmp.Compare(b.cpu, a.cpu) })
	return out, nil
}
