package join_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator/join"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// table collects what an operator puts out: each row with how often it is there.
type table map[string]int

func (t table) Watermark(int64) error { return nil }

func (t table) Emit(b *column.Batch) error {
	for i := range b.Len {
		var row []any
		for _, c := range b.Cols {
			row = append(row, c.Value(i))
		}
		t.add(b.Kind(i), row)
	}
	return nil
}

func (t table) add(k column.Kind, row []any) {
	key := fmt.Sprint(row...)
	if k == column.Insert || k == column.UpdateAfter {
		t[key]++
	} else {
		t[key]--
	}
	if t[key] == 0 {
		delete(t, key)
	}
}

type pair struct{ k, v any } // int64 or nil

func fields() []types.Field {
	return []types.Field{{Name: "k", Type: types.Of(types.Int)}, {Name: "v", Type: types.Of(types.BigInt)}}
}

func input() plan.Node {
	return &plan.Scan{Output: plan.Output{Fields: fields(), Mode: plan.Retract}}
}

func one(p pair, kind column.Kind) *column.Batch {
	b := &column.Batch{Len: 1, Kinds: []column.Kind{kind}}
	for i, x := range []any{p.k, p.v} {
		v := column.New(fields()[i].Type)
		v.Append(x)
		b.Cols = append(b.Cols, v)
	}
	return b
}

// matches is the condition k = k AND left v < right v + 2, which NULLs do not fulfil.
func matches(l, r pair) bool {
	if l.k == nil || r.k == nil || l.v == nil || r.v == nil {
		return false
	}
	return l.k == r.k && l.v.(int64) < r.v.(int64)+2
}

// joined computes a join from whole tables.
func joined(kind plan.JoinKind, left, right []pair) table {
	t := table{}
	used := make([]bool, len(right))
	for _, l := range left {
		found := false
		for i, r := range right {
			if !matches(l, r) {
				continue
			}
			found, used[i] = true, true
			if kind < plan.SemiJoin {
				t.add(column.Insert, []any{l.k, l.v, r.k, r.v})
			}
		}
		switch {
		case kind == plan.MarkJoin:
			t.add(column.Insert, []any{l.k, l.v, found})
		case kind == plan.SemiJoin && found, kind == plan.AntiJoin && !found:
			t.add(column.Insert, []any{l.k, l.v})
		case (kind == plan.LeftJoin || kind == plan.FullJoin) && !found:
			t.add(column.Insert, []any{l.k, l.v, nil, nil})
		}
	}
	for i, r := range right {
		if !used[i] && (kind == plan.RightJoin || kind == plan.FullJoin) {
			t.add(column.Insert, []any{nil, nil, r.k, r.v})
		}
	}
	return t
}

func node(kind plan.JoinKind) *plan.Join {
	ref := func(i int) plan.Expr { return &plan.InputRef{Meta: plan.Meta{Typ: types.Of(types.BigInt)}, Index: i} }
	two := &plan.Literal{Meta: plan.Meta{Typ: types.Of(types.BigInt)}, Value: int64(2)}
	sum := &plan.Call{Meta: plan.Meta{Typ: types.Of(types.BigInt)}, Function: plan.FnPlus, Args: []plan.Expr{ref(3), two}}
	n := &plan.Join{Left: input(), Right: input(), Kind: kind}
	n.On = plan.On{LeftKeys: []int{0}, RightKeys: []int{0}, NullSafe: []bool{false},
		Residual: &plan.Call{Meta: plan.Meta{Typ: types.Of(types.Boolean)}, Function: plan.FnLess, Args: []plan.Expr{ref(1), sum}}}
	n.Fields = fields()
	switch kind {
	case plan.SemiJoin, plan.AntiJoin:
	case plan.MarkJoin:
		n.Fields = append(n.Fields, types.Field{Name: "m", Type: types.Of(types.Boolean)})
	default:
		n.Fields = append(n.Fields, fields()...)
	}
	return n
}

// TestJoinOfRandomChanges compares what the changes of a join come to with the
// join of the tables as they are in the end.
func TestJoinOfRandomChanges(t *testing.T) {
	for kind := plan.InnerJoin; kind <= plan.MarkJoin; kind++ {
		for seed := range uint64(30) {
			t.Run(fmt.Sprintf("%s/%d", kind, seed), func(t *testing.T) {
				random(t, kind, rand.New(rand.NewPCG(seed, 7)))
			})
		}
	}
}

func random(t *testing.T, kind plan.JoinKind, r *rand.Rand) {
	op, err := join.New(node(kind), eval.Env{})
	if err != nil {
		t.Fatal(err)
	}
	got := table{}
	var sides [2][]pair
	value := func(n int) any {
		if r.IntN(8) == 0 {
			return nil
		}
		return int64(r.IntN(n))
	}
	for step := range 120 {
		side := r.IntN(2)
		p, change := pair{value(3), value(4)}, column.Insert
		if n := len(sides[side]); n > 0 && r.IntN(5) < 2 {
			at := r.IntN(n)
			p, change = sides[side][at], column.Delete
			sides[side] = append(sides[side][:at], sides[side][at+1:]...)
		} else {
			sides[side] = append(sides[side], p)
		}
		if err := op.Process(side, one(p, change), got); err != nil {
			t.Fatal(err)
		}
		if want := joined(kind, sides[0], sides[1]); !maps.Equal(got, want) {
			t.Fatalf("after step %d\ngot  %v\nwant %v\nleft %v\nright %v", step, got, want, sides[0], sides[1])
		}
	}
}
