package plan

import (
	"bytes"

	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Children returns the expressions directly inside e. A subquery's plan is not
// looked into.
func Children(e Expr) []Expr {
	switch e := e.(type) {
	case *Call:
		return e.Args
	case *Cast:
		return []Expr{e.X}
	case *Case:
		out := make([]Expr, 0, 2*len(e.Whens)+1)
		for _, w := range e.Whens {
			out = append(out, w.Cond, w.Then)
		}
		return append(out, e.Else)
	case *FieldAccess:
		return []Expr{e.X}
	case *ItemAccess:
		return []Expr{e.X, e.Key}
	case *RowCtor:
		return e.Fields
	case *ArrayCtor:
		return e.Elems
	case *MapCtor:
		out := make([]Expr, 0, 2*len(e.Keys))
		for i := range e.Keys {
			out = append(out, e.Keys[i], e.Values[i])
		}
		return out
	case *Subquery:
		return e.Left
	case *PatternAgg:
		return e.Args
	}
	return nil
}

// WithChildren returns e with other expressions inside, in the order of Children.
func WithChildren(e Expr, kids []Expr) Expr {
	switch e := e.(type) {
	case *Call:
		c := *e
		c.Args = kids
		return &c
	case *Cast:
		c := *e
		c.X = kids[0]
		return &c
	case *Case:
		c := *e
		c.Whens = make([]When, len(e.Whens))
		for i := range c.Whens {
			c.Whens[i] = When{Cond: kids[2*i], Then: kids[2*i+1]}
		}
		c.Else = kids[len(kids)-1]
		return &c
	case *FieldAccess:
		c := *e
		c.X = kids[0]
		return &c
	case *ItemAccess:
		c := *e
		c.X, c.Key = kids[0], kids[1]
		return &c
	case *RowCtor:
		c := *e
		c.Fields = kids
		return &c
	case *ArrayCtor:
		c := *e
		c.Elems = kids
		return &c
	case *MapCtor:
		c := *e
		c.Keys, c.Values = make([]Expr, len(e.Keys)), make([]Expr, len(e.Keys))
		for i := range c.Keys {
			c.Keys[i], c.Values[i] = kids[2*i], kids[2*i+1]
		}
		return &c
	case *Subquery:
		c := *e
		c.Left = kids
		return &c
	case *PatternAgg:
		c := *e
		c.Args = kids
		return &c
	}
	return e
}

// Rewrite replaces expressions from the top down: where f returns an expression,
// that stands for e and all inside it; where it returns nil, e stays and f is
// asked about the expressions inside. The first error ends it.
func Rewrite(e Expr, f func(Expr) (Expr, error)) (Expr, error) {
	if r, err := f(e); err != nil || r != nil {
		return r, err
	}
	kids := Children(e)
	if len(kids) == 0 {
		return e, nil
	}
	changed := false
	out := make([]Expr, len(kids))
	for i, k := range kids {
		r, err := Rewrite(k, f)
		if err != nil {
			return nil, err
		}
		out[i] = r
		changed = changed || r != k
	}
	if !changed {
		return e, nil
	}
	return WithChildren(e, out), nil
}

// Walk calls f for e and, where f returns true, for the expressions inside.
func Walk(e Expr, f func(Expr) bool) {
	if !f(e) {
		return
	}
	for _, k := range Children(e) {
		Walk(k, f)
	}
}

// Any reports whether f holds for e or an expression inside it.
func Any(e Expr, f func(Expr) bool) bool {
	found := false
	Walk(e, func(x Expr) bool {
		found = found || f(x)
		return !found
	})
	return found
}

// Same reports whether two expressions compute the same, wherever written.
func Same(a, b Expr) bool {
	if a == b {
		return true
	}
	if !a.Type().Same(b.Type()) || !sameNode(a, b) {
		return false
	}
	ka, kb := Children(a), Children(b)
	if len(ka) != len(kb) {
		return false
	}
	for i := range ka {
		if !Same(ka[i], kb[i]) {
			return false
		}
	}
	return true
}

// sameNode compares two expressions without those inside.
func sameNode(a, b Expr) bool {
	switch a := a.(type) {
	case *InputRef:
		o, ok := b.(*InputRef)
		return ok && a.Index == o.Index
	case *OuterRef:
		o, ok := b.(*OuterRef)
		return ok && a.Index == o.Index && a.Depth == o.Depth
	case *Literal:
		o, ok := b.(*Literal)
		return ok && SameValue(a.Value, o.Value)
	case *Call:
		o, ok := b.(*Call)
		return ok && a.Function == o.Function && a.User == o.User
	case *Cast:
		o, ok := b.(*Cast)
		return ok && a.Try == o.Try
	case *FieldAccess:
		o, ok := b.(*FieldAccess)
		return ok && a.Index == o.Index
	case *Case:
		_, ok := b.(*Case)
		return ok
	case *ItemAccess:
		_, ok := b.(*ItemAccess)
		return ok
	case *RowCtor:
		_, ok := b.(*RowCtor)
		return ok
	case *ArrayCtor:
		_, ok := b.(*ArrayCtor)
		return ok
	case *MapCtor:
		_, ok := b.(*MapCtor)
		return ok
	}
	return false
}

// SameValue compares the values of two literals.
func SameValue(a, b any) bool {
	switch a := a.(type) {
	case []byte:
		o, ok := b.([]byte)
		return ok && bytes.Equal(a, o)
	case types.DecimalValue:
		o, ok := b.(types.DecimalValue)
		return ok && a.Scale == o.Scale && a.Unscaled.Cmp(o.Unscaled) == 0
	case []any:
		o, ok := b.([]any)
		if !ok || len(a) != len(o) {
			return false
		}
		for i := range a {
			if !SameValue(a[i], o[i]) {
				return false
			}
		}
		return true
	case nil:
		return b == nil
	}
	switch b.(type) {
	case []byte, []any, types.DecimalValue:
		return false
	}
	return a == b
}

// Conjuncts splits a condition at its ANDs.
func Conjuncts(e Expr) []Expr {
	if e == nil {
		return nil
	}
	if c, ok := e.(*Call); ok && c.Function == FnAnd {
		var out []Expr
		for _, a := range c.Args {
			out = append(out, Conjuncts(a)...)
		}
		return out
	}
	return []Expr{e}
}

// And joins conditions; nil when there are none.
func And(conds ...Expr) Expr {
	switch len(conds) {
	case 0:
		return nil
	case 1:
		return conds[0]
	}
	t := types.Of(types.Boolean).NotNull()
	for _, c := range conds {
		t.Nullable = t.Nullable || c.Type().Nullable
	}
	return &Call{Meta: Meta{Typ: t, At: conds[0].Pos()}, Function: FnAnd, Args: conds}
}

// Shift returns e with the columns it refers to moved by delta.
func Shift(e Expr, delta int) Expr {
	return Remap(e, func(i int) int { return i + delta })
}

// Remap returns e with each column it refers to replaced by f of it.
func Remap(e Expr, f func(int) int) Expr {
	out, _ := Rewrite(e, func(x Expr) (Expr, error) {
		ref, ok := x.(*InputRef)
		if !ok {
			return nil, nil //nolint:nilnil // nil leaves the expression as it is
		}
		c := *ref
		c.Index = f(ref.Index)
		return &c, nil
	})
	return out
}

// Substitute returns e over the input of a projection: each column is replaced
// by the expression that computes it.
func Substitute(e Expr, exprs []Expr) Expr {
	out, _ := Rewrite(e, func(x Expr) (Expr, error) {
		if ref, ok := x.(*InputRef); ok {
			return exprs[ref.Index], nil
		}
		return nil, nil //nolint:nilnil // nil leaves the expression as it is
	})
	return out
}

// Columns adds the columns that e refers to to the set.
func Columns(e Expr, set map[int]bool) {
	Walk(e, func(x Expr) bool {
		if ref, ok := x.(*InputRef); ok {
			set[ref.Index] = true
		}
		return true
	})
}
