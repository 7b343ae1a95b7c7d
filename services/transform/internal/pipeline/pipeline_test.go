package pipeline_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/weirflow/weirflow/services/platform/ledger"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/pipeline"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

type origin struct{}

func (origin) AppendEventID(b []byte, _ int) []byte { return b }
func (origin) Partition(int) int                    { return 0 }
func (origin) Describe(int) string                  { return "a record" }
func (origin) EventMillis(int) int64                { return 0 }

// source gives chunks of four records: the numbers 0 to 3.
type source struct{ chunks int }

func (s *source) Run(_ context.Context, _ []connector.Position, emit func(connector.Chunk) error) error {
	for c := range s.chunks {
		v := column.New(types.Of(types.Int))
		v.Reset(4)
		for i := range 4 {
			v.Ints[i] = int64(i)
		}
		released := make(chan struct{})
		err := emit(connector.Chunk{Batch: &column.Batch{Len: 4, Cols: []*column.Vector{v}, Origin: origin{}}, Records: 4,
			Positions: []connector.Position{{Topic: "t", Offset: int64(c+1) * 4}}, Release: func() { close(released) }})
		if err != nil {
			return err
		}
		<-released
	}
	return nil
}

// sink keeps receipts until it is told what became of them.
type sink struct {
	mu   sync.Mutex
	held []*exec.Receipt
	hold bool
	err  error
}

func (s *sink) Write(_ *column.Batch, r *exec.Receipt) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Hold()
	s.held = append(s.held, r)
	return nil
}

func (s *sink) Poll(time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hold {
		return nil
	}
	for _, v := range slices.Backward(s.held) { // answers come out of order
		v.Release(s.err)
	}
	s.held = nil
	return nil
}

func (s *sink) Flush(context.Context) error { return s.Poll(time.Time{}) }
func (s *sink) Close() error                { return nil }

// graph keeps the rows above 1: half of each chunk.
func graph(t *testing.T, s exec.Sink) *exec.Graph {
	t.Helper()
	typ := types.Of(types.Int)
	out := plan.Output{Fields: []types.Field{{Name: "n", Type: typ}}}
	scan := &plan.Scan{Output: out, Table: &plan.Table{Name: "t"}, Columns: []plan.ScanColumn{{Name: "n", Type: typ}}}
	more := &plan.Call{Meta: plan.Meta{Typ: types.Of(types.Boolean)}, Function: plan.FnGreater, Args: []plan.Expr{
		&plan.InputRef{Meta: plan.Meta{Typ: typ}}, &plan.Literal{Meta: plan.Meta{Typ: typ}, Value: int64(1)}}}
	g, err := exec.Build([]plan.Node{&plan.Filter{Output: out, Input: scan, Cond: more}}, []exec.Sink{s}, eval.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func run(t *testing.T, s *sink, chunks int) (ledger.Account, map[string][]connector.Position, error) {
	t.Helper()
	book, err := ledger.NewBook("transform", "test", noop.NewMeterProvider())
	if err != nil {
		t.Fatal(err)
	}
	g := graph(t, s)
	var saved map[string][]connector.Position
	err = pipeline.Run(t.Context(), pipeline.Config{Graph: g, Sinks: []connector.Sink{s}, Stage: book.Stage("job"),
		Inputs:          []pipeline.Input{{Name: "t", Scan: g.Scans[0], Source: &source{chunks: chunks}}},
		CheckpointEvery: time.Millisecond,
		Checkpoint: func(_ context.Context, p map[string][]connector.Position) error {
			saved = p
			return nil
		}})
	return book.Stage("job").Account(), saved, err
}

func TestAcknowledgedRecordsAreAccountedForAndSafe(t *testing.T) {
	a, saved, err := run(t, &sink{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	if a.In != 40 || a.Out != 20 || a.Filtered != 20 || a.InFlight != 0 {
		t.Errorf("account %+v, want 40 in, 20 out, 20 filtered", a)
	}
	if len(saved["t"]) != 1 || saved["t"][0].Offset != 40 {
		t.Errorf("checkpoint %v, want offset 40", saved)
	}
}

func TestRefusedRowsFailTheRunAndAreGivenBack(t *testing.T) {
	refused := errors.New("refused")
	a, saved, err := run(t, &sink{err: refused}, 10)
	if !errors.Is(err, refused) {
		t.Fatalf("error %v, want the sink's", err)
	}
	if a.Out != 0 || a.In != a.Filtered || a.InFlight != 0 {
		t.Errorf("account %+v: what did not get through must be given back", a)
	}
	if saved != nil {
		t.Errorf("checkpoint %v of what was not acknowledged", saved)
	}
}
