package sqlcli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/connectors"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/script"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/types"
	"github.com/weirflow/weirflow/services/transform/internal/wasm"
)

// Options are what a run of a script is given.
type Options struct {
	// Init are statements that come before those of Script.
	Init   string
	Script string
	// Output is table, ndjson or csv.
	Output   string
	Settings map[string]string
	Stdout   io.Writer
	Stderr   io.Writer
	Logger   *slog.Logger
	// Limit ends each query after so many rows, Timeout after so long; 0 for never.
	Limit   int
	Timeout time.Duration
	// Width is that of the terminal that rows are drawn for; 0 for none.
	Width int
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
	if err := checkOutput(o.Output); err != nil {
		return err
	}
	out := &output{w: bufio.NewWriterSize(o.Stdout, 1<<16)}
	r := &runner{o: o, connectors: connectors.All(), out: out}
	return errors.Join(r.run(ctx), out.flush())
}

func checkOutput(mode string) error {
	if !slices.Contains([]string{"table", "ndjson", "csv"}, mode) {
		return fmt.Errorf("output %q is not one of table, ndjson, csv", mode)
	}
	return nil
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
	// attended says that someone waits for each statement and wants to know how it went.
	attended bool
	rows     int // of the last query; -1 when it was none
}

func (r *runner) run(ctx context.Context) error {
	first, err := sql.Parse(r.o.Init)
	if err != nil {
		return fmt.Errorf("--init: %w", err)
	}
	stmts, err := sql.Parse(r.o.Script)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := sql.NewSession(sql.Options{Setting: script.CheckSetting, Validate: r.connectors.Validate, Config: r.o.Settings, Operators: script.Operators(wasm.Library{Anywhere: true})})
	for i, st := range append(first, stmts...) {
		err := r.statement(ctx, s, st)
		if err == nil {
			continue
		}
		cancel()
		r.background.Wait()
		if i < len(first) {
			return fmt.Errorf("--init: %w", err)
		}
		return err
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
	p := r.printer(q.Root.Out().Fields)
	p.limit = r.o.Limit
	if r.o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.o.Timeout)
		defer cancel()
	}
	if err := p.header(); err != nil {
		return err
	}
	err := r.pipeline(ctx, s, []plan.Node{q.Root}, []exec.Sink{p}, []connector.Sink{p})
	if errors.Is(err, errLimit) {
		err = nil
	}
	r.rows = p.rows
	if err != nil && p.rows == 0 {
		return err // there is nothing to draw
	}
	return errors.Join(err, p.end())
}

// printer returns one for rows of the fields given, drawn where a terminal shows them.
func (r *runner) printer(fields []types.Field) *printer {
	p := newPrinter(r.o.Output, r.out, fields)
	if r.o.Width > 0 && r.o.Output == "table" {
		names := []string{"op"}
		for _, f := range fields {
			names = append(names, f.Name)
		}
		p.box = newBox(r.out, names, fields, r.o.Width)
	}
	return p
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
	if r.attended && !bounded {
		r.out.Println([]byte("running; Ctrl-C ends it"))
		if err := r.out.flush(); err != nil {
			return errors.Join(err, closeAll(sinks))
		}
	}
	if bounded || r.attended {
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
	once := script.Once{Connectors: r.connectors, Functions: wasm.Library{Anywhere: true}, Env: r.env(0), Config: s.Config()}
	return errors.Join(once.Run(ctx, roots, takers, sinks), r.out.flush())
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
	if r.o.Width > 0 && r.o.Output == "table" {
		r.draw(info)
		return r.out.flush()
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

// draw draws the rows that the front end itself answers.
func (r *runner) draw(info *sql.Info) {
	var names []string
	for _, c := range info.Columns {
		names = append(names, c.Name)
	}
	b := newBox(r.out, names, info.Columns, r.o.Width)
	for _, row := range info.Rows {
		cells := make([]string, len(row))
		for i, v := range row {
			if v != nil {
				cells[i] = *v
			}
		}
		b.row(cells)
	}
	r.rows = len(info.Rows)
	b.end()
}
