package sqlcli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/connectors"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/pipeline"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/script"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/wasm"
)

// Options are what a run of a script is given.
type Options struct {
	Script string
	// Output is table, ndjson or csv.
	Output   string
	Settings map[string]string
	Stdout   io.Writer
	Stderr   io.Writer
	Logger   *slog.Logger
}

// Run runs a script and returns the exit code: 0, or 1 when a statement or a
// value was wrong, which is then on Stderr with its line and column.
func Run(ctx context.Context, o Options) int {
	if err := Execute(ctx, o); err != nil {
		fmt.Fprintln(o.Stderr, err)
		return 1
	}
	return 0
}

// Execute runs a script; the error has the line and column of what is wrong.
func Execute(ctx context.Context, o Options) error {
	if !slices.Contains([]string{"table", "ndjson", "csv"}, o.Output) {
		return fmt.Errorf("output %q is not one of table, ndjson, csv", o.Output)
	}
	out := &output{w: bufio.NewWriterSize(o.Stdout, 1<<16)}
	r := &runner{o: o, connectors: connectors.All(), out: out}
	return errors.Join(r.run(ctx), out.flush())
}

// output is standard output, shared by all that prints.
type output struct {
	mu sync.Mutex
	w  *bufio.Writer
}

// Println prints a line.
func (o *output) Println(line []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, _ = o.w.Write(line) // the error comes again at flush
	_ = o.w.WriteByte('\n')
}

func (o *output) flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Flush()
}

type runner struct {
	o          Options
	connectors connector.Registry
	out        *output
	background sync.WaitGroup
	mu         sync.Mutex
	failed     []error
}

func (r *runner) run(ctx context.Context) error {
	stmts, err := sql.Parse(r.o.Script)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := sql.NewSession(sql.Options{Validate: r.connectors.Validate, Config: r.o.Settings})
	for _, st := range stmts {
		if err := r.statement(ctx, s, st); err != nil {
			cancel()
			r.background.Wait()
			return err
		}
	}
	r.background.Wait()
	return errors.Join(r.failed...)
}

func (r *runner) statement(ctx context.Context, s *sql.Session, st ast.Statement) error {
	res, err := s.Analyze(st)
	if err != nil {
		return placed(st, err)
	}
	switch {
	case res.Query != nil:
		return placed(st, r.query(ctx, s, res.Query))
	case res.Inserts != nil:
		return placed(st, r.inserts(ctx, s, st, res.Inserts))
	case res.Info != nil:
		return r.info(res.Info)
	case res.Message != "" && r.o.Output == "table":
		r.out.Println([]byte(res.Message))
	}
	return nil
}

// placed makes sure that an error says which statement it is about.
func placed(st ast.Statement, err error) error {
	if err == nil {
		return nil
	}
	err = script.Diagnose(err)
	var e *sql.Error
	if errors.As(err, &e) && e.Line > 0 {
		return err
	}
	return fmt.Errorf("line %d, column %d: %w", st.Pos().Line, st.Pos().Column, err)
}

// query runs a SELECT and prints its rows.
func (r *runner) query(ctx context.Context, s *sql.Session, q *plan.Query) error {
	p := newPrinter(r.o.Output, r.out, q.Root.Out().Fields)
	if err := p.header(); err != nil {
		return err
	}
	return r.pipeline(ctx, s, []plan.Node{q.Root}, []exec.Sink{p}, []connector.Sink{p})
}

// inserts runs INSERTs: those that end at once, the others beside what follows.
func (r *runner) inserts(ctx context.Context, s *sql.Session, st ast.Statement, set *plan.StatementSet) error {
	var roots []plan.Node
	var takers []exec.Sink
	var sinks []connector.Sink
	bounded := true
	for i, p := range set.Sinks {
		sink, err := r.connectors.Sink(r.env(uint32(i)), p)
		if err != nil {
			return errors.Join(err, closeAll(sinks))
		}
		roots, takers, sinks = append(roots, p.Input), append(takers, script.Checked(p, sink)), append(sinks, sink)
		bounded = bounded && p.Input.Out().Bounded
	}
	if bounded {
		return errors.Join(r.pipeline(ctx, s, roots, takers, sinks), closeAll(sinks))
	}
	r.background.Go(func() {
		err := errors.Join(r.pipeline(ctx, s, roots, takers, sinks), closeAll(sinks))
		r.mu.Lock()
		defer r.mu.Unlock()
		if err != nil {
			r.failed = append(r.failed, placed(st, err))
		}
	})
	return nil
}

func closeAll(sinks []connector.Sink) error {
	var errs []error
	for _, s := range sinks {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

func (r *runner) env(lane uint32) connector.Env {
	return connector.Env{Logger: r.o.Logger, Lane: lane, Now: time.Now, Print: r.out}
}

func (r *runner) pipeline(ctx context.Context, s *sql.Session, roots []plan.Node, takers []exec.Sink, sinks []connector.Sink) error {
	functions := wasm.Library{Anywhere: true}.Open()
	g, err := exec.Build(roots, takers, script.EnvOf(s.Config(), time.Now, functions))
	if err != nil {
		return errors.Join(err, functions.Close())
	}
	if err := r.connectors.OpenLookups(r.env(0), g); err != nil {
		return errors.Join(err, g.Close())
	}
	var inputs []pipeline.Input
	for i, scan := range g.Scans {
		src, err := r.connectors.Source(r.env(0), scan.Plan)
		if err != nil {
			return err
		}
		inputs = append(inputs, pipeline.Input{Name: scan.Plan.Table.Name + "#" + strconv.Itoa(i), Scan: scan, Source: src})
	}
	err = pipeline.Run(ctx, pipeline.Config{Graph: g, Inputs: inputs, Sinks: sinks})
	return errors.Join(err, g.Close(), functions.Close(), r.out.flush())
}

// info prints rows that the front end itself answers.
func (r *runner) info(info *sql.Info) error {
	if r.o.Output == "table" && len(info.Columns) == 1 && info.Columns[0].Name == "result" {
		for _, row := range info.Rows { // a plan or a statement: text of several lines
			if row[0] != nil {
				r.out.Println([]byte(strings.TrimSuffix(*row[0], "\n")))
			}
		}
		return nil
	}
	p := newPrinter(r.o.Output, r.out, info.Columns)
	if err := p.header(); err != nil {
		return err
	}
	for _, row := range info.Rows {
		p.texts("+I", row)
	}
	return nil
}
