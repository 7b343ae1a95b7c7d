package exec

import (
	"github.com/weirflow/weirflow/services/transform/internal/operator/group"
	"github.com/weirflow/weirflow/services/transform/internal/operator/join"
	"github.com/weirflow/weirflow/services/transform/internal/operator/match"
	"github.com/weirflow/weirflow/services/transform/internal/operator/over"
	"github.com/weirflow/weirflow/services/transform/internal/operator/rank"
	"github.com/weirflow/weirflow/services/transform/internal/operator/window"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// stateful makes the operators that keep state; ok is false for other nodes.
func (b *builder) stateful(n plan.Node) (name string, op Operator, ok bool, err error) {
	switch n := n.(type) {
	case *plan.Aggregate:
		op, err = group.New(n, b.env)
		return "GroupAggregate", op, true, err
	case *plan.Expand:
		op, err = group.NewExpand(n, b.env)
		return "Expand", op, true, err
	case *plan.WindowAggregate:
		if n.Window.Kind == plan.SessionWindow && n.Attached == nil {
			op, err = window.NewSession(n, b.env)
		} else {
			op, err = window.NewAggregate(n, b.env)
		}
		return "WindowAggregate", op, true, err
	case *plan.Over:
		op, err = over.New(n, b.env)
		return "OverAggregate", op, true, err
	case *plan.Match:
		op, err = match.New(n, b.env)
		return "Match", op, true, err
	case *plan.SetOp:
		return "SetOp", b.rightFirst(n, n.Left, group.NewSetOp(n, b.env)), true, nil
	case *plan.Join:
		op, err = join.New(n, b.env)
		return "Join", b.rightFirst(n, n.Left, op), true, err
	case *plan.IntervalJoin:
		op, err = join.NewInterval(n, b.env)
		return "IntervalJoin", op, true, err
	case *plan.WindowJoin:
		op, err = join.NewWindow(n, b.env)
		return "WindowJoin", op, true, err
	case *plan.TemporalJoin:
		op, err = join.NewTemporal(n, b.env)
		return "TemporalJoin", op, true, err
	case *plan.LookupJoin:
		op, err = join.NewLookup(n, b.env)
		return "LookupJoin", op, true, err
	case *plan.Rank:
		if n.Window != nil && n.Input.Out().Mode == plan.InsertOnly {
			op, err = rank.NewWindowTopN(n, b.env)
			return "WindowRank", op, true, err
		}
		op, err = rank.NewTopN(n, b.env)
		return "Rank", op, true, err
	case *plan.Normalize:
		return "ChangelogNormalize", rank.NewNormalize(n, b.env), true, nil
	case *plan.Materialize:
		return "SinkMaterializer", rank.NewMaterialize(n, b.env), true, nil
	case *plan.Deduplicate:
		if n.Window != nil {
			return "WindowDeduplicate", rank.NewWindowDeduplicate(n, b.env), true, nil
		}
		return "Deduplicate", rank.NewDeduplicate(n, b.env), true, nil
	case *plan.WindowAssign:
		if n.Window.Kind == plan.SessionWindow {
			return "WindowTableFunction", window.NewSessionAssign(n, b.env), true, nil
		}
		return "WindowTableFunction", window.NewAssign(n, b.env), true, nil
	}
	return "", nil, false, nil
}

// rightFirst lets an operator whose inputs both end take in all of the right first.
func (b *builder) rightFirst(n, left plan.Node, op Operator) Operator {
	if !n.Out().Bounded || op == nil {
		return op
	}
	return join.NewRightFirst(op, left.Out().Fields)
}

// oneGroup makes OVER with several windows a chain of nodes with one each.
func oneGroup(n plan.Node) plan.Node {
	o, ok := n.(*plan.Over)
	if !ok || len(o.Groups) < 2 {
		return n
	}
	last := len(o.Groups) - 1
	below, top := *o, *o
	below.Groups = o.Groups[:last]
	below.Fields = o.Fields[:len(o.Fields)-len(o.Groups[last].Calls)]
	top.Groups = o.Groups[last:]
	top.Input = oneGroup(&below)
	return &top
}
