// Package prune removes columns that nothing reads from a plan, and notes on
// each scan which parts of nested columns are read.
package prune

import (
	"slices"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// usage is what is read of a column: all of it, or the fields at some paths.
type usage struct {
	whole bool
	paths [][]int
}

// needs is what is read of a node's output, by column.
type needs map[int]*usage

func (n needs) get(col int) *usage {
	u := n[col]
	if u == nil {
		u = &usage{}
		n[col] = u
	}
	return u
}

// path notes that the field at a path of a column is read.
func (n needs) path(col int, path []int) {
	u := n.get(col)
	if len(path) == 0 {
		u.whole = true
		u.paths = nil
	}
	if u.whole {
		return
	}
	for _, p := range u.paths {
		if hasPrefix(path, p) {
			return
		}
		if hasPrefix(p, path) {
			u.paths = slices.DeleteFunc(slices.Clone(u.paths), func(q []int) bool { return hasPrefix(q, path) })
			u.paths = append(u.paths, path)
			return
		}
	}
	u.paths = append(u.paths, path)
}

func hasPrefix(path, prefix []int) bool {
	return len(path) >= len(prefix) && slices.Equal(path[:len(prefix)], prefix)
}

// merge notes what another reader wants of a column.
func (n needs) merge(col int, u *usage) {
	if u.whole {
		n.path(col, nil)
		return
	}
	for _, p := range u.paths {
		n.path(col, p)
	}
}

func (n needs) whole(cols ...int) {
	for _, c := range cols {
		if c >= 0 {
			n.path(c, nil)
		}
	}
}

// expr notes what an expression reads.
func (n needs) expr(e plan.Expr) {
	if e == nil {
		return
	}
	if col, path, ok := access(e); ok {
		n.path(col, path)
		return
	}
	for _, k := range plan.Children(e) {
		n.expr(k)
	}
}

// access reads an expression that is a column or a field inside one.
func access(e plan.Expr) (col int, path []int, ok bool) {
	switch e := e.(type) {
	case *plan.InputRef:
		return e.Index, nil, true
	case *plan.FieldAccess:
		col, path, ok = access(e.X)
		return col, append(slices.Clone(path), e.Index), ok
	}
	return 0, nil, false
}

func (n needs) sortKeys(keys []plan.SortKey) {
	for _, k := range keys {
		n.whole(k.Column)
	}
}

func (n needs) calls(calls []plan.AggCall) {
	for _, c := range calls {
		for _, a := range c.Args {
			n.expr(a)
		}
		n.whole(c.Filter)
		n.sortKeys(c.OrderBy)
	}
}

// all notes that every column of a node is read.
func (n needs) all(node plan.Node) {
	for i := range node.Out().Fields {
		n.whole(i)
	}
}
