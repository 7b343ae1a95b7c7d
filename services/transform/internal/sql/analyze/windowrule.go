package analyze

import (
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// windowAggregate makes GROUP BY window_start, window_end a window aggregate; nil
// if the keys hold no window.
func windowAggregate(n *plan.Aggregate) plan.Node {
	w := windowOf(n.Input)
	if w == nil || w.start < 0 || w.end < 0 || indexOfInt(n.Keys, w.start) < 0 || indexOfInt(n.Keys, w.end) < 0 ||
		n.Input.Out().Mode != plan.InsertOnly && w.assign != nil && w.assign.Window.Kind == plan.SessionWindow {
		return nil
	}
	out := &plan.WindowAggregate{Input: n.Input, Calls: n.Calls, Attached: &[2]int{w.start, w.end}}
	if w.assign != nil {
		out.Window = w.assign.Window
		// The bounds are attached, so the time column is the end's.
		out.Window.TimeColumn, out.Window.Partition = w.end, nil
		if w.time >= 0 {
			out.Window.TimeColumn = w.time
		}
	}
	properties := map[int]plan.Property{w.start: plan.WindowStart, w.end: plan.WindowEnd}
	if w.time >= 0 {
		properties[w.time] = plan.WindowRowtime
	}
	place := make([]int, len(n.Keys)) // of each key in the output
	for i, k := range n.Keys {
		if _, isProperty := properties[k]; !isProperty {
			place[i] = len(out.Keys)
			out.Keys = append(out.Keys, k)
			out.Fields = append(out.Fields, n.Fields[i])
		}
	}
	for i := range n.Calls {
		out.Fields = append(out.Fields, n.Fields[len(n.Keys)+i])
	}
	for i, k := range n.Keys {
		if p, isProperty := properties[k]; isProperty {
			place[i] = len(out.Fields)
			out.Properties = append(out.Properties, p)
			out.Fields = append(out.Fields, n.Fields[i])
		}
	}
	out.At, out.Bounded = n.At, n.Bounded
	unattach(out, w)
	es := make([]plan.Expr, len(n.Fields))
	for i := range es {
		col := len(out.Keys) + i - len(n.Keys)
		if i < len(n.Keys) {
			col = place[i]
		}
		es[i] = ref(out.Fields, col, n.At)
	}
	p := project(out, es, n.Fields, n.At)
	p.UniqueKey = n.UniqueKey
	return p
}

// unattach lets the aggregate assign the windows itself, reading what the window
// function read, when nothing between them uses the bounds.
func unattach(n *plan.WindowAggregate, w *windowColumns) {
	if w.assign == nil || w.assign.Window.Proctime {
		return
	}
	width := len(w.assign.Input.Out().Fields)
	in, ok := below(n.Input, w.assign, width)
	if !ok {
		return
	}
	bounds := map[int]bool{w.start: true, w.end: true}
	if w.time >= 0 {
		bounds[w.time] = true
	}
	for _, e := range callArgs(n.Calls) {
		set := map[int]bool{}
		plan.Columns(e, set)
		for c := range set {
			if bounds[c] {
				return
			}
		}
	}
	for _, c := range n.Calls {
		if bounds[c.Filter] {
			return
		}
	}
	n.Input, n.Attached = in, nil
	n.Window = w.assign.Window
	fields := in.Out().Fields
	n.Window.TimeColumn = len(fields) - 1
	partition := make([]int, 0, len(w.assign.Window.Partition))
	for _, p := range w.assign.Window.Partition {
		at := -1
		if pr, isProject := in.(*plan.Project); isProject {
			for i, e := range pr.Exprs {
				if r, isRef := e.(*plan.InputRef); isRef && r.Index == p {
					at = i
					break
				}
			}
		}
		if at < 0 {
			return
		}
		partition = append(partition, at)
	}
	n.Window.Partition = partition
}

func callArgs(calls []plan.AggCall) []plan.Expr {
	var out []plan.Expr
	for _, c := range calls {
		out = append(out, c.Args...)
	}
	return out
}

// below rebuilds the projections and filters between an aggregate and a window
// function over what the function reads. Columns that were the window's bounds
// become NULL, and the time column comes last. It fails where an expression uses
// the bounds.
func below(n plan.Node, assign *plan.WindowAssign, width int) (plan.Node, bool) {
	var es []plan.Expr
	var conds []plan.Expr
	if !compose(n, assign, &es, &conds) {
		return nil, false
	}
	fields := append([]types.Field{}, n.Out().Fields...)
	for i, e := range es {
		r, isRef := e.(*plan.InputRef)
		switch {
		case isRef && r.Index >= width:
			t := r.Typ.Plain().OrNull()
			es[i] = &plan.Literal{Meta: meta(t, r.At)}
			fields[i].Type = t
		case readsFrom(e, width):
			return nil, false
		}
	}
	for _, c := range conds {
		if readsFrom(c, width) {
			return nil, false
		}
	}
	in := assign.Input
	time := ref(in.Out().Fields, assign.Window.TimeColumn, assign.At)
	for _, p := range assign.Window.Partition {
		found := false
		for _, e := range es {
			if r, ok := e.(*plan.InputRef); ok && r.Index == p {
				found = true
			}
		}
		if !found {
			return nil, false
		}
	}
	es = append(es, time)
	fields = append(fields, types.Field{Name: time.Name, Type: time.Typ})
	return project(pushed(filter(in, conds...)), es, fields, n.Out().At), true
}

// pushed applies the rules to a filter that was just made.
func pushed(n plan.Node) plan.Node {
	if f, ok := n.(*plan.Filter); ok {
		return apply(f)
	}
	return n
}

func readsFrom(e plan.Expr, width int) bool {
	return plan.Any(e, func(e plan.Expr) bool {
		r, ok := e.(*plan.InputRef)
		return ok && r.Index >= width
	})
}

// compose writes a chain of projections and filters down to the window function
// as expressions over the function's output.
func compose(n plan.Node, assign *plan.WindowAssign, es, conds *[]plan.Expr) bool {
	switch n := n.(type) {
	case *plan.WindowAssign:
		if n != assign {
			return false
		}
		for i := range n.Fields {
			*es = append(*es, ref(n.Fields, i, n.At))
		}
		return true
	case *plan.Project:
		if !compose(n.Input, assign, es, conds) || !cheapToInline(n.Exprs, *es) {
			return false
		}
		out := make([]plan.Expr, len(n.Exprs))
		for i, e := range n.Exprs {
			out[i] = plan.Substitute(e, *es)
		}
		*es = out
		return true
	case *plan.Filter:
		if !compose(n.Input, assign, es, conds) {
			return false
		}
		*conds = append(*conds, plan.Substitute(n.Cond, *es))
		return true
	}
	return false
}
