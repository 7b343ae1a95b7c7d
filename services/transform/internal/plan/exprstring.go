package plan

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// String returns the column's name, or $n.
func (e *InputRef) String() string {
	if e.Name != "" {
		return e.Name
	}
	return "$" + strconv.Itoa(e.Index)
}

// String returns the literal as SQL.
func (e *Literal) String() string {
	switch v := e.Value.(type) {
	case nil:
		return "null:" + e.Typ.OrNull().String()
	case string:
		if e.Typ.Kind == types.Symbol {
			return v
		}
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	case []byte:
		return "X'" + hex.EncodeToString(v) + "'"
	case int64:
		if k := e.Typ.Kind; k.IsInterval() || k == types.Date || k == types.Time {
			return strconv.FormatInt(v, 10) + ":" + e.Typ.NotNull().Kind.String()
		}
		return strconv.FormatInt(v, 10)
	case types.TimestampValue:
		return FormatTimestamp(v, e.Typ.Precision)
	default:
		return fmt.Sprint(v)
	}
}

// String returns NAME(args), or the operator between its arguments.
func (e *Call) String() string {
	if op, ok := infix[e.Function]; ok && len(e.Args) >= 2 {
		return "(" + joinExprs(e.Args, " "+op+" ") + ")"
	}
	if op, ok := postfix[e.Function]; ok && len(e.Args) == 1 {
		return e.Args[0].String() + " " + op
	}
	name := e.Function
	if e.User != nil {
		name = e.User.Path
	}
	return name + "(" + joinExprs(e.Args, ", ") + ")"
}

// String returns CAST(x AS type).
func (e *Cast) String() string {
	name := "CAST("
	if e.Try {
		name = "TRY_CAST("
	}
	return name + e.X.String() + " AS " + e.Typ.OrNull().String() + ")"
}

// String returns CASE(cond, value, …, else).
func (e *Case) String() string {
	args := make([]Expr, 0, 2*len(e.Whens)+1)
	for _, w := range e.Whens {
		args = append(args, w.Cond, w.Then)
	}
	return "CASE(" + joinExprs(append(args, e.Else), ", ") + ")"
}

// String returns x.field.
func (e *FieldAccess) String() string { return e.X.String() + "." + e.Name }

// String returns x[key].
func (e *ItemAccess) String() string { return "ITEM(" + e.X.String() + ", " + e.Key.String() + ")" }

// String returns ROW(fields).
func (e *RowCtor) String() string { return "ROW(" + joinExprs(e.Fields, ", ") + ")" }

// String returns ARRAY(elements).
func (e *ArrayCtor) String() string { return "ARRAY(" + joinExprs(e.Elems, ", ") + ")" }

// String returns MAP(key, value, …).
func (e *MapCtor) String() string {
	args := make([]Expr, 0, 2*len(e.Keys))
	for i := range e.Keys {
		args = append(args, e.Keys[i], e.Values[i])
	}
	return "MAP(" + joinExprs(args, ", ") + ")"
}

// String returns the kind of subquery.
func (e *Subquery) String() string {
	name := [...]string{"$SCALAR_QUERY(", "EXISTS(", "IN("}[e.Kind]
	if e.Not {
		name = "NOT " + name
	}
	return name + joinExprs(e.Left, ", ") + ")"
}

// String returns $cor.name.
func (e *OuterRef) String() string { return "$cor" + strconv.Itoa(e.Depth-1) + "." + e.Name }

func joinExprs(exprs []Expr, sep string) string {
	parts := make([]string, len(exprs))
	for i, e := range exprs {
		parts[i] = e.String()
	}
	return strings.Join(parts, sep)
}
