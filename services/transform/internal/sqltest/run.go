package sqltest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/platform/suggest"

	"github.com/weirflow/weirflow/services/transform/internal/connectors"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/script"
)

// Result is how a test went.
type Result struct {
	File  *File
	Case  *Case
	Took  time.Duration
	Error string // why it failed, besides differences
	Diffs []*difference
	// tables is what was written, for the update of expectations.
	tables map[string]*memory
	failed string // the job's error
	late   int
	dead   *memory
}

// Passed reports whether the test found what it expects.
func (r *Result) Passed() bool { return r.Error == "" && len(r.Diffs) == 0 }

// Run runs a test.
func (f *File) Run(c *Case) *Result {
	began := time.Now()
	r := &Result{File: f, Case: c, tables: make(map[string]*memory)}
	err := r.run()
	if err != nil {
		r.failed = err.Error()
	}
	r.judge()
	r.Took = time.Since(began)
	return r
}

func (r *Result) run() (err error) {
	now, err := clockAt(r.Case.Clock)
	if err != nil {
		return err
	}
	w := newWorld(connectors.All(), now)
	library := r.File.library
	prog, err := script.Compile(r.File.script, r.File.Settings, w.registry, library)
	if err != nil {
		return err
	}
	functions := library.Open()
	defer func() { err = errors.Join(err, functions.Close()) }()
	roots, takers := r.sinks(prog)
	g, err := exec.Build(roots, takers, prog.Env(w.clock, functions))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	if err := w.open(g); err != nil {
		return err
	}
	err = r.play(w, g)
	r.late, r.dead = int(g.Dropped()), deadLetters(w.letters)
	return script.Diagnose(err)
}

// sinks makes the tables that the job writes.
func (r *Result) sinks(prog *script.Program) (roots []plan.Node, takers []exec.Sink) {
	for _, s := range prog.Sinks {
		m := r.tables[s.Table.Name]
		if m == nil {
			m = newMemory(s)
			r.tables[s.Table.Name] = m
		}
		roots, takers = append(roots, s.Input), append(takers, script.Checked(s, newWrites(m, s)))
	}
	return roots, takers
}

// play carries out the steps, and ends the inputs.
func (r *Result) play(w *world, g *exec.Graph) error {
	if err := g.Start(); err != nil {
		return err
	}
	w.expect(r.Case.Steps)
	for i, s := range r.Case.Steps {
		if err := w.step(s); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	if r.Case.Open {
		return nil
	}
	for _, s := range g.Scans {
		if err := s.End(); err != nil {
			return err
		}
	}
	return nil
}

func deadLetters(letters []letter) *memory {
	m := &memory{name: "dead letters", columns: []string{"source_table", "error_type", "error_message", "raw_payload"}}
	for _, l := range letters {
		c := change{op: "+I"}
		for _, s := range []string{l.table, l.kind, l.message, l.payload} {
			text, _ := json.Marshal(s) // a string can always be written
			c.values = append(c.values, text)
		}
		m.changes = append(m.changes, c)
	}
	return m
}

// judge compares what came out with what is expected.
func (r *Result) judge() {
	c := r.Case
	switch {
	case r.failed != "" && c.Error == "":
		r.Error = r.failed
		return
	case c.Error != "" && r.failed == "":
		r.Error = fmt.Sprintf("the job ends without an error, and one with %q is expected", c.Error)
	case c.Error != "" && !strings.Contains(r.failed, c.Error):
		r.Error = fmt.Sprintf("the error has no %q in it: %s", c.Error, r.failed)
	case c.Error == "" && len(c.Expect) == 0 && c.Late == nil && c.DeadLetters == nil:
		r.Error = "the test expects nothing: give expect, late, dead_letters or error"
	}
	for _, name := range slices.Sorted(maps.Keys(c.Expect)) {
		m := r.tables[name]
		if m == nil {
			r.Error = fmt.Sprintf("the job writes no table %q%s", name, suggest.Hint(name, slices.Sorted(maps.Keys(r.tables))))
			continue
		}
		r.look(m, c.Expect[name])
	}
	if c.DeadLetters != nil && r.dead != nil {
		r.look(r.dead, c.DeadLetters)
	}
	if c.Late != nil && *c.Late != r.late {
		r.Error = fmt.Sprintf("%d rows came too late, and %d are expected to", r.late, *c.Late)
	}
}

func (r *Result) look(m *memory, e *Expect) {
	if e == nil {
		e = &Expect{}
	}
	d, err := m.compare(e)
	if err != nil {
		r.Error = err.Error()
	}
	if d != nil {
		r.Diffs = append(r.Diffs, d)
	}
}
