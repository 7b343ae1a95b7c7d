package ast

import (
	"strconv"
	"strings"
)

func (p *printer) expr(e Expr) {
	switch e := e.(type) {
	case *Ident:
		p.path(e.Path)
	case *Star:
		if len(e.Qualifier) > 0 {
			p.path(e.Qualifier)
			p.w(".")
		}
		p.w("*")
	case *Literal:
		p.literal(e)
	case *Symbol:
		p.w(e.Text)
	case *Func:
		p.function(e)
	case *Case:
		p.caseExpr(e)
	case *Cast:
		p.w(map[bool]string{true: "TRY_CAST(", false: "CAST("}[e.Try])
		p.expr(e.X)
		p.w(" AS ")
		p.dataType(e.Type)
		p.w(")")
	case *Exists:
		p.w("EXISTS ")
		p.operand(e.Query)
	case *Subquery:
		p.operand(e.Query)
	case *Row:
		if e.Explicit || len(e.Items) < 2 {
			p.w("ROW")
		}
		p.w("(")
		p.exprs(e.Items)
		p.w(")")
	case *Array:
		p.array(e)
	case *Multiset:
		p.list("MULTISET[", e.Items, "]")
	case *Map:
		p.list("MAP[", e.Items, "]")
	case *Item:
		p.postfixOperand(e.X)
		p.list("[", []Expr{e.Key}, "]")
	case *Field:
		p.w("(")
		p.expr(e.X)
		p.w(").", QuoteName(e.Name.Text))
	default:
		p.operator(e)
	}
}

func (p *printer) list(open string, es []Expr, end string) {
	p.w(open)
	p.exprs(es)
	p.w(end)
}

// postfixOperand writes what stands before [key].
func (p *printer) postfixOperand(e Expr) {
	switch e.(type) {
	case *Ident, *Func, *Item, *Field, *Array, *Map:
		p.expr(e)
	default:
		p.w("(")
		p.expr(e)
		p.w(")")
	}
}

func (p *printer) array(e *Array) {
	if e.Query != nil {
		p.w("ARRAY")
		p.operand(e.Query)
		return
	}
	p.list("ARRAY[", e.Items, "]")
}

// operator writes operators, each between parentheses.
func (p *printer) operator(e Expr) {
	p.w("(")
	defer p.w(")")
	not := func(n bool) {
		if n {
			p.w("NOT ")
		}
	}
	switch e := e.(type) {
	case *Unary:
		p.w(e.Op, " ")
		p.expr(e.X)
	case *Binary:
		p.expr(e.L)
		p.w(" ", e.Op, " ")
		p.expr(e.R)
	case *Is:
		p.expr(e.X)
		p.w(" IS ")
		not(e.Not)
		p.w(e.Test)
	case *Between:
		p.expr(e.X)
		p.w(" ")
		not(e.Not)
		p.w("BETWEEN ")
		if e.Symmetric {
			p.w("SYMMETRIC ")
		}
		p.expr(e.Low)
		p.w(" AND ")
		p.expr(e.High)
	case *In:
		p.expr(e.X)
		p.w(" ")
		not(e.Not)
		p.w("IN ")
		p.queryOrList(e.Query, e.List)
	case *Like:
		p.expr(e.X)
		p.w(" ")
		not(e.Not)
		p.w(map[bool]string{true: "SIMILAR TO ", false: "LIKE "}[e.Similar])
		p.expr(e.Pattern)
		if e.Escape != nil {
			p.w(" ESCAPE ")
			p.expr(e.Escape)
		}
	case *Quantified:
		p.expr(e.X)
		p.w(" ", e.Op, map[bool]string{true: " ALL ", false: " ANY "}[e.All])
		p.queryOrList(e.Query, e.List)
	}
}

func (p *printer) queryOrList(q *Query, es []Expr) {
	if q != nil {
		p.operand(q)
		return
	}
	p.list("(", es, ")")
}

func (p *printer) caseExpr(e *Case) {
	p.w("CASE")
	if e.Operand != nil {
		p.w(" ")
		p.expr(e.Operand)
	}
	for _, when := range e.Whens {
		p.w(" WHEN ")
		p.whenCond(when.Cond)
		p.w(" THEN ")
		p.expr(when.Then)
	}
	if e.Else != nil {
		p.w(" ELSE ")
		p.expr(e.Else)
	}
	p.w(" END")
}

// whenCond writes WHEN a, b without the parentheses of an operator.
func (p *printer) whenCond(e Expr) {
	if b, ok := e.(*Binary); ok && b.Op == "," {
		p.whenCond(b.L)
		p.w(", ")
		p.expr(b.R)
		return
	}
	p.expr(e)
}

func (p *printer) literal(l *Literal) {
	switch l.Kind {
	case NullLiteral:
		p.w(map[bool]string{true: "UNKNOWN", false: "NULL"}[l.Text == "UNKNOWN"])
	case BoolLiteral:
		p.w(strings.ToUpper(l.Text))
	case StringLiteral:
		p.w(QuoteText(l.Text))
	case BinaryLiteral:
		p.w("X'", l.Text, "'")
	case DateLiteral:
		p.w("DATE ", QuoteText(l.Text))
	case TimeLiteral:
		p.w("TIME ", QuoteText(l.Text))
	case TimestampLiteral:
		p.w("TIMESTAMP ")
		if l.LTZ {
			p.w("WITH LOCAL TIME ZONE ")
		}
		p.w(QuoteText(l.Text))
	case IntervalLiteral:
		p.w("INTERVAL ")
		if l.Negative {
			p.w("-")
		}
		p.w(QuoteText(l.Text), " ")
		p.intervalUnit(l.Interval)
	default:
		p.w(l.Text)
	}
}

func (p *printer) intervalUnit(u *IntervalUnit) {
	p.w(u.From)
	if u.FromPrecision >= 0 {
		p.w("(", strconv.Itoa(u.FromPrecision))
		if u.To == "" && u.Precision >= 0 {
			p.w(", ", strconv.Itoa(u.Precision))
		}
		p.w(")")
	}
	if u.To != "" {
		p.w(" TO ", u.To)
		if u.Precision >= 0 {
			p.w("(", strconv.Itoa(u.Precision), ")")
		}
	}
}

func (p *printer) function(f *Func) {
	name := strings.ToUpper(f.Path.Last())
	if len(f.Path) > 1 || f.Path[0].Quoted {
		p.path(f.Path)
	} else {
		p.w(f.Path[0].Text)
	}
	if f.NoParens {
		return
	}
	p.w("(")
	switch {
	case f.JSON != nil:
		p.jsonArgs(f)
	case f.Special:
		p.specialArgs(f, name)
	case f.Star:
		p.w("*")
	default:
		if f.Distinct {
			p.w("DISTINCT ")
		}
		p.args(f.Args)
	}
	if f.Nulls != "" && f.Over == nil {
		p.w(" ", f.Nulls, " NULLS")
	}
	if len(f.OrderBy) > 0 && !f.Within {
		p.w(" ")
		p.orderBy(f.OrderBy)
	}
	if f.JSON != nil && f.JSON.OnNull != "" {
		p.w(" ", f.JSON.OnNull, " ON NULL")
	}
	p.w(")")
	p.suffix(f)
}

func (p *printer) suffix(f *Func) {
	if f.Within {
		p.w(" WITHIN GROUP (")
		p.orderBy(f.OrderBy)
		p.w(")")
	}
	if f.Filter != nil {
		p.w(" FILTER (WHERE ")
		p.expr(f.Filter)
		p.w(")")
	}
	if f.Over != nil {
		if f.Nulls != "" {
			p.w(" ", f.Nulls, " NULLS")
		}
		p.w(" OVER ")
		p.windowSpec(f.Over)
	}
}

func (p *printer) args(args []Expr) {
	for i, a := range args {
		if i > 0 {
			p.w(", ")
		}
		switch a := a.(type) {
		case *NamedArg:
			p.w(QuoteName(a.Name.Text), " => ")
			p.args([]Expr{a.Value})
		case *TableArg:
			p.tableArg(a)
		case *DescriptorArg:
			p.w("DESCRIPTOR")
			p.names(a.Columns)
		default:
			p.expr(a)
		}
	}
}

func (p *printer) tableArg(a *TableArg) {
	p.w("TABLE ")
	if a.Query != nil {
		p.operand(a.Query)
	} else {
		p.path(a.Table)
	}
	if len(a.PartitionBy) > 0 {
		p.w(" PARTITION BY ")
		if len(a.PartitionBy) > 1 {
			p.list("(", a.PartitionBy, ")")
		} else {
			p.exprs(a.PartitionBy)
		}
	}
	if len(a.OrderBy) > 0 {
		p.w(" ")
		p.orderBy(a.OrderBy)
	}
}

// specialArgs writes arguments with the keywords between them.
func (p *printer) specialArgs(f *Func, name string) {
	var words []string
	switch name {
	case "EXTRACT":
		words = []string{" FROM "}
	case "TRIM":
		words = []string{" ", " FROM "}
	case "POSITION":
		words = []string{" IN ", " FROM "}
	case "OVERLAY":
		words = []string{" PLACING ", " FROM ", " FOR "}
	case "SUBSTRING":
		words = []string{" FROM ", " FOR "}
	default:
		words = []string{" TO "}
	}
	for i, a := range f.Args {
		if i > 0 {
			p.w(words[i-1])
		}
		p.expr(a)
	}
}

func (p *printer) jsonArgs(f *Func) {
	j := f.JSON
	for i, a := range f.Args {
		if i > 0 {
			p.w(", ")
		}
		if i < len(j.Keys) {
			p.w("KEY ")
			p.expr(j.Keys[i])
			p.w(" VALUE ")
		}
		p.expr(a)
	}
	if j.Returning != nil {
		p.w(" RETURNING ")
		p.dataType(j.Returning)
	}
	switch j.Wrapper {
	case "":
	case "WITHOUT":
		p.w(" WITHOUT ARRAY WRAPPER")
	default:
		p.w(" WITH ", j.Wrapper, " ARRAY WRAPPER")
	}
	p.jsonBehavior(j.OnEmpty, " ON EMPTY")
	p.jsonBehavior(j.OnError, " ON ERROR")
}

func (p *printer) jsonBehavior(b *JSONBehavior, on string) {
	if b == nil {
		return
	}
	p.w(" ", b.What)
	if b.Default != nil {
		p.w(" ")
		p.expr(b.Default)
	}
	p.w(on)
}

func (p *printer) dataType(t *Type) {
	switch {
	case len(t.Path) > 0:
		p.path(t.Path)
	case t.Name == "ARRAY" || t.Name == "MULTISET":
		p.w(t.Name, "<")
		p.dataType(t.Elem)
		p.w(">")
	case t.Name == "MAP":
		p.w("MAP<")
		p.dataType(t.Key)
		p.w(", ")
		p.dataType(t.Elem)
		p.w(">")
	case t.Name == "ROW":
		p.rowType(t)
	case t.Name == "RAW":
		p.w("RAW(", QuoteText(t.Class), ", '')")
	case t.Name == "INTERVAL":
		p.w("INTERVAL ")
		p.intervalUnit(t.Interval)
	default:
		p.w(t.Name)
		for i, n := range t.Params {
			p.w(map[bool]string{true: "(", false: ", "}[i == 0], strconv.Itoa(n))
		}
		if len(t.Params) > 0 {
			p.w(")")
		}
	}
	if t.Nullable != nil {
		p.w(map[bool]string{true: " NULL", false: " NOT NULL"}[*t.Nullable])
	}
}

func (p *printer) rowType(t *Type) {
	p.w("ROW<")
	for i, f := range t.Fields {
		if i > 0 {
			p.w(", ")
		}
		p.w(QuoteName(f.Name.Text), " ")
		p.dataType(f.Type)
		if f.Comment != "" {
			p.w(" ", QuoteText(f.Comment))
		}
	}
	p.w(">")
}
