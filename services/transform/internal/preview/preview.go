// Package preview runs a SELECT on what comes into its tables, for a while and
// without leaving a trace: nothing is written, and no consumer group is moved.
package preview

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"strconv"
	"time"

	"github.com/weirflow/weirflow/services/platform/ledger"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/script"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/types"
	"github.com/weirflow/weirflow/services/transform/internal/wasm"
)

// Mode says where topics are read from.
type Mode uint8

// The modes.
const (
	Latest Mode = iota
	Earliest
	Since
)

// Request is what to run and how much of it.
type Request struct {
	// SQL are definitions, and at their end the query.
	SQL        string
	Parameters map[string]string
	Mode       Mode
	// Since is where Since begins.
	Since time.Time
	Rows  int
	Bytes int64
	Time  time.Duration
}

// Reason is why a preview ended.
type Reason uint8

// The reasons.
const (
	Ended Reason = iota // all inputs have
	Rows
	Bytes
	Time
)

// End is how a preview ended.
type End struct {
	Reason  Reason
	Rows    int
	Records uint64
}

// Taker is who looks at it. An error ends the preview.
type Taker interface {
	Columns(fields []types.Field) error
	// Row is one change; a nil text is NULL.
	Row(op string, values []*string) error
}

// Runner runs previews.
type Runner struct {
	Connectors connector.Registry
	Functions  wasm.Library
	Logger     *slog.Logger
}

// Run runs a preview until a limit is reached, its inputs end, or the context does.
// The error is a *sql.Error where the text is at fault.
func (r Runner) Run(ctx context.Context, req Request, to Taker) (End, error) {
	q, config, err := r.plan(req)
	if err != nil {
		return End{}, err
	}
	if err := to.Columns(q.Root.Out().Fields); err != nil {
		return End{}, err
	}
	stage := &ledger.Stage{}
	s := &sink{to: to, req: req, stage: stage}
	timed, cancel := context.WithTimeout(ctx, req.Time)
	defer cancel()
	once := script.Once{Connectors: r.Connectors, Functions: r.Functions, Config: config, Stage: stage,
		Env: connector.Env{Logger: r.Logger, Now: time.Now, Print: nowhere{}}}
	err = once.Run(timed, []plan.Node{q.Root}, []exec.Sink{s}, nil)
	end := End{Reason: s.full, Rows: s.rows, Records: stage.Account().In}
	switch {
	case errors.Is(err, errFull):
		end.Records = s.records // those of a run that is broken off do not count as read
		return end, nil
	case ctx.Err() != nil:
		return end, ctx.Err()
	case err != nil:
		return end, script.Diagnose(err)
	case timed.Err() != nil:
		end.Reason = Time
	}
	return end, nil
}

// nowhere takes what the print connector would print.
type nowhere struct{}

func (nowhere) Println([]byte) {}

// plan returns the query, whose tables are read from where the request says.
func (r Runner) plan(req Request) (*plan.Query, map[string]string, error) {
	stmts, err := sql.Parse(req.SQL)
	if err != nil {
		return nil, nil, err
	}
	s := sql.NewSession(sql.Options{Setting: script.CheckSetting, Validate: r.Connectors.Validate, Config: req.Parameters})
	var query *plan.Query
	var asked ast.Statement
	for _, st := range stmts {
		if query != nil {
			return nil, nil, diag.At(st.Pos(), "a preview shows one SELECT, and it stands at the end")
		}
		res, err := s.Analyze(st)
		switch {
		case err != nil:
			return nil, nil, script.Located(st, err)
		case res.Inserts != nil:
			return nil, nil, diag.At(st.Pos(), "a preview writes nothing: INSERT cannot be previewed").WithHint("leave INSERT INTO … out and keep its SELECT")
		}
		query, asked = res.Query, st
	}
	if query == nil {
		return nil, nil, &sql.Error{Message: "there is nothing to preview", Hint: "end the statements with a SELECT"}
	}
	if err := r.prepare(query.Root, req); err != nil {
		return nil, nil, script.Located(asked, err)
	}
	return query, s.Config(), nil
}

// prepare changes the scans to read from where the request says, and checks them.
func (r Runner) prepare(root plan.Node, req Request) error {
	var err error
	plan.WalkNodes(root, func(n plan.Node) {
		scan, ok := n.(*plan.Scan)
		if !ok || err != nil {
			return
		}
		table := *scan.Table
		if table.Options, err = startAt(table.Options, req); err != nil {
			return
		}
		scan.Table = &table
		if bad := r.Connectors.CheckScan(scan); bad != nil {
			err = &sql.Error{Line: scan.At.Line, Column: scan.At.Column, Message: bad.Error()}
		}
	})
	return err
}

// startAt returns options that read from where the request says and keep no dead letters.
func startAt(options map[string]string, req Request) (map[string]string, error) {
	modern, err := connector.Modernize(options)
	if err != nil || modern["connector"] != "kafka" && modern["connector"] != "upsert-kafka" {
		return options, err
	}
	out := make(map[string]string, len(modern))
	maps.Copy(out, modern)
	if m := out["error-handling.mode"]; m != "" && m != "off" {
		out["error-handling.mode"] = "log"
		for _, k := range []string{"error-handling.dlq.table", "error-handling.fail-after.ratio", "error-handling.fail-after.window"} {
			delete(out, k)
		}
	}
	if modern["connector"] != "kafka" {
		return out, nil
	}
	delete(out, "scan.startup.specific-offsets")
	delete(out, "scan.startup.timestamp-millis")
	switch req.Mode {
	case Earliest:
		out["scan.startup.mode"] = "earliest-offset"
	case Since:
		out["scan.startup.mode"], out["scan.startup.timestamp-millis"] = "timestamp", strconv.FormatInt(req.Since.UnixMilli(), 10)
	default:
		out["scan.startup.mode"] = "latest-offset"
	}
	return out, nil
}

// errFull ends a run whose limit is reached.
var errFull = errors.New("the preview is full")

// sink gives rows to a taker until a limit is reached.
type sink struct {
	to    Taker
	req   Request
	rows  int
	bytes int64
	full  Reason
	// records were read when it was full
	stage   *ledger.Stage
	records uint64
}

// Write passes rows on.
func (s *sink) Write(b *column.Batch, _ *exec.Receipt) error {
	for i := range b.Len {
		row := make([]*string, len(b.Cols))
		for c, col := range b.Cols {
			if col.IsNull(i) {
				continue
			}
			text := string(eval.AppendText(nil, col, i, time.UTC))
			row[c] = &text
			s.bytes += int64(len(text))
		}
		if s.bytes > s.req.Bytes {
			return s.end(Bytes)
		}
		if err := s.to.Row(b.Kind(i).String(), row); err != nil {
			return err
		}
		if s.rows++; s.rows >= s.req.Rows {
			return s.end(Rows)
		}
	}
	return nil
}

func (s *sink) end(why Reason) error {
	s.full, s.records = why, s.stage.Account().In
	return errFull
}
