package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"
)

// figures are what a run of a query took.
type figures struct {
	took time.Duration
	cpu  float64
	peak float64
}

func (f figures) cells(events int) string {
	million := float64(events) / 1e6
	return fmt.Sprintf("%.0f | %.2f | %.0f", float64(events)/f.took.Seconds(), f.cpu/million, f.peak)
}

// sql measures the queries, on Weirflow and, where it runs, on Flink.
func (b *bench) sql() error {
	if b.keys > 0 {
		return b.manyKeys()
	}
	other, err := openFlink(b.flinkRun, b.flinkGateway, b.flinkRest)
	if err != nil {
		return err
	}
	if err := b.fill(b.topic(), b.lines, appendEvent); err != nil {
		return err
	}
	alone, err := b.alone()
	if err != nil {
		return err
	}
	b.rows = append(b.rows, "| reading the records alone | "+alone.cells(b.lines)+" | | | | | |")
	for i, q := range queries {
		if !b.asked(q) {
			continue
		}
		if err := b.compare(i, q, other); err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
	}
	_, err = fmt.Fprintf(os.Stdout, "\n%d events of %d bytes, %d partitions\n\n| query | events/s | CPU s per million | peak RSS MiB | Flink: events/s | CPU s per million | peak RSS MiB | CPU, Flink to Weirflow | answers |\n|---|---|---|---|---|---|---|---|---|\n%s\n",
		b.lines, eventBytes, partitions, strings.Join(b.rows, "\n"))
	return err
}

// asked reports whether a query is among those that were picked.
func (b *bench) asked(q query) bool {
	for part := range strings.SplitSeq(b.only, ",") {
		if strings.Contains(q.name, part) {
			return true
		}
	}
	return false
}

// alone reads all records and does nothing with them.
func (b *bench) alone() (figures, error) {
	self := &proc{name: "reading", pid: os.Getpid()}
	self.forgetPeak()
	cpu, before := self.cpu(), time.Now()
	n, err := b.read(b.topic(), func(_, _ []byte) {})
	if err == nil && n != b.lines {
		err = fmt.Errorf("the topic holds %d events, %d were sent", n, b.lines)
	}
	return figures{time.Since(before), self.cpu() - cpu, self.peak()}, err
}

// compare runs a query on both engines, and compares the answers.
func (b *bench) compare(i int, q query, other *flink) error {
	own, theirs := "", ""
	if q.toKafka {
		own, theirs = fmt.Sprintf("%s-own-%d", b.topic(), i), fmt.Sprintf("%s-flink-%d", b.topic(), i)
	}
	mine, err := b.onWeirflow(fmt.Sprintf("bench-%s-%d", b.id, i), b.statements(q, own), own)
	if err != nil {
		return err
	}
	slog.Info("measured", "query", q.name, "engine", "Weirflow", "took", mine.took, "CPU s", mine.cpu) //nolint:sloglint // a command's own progress
	row := "| " + q.name + " | " + mine.cells(b.lines)
	if other == nil {
		b.rows = append(b.rows, row+" | | | | | |")
		return nil
	}
	f, err := b.onFlink(other, b.statements(q, theirs), theirs)
	if err != nil {
		return err
	}
	slog.Info("measured", "query", q.name, "engine", "Flink", "took", f.took, "CPU s", f.cpu) //nolint:sloglint // a command's own progress
	verdict, err := b.verdict(i, q, other, own, theirs)
	if err != nil {
		return err
	}
	b.rows = append(b.rows, fmt.Sprintf("%s | %s | %.1f | %s |", row, f.cells(b.lines), f.cpu/mine.cpu, verdict))
	return nil
}

// verdict compares the answers. Those of a query that wrote nowhere are made once
// more, into Kafka.
func (b *bench) verdict(i int, q query, other *flink, own, theirs string) (string, error) {
	if !b.check {
		return "", nil
	}
	if !q.toKafka {
		own, theirs = fmt.Sprintf("%s-own-%d", b.topic(), i), fmt.Sprintf("%s-flink-%d", b.topic(), i)
		if _, err := b.onWeirflow(fmt.Sprintf("bench-%s-%d-check", b.id, i), b.statements(q, own), own); err != nil {
			return "", err
		}
		if _, err := b.onFlink(other, b.statements(q, theirs), theirs); err != nil {
			return "", err
		}
	}
	mine, err := b.answerIn(own, q.key != "")
	if err != nil {
		return "", err
	}
	f, err := b.answerIn(theirs, q.key != "")
	if err != nil {
		return "", err
	}
	if mine != f {
		return fmt.Sprintf("DIFFER: %d rows, Flink %d (%s and %s)", mine.rows, f.rows, own, theirs), nil
	}
	return fmt.Sprintf("equal, %d rows", mine.rows), nil
}

// onFlink runs a script on Flink, whose process lives on and is warm.
func (b *bench) onFlink(f *flink, script, topic string) (figures, error) {
	if err := b.ensure(topic); err != nil {
		return figures{}, err
	}
	f.worker.forgetPeak()
	cpu := f.worker.cpu()
	took, err := f.run(script)
	return figures{took, f.worker.cpu() - cpu, f.worker.peak()}, err
}

// onWeirflow runs a script as a job in a process of its own.
func (b *bench) onWeirflow(name, script, topic string) (figures, error) {
	if err := b.ensure(topic); err != nil {
		return figures{}, err
	}
	t, err := b.transform()
	if err != nil {
		return figures{}, err
	}
	defer t.stop()
	before := time.Now()
	if err := t.run(name, script, b.watch); err != nil {
		return figures{}, err
	}
	f := figures{time.Since(before), t.cpu(), t.peak()}
	return f, t.delete(name)
}

// forgetPeak lets the peak begin anew.
func (p *proc) forgetPeak() {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.id()), []byte("5"), 0o600)
}

// id is the process's number.
func (p *proc) id() int {
	if p.pid != 0 {
		return p.pid
	}
	return p.cmd.Process.Pid
}
