package join_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator/join"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// outside is a table of pairs that counts the questions and what they ask for.
type outside struct {
	rows      []pair
	questions []int
	miss      int // questions that find nothing
	err       error
	closed    bool
}

func (o *outside) Lookup(_ context.Context, keys *column.Batch) (join.Answer, error) {
	o.questions = append(o.questions, keys.Len)
	b := &column.Batch{Cols: []*column.Vector{column.New(fields()[0].Type), column.New(fields()[1].Type)}}
	var of []int32
	for i := range keys.Len {
		for _, r := range o.rows {
			if len(o.questions) > o.miss && r.k == keys.Cols[0].Ints[i] {
				b.Cols[0].Append(r.k)
				b.Cols[1].Append(r.v)
				of = append(of, int32(i))
			}
		}
	}
	b.Len = len(of)
	return join.Answer{Rows: b, Of: of}, o.err
}

func (o *outside) Close() error {
	o.closed = true
	return nil
}

func lookupNode(kind plan.JoinKind, hints map[string]string) *plan.LookupJoin {
	right := &plan.Scan{Table: &plan.Table{Name: "d"}, Output: plan.Output{Fields: fields()}}
	n := &plan.LookupJoin{Left: input(), Right: right, Table: right.Table, Kind: kind, Hints: hints}
	n.On = node(kind).On
	n.Left.Out().Fields = fields()
	n.Fields = append(fields(), fields()...)
	return n
}

func several(pairs ...pair) *column.Batch {
	b := &column.Batch{Len: len(pairs), Cols: []*column.Vector{column.New(fields()[0].Type), column.New(fields()[1].Type)}}
	for _, p := range pairs {
		b.Cols[0].Append(p.k)
		b.Cols[1].Append(p.v)
	}
	return b
}

func TestLookup(t *testing.T) {
	t.Parallel()
	rows := []pair{{int64(1), int64(10)}, {int64(1), int64(11)}, {int64(2), int64(0)}}
	left := []pair{{int64(1), int64(5)}, {int64(1), int64(12)}, {int64(2), int64(9)}, {nil, int64(1)}, {int64(3), int64(1)}}
	for _, kind := range []plan.JoinKind{plan.InnerJoin, plan.LeftJoin} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			op, err := join.NewLookup(lookupNode(kind, nil), eval.Env{})
			if err != nil {
				t.Fatal(err)
			}
			o := &outside{rows: rows}
			op.Open(o, join.CacheConfig{})
			got := table{}
			if err := op.Process(0, several(left...), got); err != nil {
				t.Fatal(err)
			}
			want := joined(kind, left, rows)
			if len(got) != len(want) {
				t.Errorf("got %v, want %v", got, want)
			}
			for k, n := range want {
				if got[k] != n {
					t.Errorf("%s: %d times, want %d", k, got[k], n)
				}
			}
			if !slices.Equal(o.questions, []int{3}) {
				t.Errorf("questions %v, want one for the three keys", o.questions)
			}
			if err := op.Close(); err != nil || !o.closed {
				t.Errorf("close: %v", err)
			}
		})
	}
}

func TestLookupCache(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(0)
	tests := []struct {
		name  string
		cfg   join.CacheConfig
		wait  time.Duration
		keys  []int64
		asked int
	}{
		{"none", join.CacheConfig{}, 0, []int64{1, 1, 9}, 3},
		{"kept", join.CacheConfig{Keep: true, Missing: true}, time.Hour, []int64{1, 1, 9, 9}, 2},
		{"missing not kept", join.CacheConfig{Keep: true}, 0, []int64{1, 1, 9, 9}, 3},
		{"after write", join.CacheConfig{Keep: true, AfterWrite: time.Minute}, 40 * time.Second, []int64{1, 1, 1, 1}, 2},
		{"after access", join.CacheConfig{Keep: true, AfterAccess: time.Minute}, 40 * time.Second, []int64{1, 1, 1, 1}, 1},
		{"the one used last stays", join.CacheConfig{Keep: true, MaxRows: 1}, 0, []int64{1, 2, 2, 1}, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			op, err := join.NewLookup(lookupNode(plan.LeftJoin, nil), eval.Env{Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			o := &outside{rows: []pair{{int64(1), int64(10)}, {int64(2), int64(20)}}}
			op.Open(o, tt.cfg)
			for _, k := range tt.keys {
				if err := op.Process(0, several(pair{k, int64(0)}), table{}); err != nil {
					t.Fatal(err)
				}
				now = now.Add(tt.wait)
			}
			if len(o.questions) != tt.asked {
				t.Errorf("%d questions, want %d", len(o.questions), tt.asked)
			}
		})
	}
}

func TestLookupAsksAgain(t *testing.T) {
	t.Parallel()
	hints := map[string]string{"retry-predicate": "lookup_miss", "retry-strategy": "fixed_delay", "fixed-delay": "1 ms", "max-attempts": "3"}
	op, err := join.NewLookup(lookupNode(plan.InnerJoin, hints), eval.Env{})
	if err != nil {
		t.Fatal(err)
	}
	o := &outside{rows: []pair{{int64(1), int64(10)}}, miss: 2}
	op.Open(o, join.CacheConfig{})
	got := table{}
	if err := op.Process(0, several(pair{int64(1), int64(0)}), got); err != nil || len(got) != 1 || len(o.questions) != 3 {
		t.Errorf("got %v after %d questions: %v", got, len(o.questions), err)
	}
}

func TestLookupFaults(t *testing.T) {
	t.Parallel()
	for name, hints := range map[string]map[string]string{
		"unknown":  {"retry-predicat": "lookup_miss"},
		"attempts": {"retry-predicate": "lookup_miss", "fixed-delay": "1s", "max-attempts": "0"},
		"delay":    {"retry-predicate": "lookup_miss", "fixed-delay": "soon", "max-attempts": "3"},
		"strategy": {"retry-predicate": "lookup_miss", "retry-strategy": "often", "fixed-delay": "1s", "max-attempts": "3"},
	} {
		if _, err := join.NewLookup(lookupNode(plan.InnerJoin, hints), eval.Env{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	op, err := join.NewLookup(lookupNode(plan.InnerJoin, nil), eval.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if err := op.Process(0, several(pair{int64(1), int64(0)}), table{}); err == nil {
		t.Error("rows before the table was opened")
	}
	away := errors.New("away")
	op.Open(&outside{err: away}, join.CacheConfig{})
	if err := op.Process(0, several(pair{int64(1), int64(0)}), table{}); !errors.Is(err, away) {
		t.Errorf("error %v", err)
	}
}
