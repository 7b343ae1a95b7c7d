package ast

import (
	"strconv"
	"strings"
)

// printer writes SQL. Names are always between backquotes and compound
// expressions between parentheses, so that the text parses to the same tree.
type printer struct {
	strings.Builder
}

// FormatQuery returns a query as SQL.
func FormatQuery(q *Query) string {
	p := &printer{}
	p.query(q)
	return p.String()
}

// FormatExpr returns an expression as SQL.
func FormatExpr(e Expr) string {
	p := &printer{}
	p.expr(e)
	return p.String()
}

// FormatType returns a data type as SQL.
func FormatType(t *Type) string {
	p := &printer{}
	p.dataType(t)
	return p.String()
}

func (p *printer) w(parts ...string) {
	for _, s := range parts {
		p.WriteString(s)
	}
}

// QuoteName returns an identifier between backquotes.
func QuoteName(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }

// QuoteText returns a string literal.
func QuoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func (p *printer) path(path Path) {
	for i, n := range path {
		if i > 0 {
			p.w(".")
		}
		p.w(QuoteName(n.Text))
	}
}

func (p *printer) names(names []Name) {
	p.w("(")
	for i, n := range names {
		if i > 0 {
			p.w(", ")
		}
		p.w(QuoteName(n.Text))
	}
	p.w(")")
}

func (p *printer) exprs(es []Expr) {
	for i, e := range es {
		if i > 0 {
			p.w(", ")
		}
		p.expr(e)
	}
}

func (p *printer) query(q *Query) {
	for i, c := range q.With {
		if i == 0 {
			p.w("WITH ")
		} else {
			p.w(", ")
		}
		p.w(QuoteName(c.Name.Text))
		if c.Columns != nil {
			p.w(" ")
			p.names(c.Columns)
		}
		p.w(" AS (")
		p.query(c.Query)
		p.w(")")
	}
	if len(q.With) > 0 {
		p.w(" ")
	}
	p.body(q.Body)
	if len(q.OrderBy) > 0 {
		p.w(" ")
		p.orderBy(q.OrderBy)
	}
	if q.Limit != nil && !q.Fetch {
		p.w(" LIMIT ")
		p.expr(q.Limit)
	}
	if q.Offset != nil {
		p.w(" OFFSET ")
		p.expr(q.Offset)
	}
	if q.Limit != nil && q.Fetch {
		p.w(" FETCH FIRST ")
		p.expr(q.Limit)
		p.w(" ROWS ONLY")
	}
}

func (p *printer) orderBy(items []OrderItem) {
	p.w("ORDER BY ")
	for i, o := range items {
		if i > 0 {
			p.w(", ")
		}
		p.expr(o.Expr)
		if o.Descending {
			p.w(" DESC")
		}
		if o.Nulls != "" {
			p.w(" NULLS ", o.Nulls)
		}
	}
}

func (p *printer) body(b Body) {
	switch b := b.(type) {
	case *Select:
		p.selectBody(b)
	case *SetOp:
		p.operand(b.L)
		p.w(" ", b.Op)
		if b.All {
			p.w(" ALL")
		}
		p.w(" ")
		p.operand(b.R)
	case *Values:
		p.w("VALUES ")
		for i, r := range b.Rows {
			if i > 0 {
				p.w(", ")
			}
			p.w("(")
			p.exprs(r.Items)
			p.w(")")
		}
	case *Paren:
		p.w("(")
		p.query(b.Query)
		p.w(")")
	case *TableBody:
		p.w("TABLE ")
		p.path(b.Table)
	}
}

func (p *printer) operand(q *Query) {
	p.w("(")
	p.query(q)
	p.w(")")
}

func (p *printer) hints(hints []Hint) {
	if len(hints) == 0 {
		return
	}
	p.w(" /*+ ")
	for i, h := range hints {
		if i > 0 {
			p.w(", ")
		}
		p.w(h.Name, "(")
		for j, o := range h.Options {
			if j > 0 {
				p.w(", ")
			}
			p.w(QuoteText(o.Key), "=", QuoteText(o.Value))
		}
		for j, a := range h.Args {
			if j > 0 || len(h.Options) > 0 {
				p.w(", ")
			}
			p.w(QuoteText(a))
		}
		p.w(")")
	}
	p.w(" */")
}

func (p *printer) selectBody(s *Select) {
	p.w("SELECT")
	p.hints(s.Hints)
	if s.Distinct {
		p.w(" DISTINCT")
	}
	for i, it := range s.Items {
		if i > 0 {
			p.w(",")
		}
		p.w(" ")
		p.expr(it.Expr)
		p.alias(it.Alias)
	}
	if s.From != nil {
		p.w(" FROM ")
		p.tableRef(s.From)
	}
	if s.Where != nil {
		p.w(" WHERE ")
		p.expr(s.Where)
	}
	if s.GroupAll {
		p.w(" GROUP BY ")
		p.groupItems(s.GroupBy)
	}
	if s.Having != nil {
		p.w(" HAVING ")
		p.expr(s.Having)
	}
	for i, win := range s.Windows {
		if i == 0 {
			p.w(" WINDOW ")
		} else {
			p.w(", ")
		}
		p.w(QuoteName(win.Name.Text), " AS ")
		p.windowSpec(win.Spec)
	}
}

func (p *printer) alias(a *Name) {
	if a != nil {
		p.w(" AS ", QuoteName(a.Text))
	}
}

func (p *printer) groupItems(items []GroupItem) {
	for i, g := range items {
		if i > 0 {
			p.w(", ")
		}
		switch {
		case g.Kind == "()":
			p.w("()")
		case g.Kind != "":
			p.w(g.Kind, " (")
			p.groupItems(g.Sets)
			p.w(")")
		case g.Expr != nil:
			p.expr(g.Expr)
		default:
			p.w("(")
			p.exprs(g.Exprs)
			p.w(")")
		}
	}
}

func (p *printer) windowSpec(s *WindowSpec) {
	if s.Name != nil && !s.Inline {
		p.w(QuoteName(s.Name.Text))
		return
	}
	p.w("(")
	if s.Name != nil {
		p.w(QuoteName(s.Name.Text), " ")
	}
	if len(s.PartitionBy) > 0 {
		p.w("PARTITION BY ")
		p.exprs(s.PartitionBy)
		p.w(" ")
	}
	if len(s.OrderBy) > 0 {
		p.orderBy(s.OrderBy)
		p.w(" ")
	}
	if f := s.Frame; f != nil {
		p.w(map[bool]string{true: "ROWS", false: "RANGE"}[f.Rows], " BETWEEN ")
		p.bound(f.From)
		p.w(" AND ")
		p.bound(f.To)
	}
	p.w(")")
}

func (p *printer) bound(b Bound) {
	if b.Value != nil {
		p.expr(b.Value)
		p.w(" ")
	}
	p.w(b.Kind)
}

func (p *printer) tableAlias(a *Alias) {
	if a == nil {
		return
	}
	p.alias(&a.Name)
	if a.Columns != nil {
		p.w(" ")
		p.names(a.Columns)
	}
}

func (p *printer) tableRef(t TableRef) {
	switch t := t.(type) {
	case *Table:
		p.path(t.Path)
		p.hints(t.Hints)
		if t.AsOf != nil {
			p.w(" FOR SYSTEM_TIME AS OF ")
			p.expr(t.AsOf)
		}
		p.tableAlias(t.Alias)
	case *Derived:
		if t.Lateral {
			p.w("LATERAL ")
		}
		p.operand(t.Query)
		p.tableAlias(t.Alias)
	case *TableFunc:
		if t.Lateral {
			p.w("LATERAL ")
		}
		p.w("TABLE(")
		p.expr(t.Call)
		p.w(")")
		p.hints(t.Hints)
		p.tableAlias(t.Alias)
	case *Unnest:
		p.w("UNNEST(")
		p.exprs(t.Exprs)
		p.w(")")
		if t.Ordinality {
			p.w(" WITH ORDINALITY")
		}
		p.tableAlias(t.Alias)
	case *Join:
		p.join(t)
	case *Match:
		p.match(t)
	}
}

func (p *printer) join(j *Join) {
	p.tableRef(j.L)
	if j.Kind == "COMMA" {
		p.w(", ")
	} else {
		p.w(" ")
		if j.Natural {
			p.w("NATURAL ")
		}
		p.w(j.Kind, " JOIN ")
	}
	if _, nested := j.R.(*Join); nested {
		p.w("(")
		p.tableRef(j.R)
		p.w(")")
	} else {
		p.tableRef(j.R)
	}
	if j.On != nil {
		p.w(" ON ")
		p.expr(j.On)
	}
	if j.Using != nil {
		p.w(" USING ")
		p.names(j.Using)
	}
}

func (p *printer) match(m *Match) {
	p.tableRef(m.Input)
	p.w(" MATCH_RECOGNIZE (")
	if len(m.PartitionBy) > 0 {
		p.w("PARTITION BY ")
		p.exprs(m.PartitionBy)
		p.w(" ")
	}
	if len(m.OrderBy) > 0 {
		p.orderBy(m.OrderBy)
	}
	for i, it := range m.Measures {
		p.w(map[bool]string{true: " MEASURES ", false: ", "}[i == 0])
		p.expr(it.Expr)
		p.alias(it.Alias)
	}
	if m.AllRows {
		p.w(" ALL ROWS PER MATCH")
	} else {
		p.w(" ONE ROW PER MATCH")
	}
	p.matchRest(m)
	p.w(")")
	p.tableAlias(m.Alias)
}

func (p *printer) matchRest(m *Match) {
	switch {
	case m.AfterVar != nil:
		p.w(" AFTER MATCH SKIP TO ", m.After, " ", QuoteName(m.AfterVar.Text))
	case m.After == "NEXT ROW":
		p.w(" AFTER MATCH SKIP TO NEXT ROW")
	case m.After != "":
		p.w(" AFTER MATCH SKIP PAST LAST ROW")
	}
	p.w(" PATTERN (")
	if m.StrictStart {
		p.w("^ ")
	}
	p.pattern(m.Pattern)
	if m.StrictEnd {
		p.w(" $")
	}
	p.w(")")
	if m.Within != nil {
		p.w(" WITHIN ")
		p.expr(m.Within)
	}
	for i, s := range m.Subsets {
		p.w(map[bool]string{true: " SUBSET ", false: ", "}[i == 0], QuoteName(s.Name.Text), " = ")
		p.names(s.Items)
	}
	for i, d := range m.Defines {
		p.w(map[bool]string{true: " DEFINE ", false: ", "}[i == 0], QuoteName(d.Name.Text), " AS ")
		p.expr(d.Cond)
	}
}

func (p *printer) pattern(t *Pattern) {
	switch {
	case t.Variable != nil:
		p.w(QuoteName(t.Variable.Text))
	case t.Op == "PERMUTE":
		p.w("PERMUTE(")
		p.patterns(t.Items, ", ")
		p.w(")")
	case t.Op == "ALTER":
		p.w("(")
		p.patterns(t.Items, " | ")
		p.w(")")
	default:
		p.w("(")
		p.patterns(t.Items, " ")
		p.w(")")
	}
	if !t.Quantified {
		return
	}
	switch {
	case t.Max >= 0:
		p.w("{", strconv.Itoa(t.Min), ",", strconv.Itoa(t.Max), "}")
	default:
		p.w("{", strconv.Itoa(t.Min), ",}")
	}
	if t.Reluctant {
		p.w("?")
	}
}

func (p *printer) patterns(items []*Pattern, sep string) {
	for i, it := range items {
		if i > 0 {
			p.w(sep)
		}
		p.pattern(it)
	}
}
