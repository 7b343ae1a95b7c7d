// Package script turns the text of a job into what the engine runs.
package script

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/flinkmetrics/promgateway"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/explain"
	"github.com/weirflow/weirflow/services/transform/internal/wasm"
)

// Program is a job's statements, checked and planned.
type Program struct {
	// Sinks are all INSERTs, which share what they read.
	Sinks  []*plan.Sink
	Config map[string]string
	// State names an operator that keeps state, empty when none does.
	State string
	// Remembers are the operators with something to remember.
	Remembers []exec.Remembered
	// Operators are those that run.
	Operators []explain.Operator
	// Inputs are what is read.
	Inputs []Input
}

// Compile checks the statements of a job. Parameters are settings as SET gives
// them. The error is a *sql.Error where the text is at fault.
func Compile(text string, parameters map[string]string, connectors connector.Registry, functions wasm.Library) (*Program, error) {
	stmts, err := sql.Parse(text)
	if err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(parameters)) {
		if err := CheckSetting(key, parameters[key]); err != nil {
			return nil, &sql.Error{Message: fmt.Sprintf("the parameter '%s': %v", key, err)}
		}
	}
	s := sql.NewSession(sql.Options{Setting: CheckSetting, Validate: connectors.Validate, Config: parameters, Operators: Operators(functions)})
	p := &Program{}
	var inserts []*ast.Insert
	for _, st := range stmts {
		res, err := s.Analyze(st)
		if err != nil {
			return nil, Located(st, err)
		}
		switch {
		case res.Query != nil:
			return nil, diag.At(st.Pos(), "a job does not show rows: SELECT stands alone").WithHint("write INSERT INTO … SELECT …")
		case res.Inserts != nil:
			p.Sinks = append(p.Sinks, res.Inserts.Sinks...)
		}
		switch st := st.(type) {
		case *ast.Insert:
			inserts = append(inserts, st)
		case *ast.CreateTable:
			if st.As != nil && res.Inserts != nil {
				inserts = append(inserts, st.Insert())
			}
		case *ast.StatementSet:
			inserts = append(inserts, st.Inserts...)
		}
	}
	if len(inserts) == 0 {
		return nil, &sql.Error{Message: "the job writes nothing", Hint: "add INSERT INTO … SELECT …"}
	}
	if len(inserts) > 1 {
		// Together they share their scans. A table that was dropped in between keeps them apart.
		if res, err := s.Analyze(&ast.StatementSet{Inserts: inserts}); err == nil && res.Inserts != nil {
			p.Sinks = res.Inserts.Sinks
		}
	}
	p.Config = s.Config()
	if _, err := promgateway.Parse(p.Config); err != nil {
		return nil, &sql.Error{Message: err.Error()}
	}
	for _, sink := range p.Sinks {
		if err := connectors.CheckSink(sink); err != nil {
			return nil, &sql.Error{Line: sink.At.Line, Column: sink.At.Column, Message: err.Error()}
		}
	}
	return p, p.dryRun(connectors, functions.Open())
}

// dryRun builds the operators, so that what the engine cannot do is told before the job runs.
func (p *Program) dryRun(connectors connector.Registry, functions *wasm.Functions) (err error) {
	defer func() { err = errors.Join(err, functions.Close()) }()
	roots := make([]plan.Node, 0, len(p.Sinks))
	for _, s := range p.Sinks {
		roots = append(roots, s.Input)
	}
	g, err := exec.Build(roots, make([]exec.Sink, len(roots)), p.Env(nil, functions))
	if err != nil {
		return Diagnose(err)
	}
	names := make(map[string]int)
	for _, scan := range g.Scans {
		p.Inputs = append(p.Inputs, Input{Name: InputName(names, scan.Plan.Table), Table: scan.Plan.Table})
		if err := connectors.CheckScan(scan.Plan); err != nil {
			at := scan.Plan.Out().At
			return errors.Join(&sql.Error{Line: at.Line, Column: at.Column, Message: err.Error()}, g.Close())
		}
	}
	for _, l := range g.Lookups {
		if err := connectors.CheckLookup(l.Plan); err != nil {
			return errors.Join(&sql.Error{Line: l.Plan.At.Line, Column: l.Plan.At.Column, Message: err.Error()}, g.Close())
		}
	}
	p.State, p.Remembers = g.Stateful(), g.Remembers()
	p.Operators = g.Operators(sinkTexts(p.Sinks))
	return g.Close()
}

// Diagnose gives an error of the engine the form of one of the front end.
func Diagnose(err error) error {
	if u, ok := errors.AsType[*eval.Unsupported](err); ok {
		return &sql.Error{Line: u.At.Line, Column: u.At.Column, Message: u.What + " is not supported yet"}
	}
	if v, ok := errors.AsType[*eval.Error](err); ok {
		return &sql.Error{Line: v.At.Line, Column: v.At.Column, Message: v.Err.Error()}
	}
	return err
}

// Located puts the place of a statement to an error that has none.
func Located(st ast.Statement, err error) error {
	if _, ok := errors.AsType[*sql.Error](err); ok {
		return err
	}
	return &sql.Error{Line: st.Pos().Line, Column: st.Pos().Column, Message: err.Error()}
}

// Env is the environment of a program's expressions; a nil clock is the real one.
func (p *Program) Env(now func() time.Time, functions eval.Functions) eval.Env {
	return EnvOf(p.Config, now, functions)
}

// EnvOf is the environment that settings describe.
func EnvOf(config map[string]string, now func() time.Time, functions eval.Functions) eval.Env {
	env := eval.Env{Now: now, Zone: time.UTC, Functions: functions}
	if name := config["table.local-time-zone"]; name != "" && name != "default" {
		if zone, err := time.LoadLocation(strings.TrimPrefix(name, "GMT")); err == nil {
			env.Zone = zone
		} else if zone, err := time.LoadLocation(name); err == nil {
			env.Zone = zone
		}
	}
	if d, err := connector.ParseDuration(config["table.exec.state.ttl"]); err == nil {
		env.StateTTL = d
	}
	if text, ok := config["table.exec.source.idle-timeout"]; ok {
		if d, err := connector.ParseDuration(text); err == nil && d > 0 {
			env.IdleTimeout = d
		} else {
			env.IdleTimeout = -1
		}
	}
	return env
}

// CheckpointInterval is what execution.checkpointing.interval says; 0 without it.
func (p *Program) CheckpointInterval() time.Duration {
	d, err := connector.ParseDuration(p.Config["execution.checkpointing.interval"])
	if err != nil {
		return 0
	}
	return d
}

// Indexed reports whether a table's rows become documents.
func Indexed(t *plan.Table) bool {
	o, err := connector.Modernize(t.Options)
	return err == nil && strings.HasPrefix(o["connector"], "elasticsearch")
}
