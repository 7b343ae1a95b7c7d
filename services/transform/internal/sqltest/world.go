package sqltest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/platform/suggest"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/connector/kafka"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// input is a table that rows are put into.
type input struct {
	name    string
	writer  *writer
	mode    string // of error handling
	topic   string
	scans   []*scan
	lookups []*lookup
	next    map[int32]int64 // the offset of the next record of a partition
}

// scan is one place where the rows of a table enter the graph.
type scan struct {
	*exec.Scan
	given *kafka.Given
}

// lookup holds the rows of a table that is asked by key.
type lookup struct {
	given  *kafka.Given
	keys   []int
	rows   map[string][]string
	answer column.Batch
	of     []int32
	key    []byte
}

// Lookup finds the rows of keys.
func (l *lookup) Lookup(_ context.Context, keys *column.Batch) (connector.Answer, error) {
	l.of = l.of[:0]
	for _, c := range l.answer.Cols {
		c.Reset(0)
	}
	for i := range keys.Len {
		l.key = row.AppendAll(l.key[:0], keys, i)
		for _, text := range l.rows[string(l.key)] {
			if _, err := row.Decode(text, l.answer.Cols); err != nil {
				return connector.Answer{}, err
			}
			l.of = append(l.of, int32(i))
		}
	}
	l.answer.Len = len(l.of)
	return connector.Answer{Rows: &l.answer, Of: l.of}, nil
}

// Close does nothing.
func (l *lookup) Close() error { return nil }

func (l *lookup) add(b *column.Batch) {
	for i := range b.Len {
		if !row.HasNull(b, l.keys, i) {
			key := string(row.Append(nil, b, l.keys, i))
			l.rows[key] = append(l.rows[key], string(row.AppendAll(nil, b, i)))
		}
	}
}

// letter is a record that could not be used.
type letter struct{ table, kind, message, payload string }

// world is what a job of a test runs in.
type world struct {
	registry connector.Registry
	inputs   map[string]*input
	now      time.Time
	graph    *exec.Graph
	letters  []letter
}

// newWorld returns a world whose tables are in memory.
func newWorld(all connector.Registry, now time.Time) *world {
	w := &world{registry: make(connector.Registry), inputs: make(map[string]*input), now: now}
	for name, f := range all {
		if f.Lookup != nil {
			f.Lookup = func(_ connector.Env, s *plan.Scan, keys []int, o *connector.Options) (connector.Lookup, error) {
				return w.lookup(s, keys, o)
			}
		}
		w.registry[name] = f
	}
	return w
}

// decoder decodes the records of a scan. Tables without a format have JSON.
func (w *world) decoder(s *plan.Scan, o *connector.Options) (*kafka.Given, *connector.Options, error) {
	if !o.Has("format") && !o.Has("value.format") || !w.readable(o) {
		t := *s.Table
		t.Options = map[string]string{"connector": "kafka", "topic": t.Name, "properties.bootstrap.servers": "none", "format": "json"}
		var err error
		if _, o, err = w.registry.Lookup(&t); err != nil {
			return nil, nil, err
		}
	}
	g, err := kafka.NewGiven(s, o)
	return g, o, err
}

func (w *world) readable(o *connector.Options) bool {
	return slices.Contains([]string{"kafka", "upsert-kafka", "filesystem"}, o.Text("connector"))
}

func (w *world) input(t *plan.Table, o *connector.Options) *input {
	in := w.inputs[t.Name]
	if in == nil {
		in = &input{name: t.Name, writer: newWriter(t, o), mode: o.Text("error-handling.mode"), topic: o.Text("topic"), next: make(map[int32]int64)}
		if in.topic == "" || strings.Contains(in.topic, ";") {
			in.topic = t.Name
		}
		w.inputs[t.Name] = in
	}
	return in
}

func (w *world) lookup(s *plan.Scan, keys []int, o *connector.Options) (connector.Lookup, error) {
	g, o, err := w.decoder(s, o)
	if err != nil {
		return nil, err
	}
	l := &lookup{given: g, keys: keys, rows: make(map[string][]string)}
	for _, c := range s.Columns {
		l.answer.Cols = append(l.answer.Cols, column.New(c.Type))
	}
	in := w.input(s.Table, o)
	in.lookups = append(in.lookups, l)
	return l, nil
}

// open connects the graph's tables.
func (w *world) open(g *exec.Graph) error {
	w.graph = g
	for _, s := range g.Scans {
		_, o, err := w.registry.Lookup(s.Plan.Table)
		if err != nil {
			return err
		}
		given, o, err := w.decoder(s.Plan, o)
		if err != nil {
			return err
		}
		in := w.input(s.Plan.Table, o)
		in.scans = append(in.scans, &scan{s, given})
	}
	return w.registry.OpenLookups(connector.Env{Now: w.clock}, g)
}

func (w *world) clock() time.Time { return w.now }

// expect announces the partitions that a test uses, so that time waits for them all.
func (w *world) expect(steps []*Step) {
	for _, s := range steps {
		in := w.inputs[s.Into]
		if in == nil {
			continue
		}
		for _, sc := range in.scans {
			sc.Expect(sc.given.Partition(in.topic, s.Partition), false)
		}
	}
}

// step carries out a step.
func (w *world) step(s *Step) error {
	if s.Into == "" {
		return w.pass(s)
	}
	in := w.inputs[s.Into]
	if in == nil {
		known := slices.Sorted(maps.Keys(w.inputs))
		return fmt.Errorf("the job reads no table %q%s; it reads %s", s.Into, suggest.Hint(s.Into, known), strings.Join(known, ", "))
	}
	for _, r := range s.records() {
		rec, err := in.writer.record(r)
		if err != nil {
			return err
		}
		if s.Partition > 0 {
			rec.Partition = s.Partition
		}
		if rec.TimestampMillis == 0 {
			rec.TimestampMillis = w.now.UnixMilli()
		}
		rec.Topic, rec.Offset = in.topic, in.next[rec.Partition]
		in.next[rec.Partition]++
		if err := w.put(in, rec); err != nil {
			return err
		}
		if err := w.tick(w.now); err != nil {
			return err
		}
	}
	return nil
}

// records are all records of a step.
func (s *Step) records() []any {
	out := slices.Clone(s.Rows)
	for line := range strings.Lines(s.Lines) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// put gives a record to all who read the table.
func (w *world) put(in *input, r record) error {
	for _, l := range in.lookups {
		b, err := l.given.Decode(r.Record, r.headers)
		if err != nil {
			return err
		}
		l.add(b)
	}
	for i, s := range in.scans {
		b, err := s.given.Decode(r.Record, r.headers)
		if err != nil {
			if in.mode == "" || in.mode == "off" {
				return err
			}
			if i == 0 {
				w.letter(in, "parse_error", err.Error(), r)
			}
			continue
		}
		if b.Len == 0 {
			continue
		}
		receipt := exec.NewReceipt(1, func(*exec.Receipt) {})
		if err := s.Push(b, receipt); err != nil {
			return err
		}
		if len(receipt.Late()) > 0 {
			w.letter(in, "late", "the row came after its window was closed, or has no time", r)
		}
	}
	return nil
}

// letter keeps a record if the table asks for that.
func (w *world) letter(in *input, kind, message string, r record) {
	if in.mode == "dlq" || in.mode == "fail-after" {
		w.letters = append(w.letters, letter{in.name, kind, message, string(r.Value)})
	}
}

// pass lets time pass.
func (w *world) pass(s *Step) error {
	to := w.now
	if s.At != "" {
		at, err := clockAt(s.At)
		if err != nil {
			return err
		}
		if at.Before(w.now) {
			return fmt.Errorf("the clock does not go back: it is %s already", w.now.Format(time.DateTime))
		}
		to = at
	} else if d, err := connector.ParseDuration(s.Advance); err == nil {
		to = w.now.Add(d)
	}
	if err := w.tick(to); err != nil {
		return err
	}
	w.now = to
	return nil
}

// tick lets operators act at the times that they asked for, up to a time.
func (w *world) tick(to time.Time) error {
	for range maxTicks {
		at := w.graph.NextTimer()
		if at.IsZero() || at.After(to) {
			return nil
		}
		if at.After(w.now) {
			w.now = at
		}
		if err := w.graph.Tick(w.now); err != nil {
			return err
		}
	}
	return nil
}

// maxTicks bounds how often operators act in a step.
const maxTicks = 100_000
