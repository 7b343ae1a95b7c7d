package analyze

import (
	"maps"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/catalog"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// tableRef plans an item of FROM and adds its columns to the scope s. Names in
// derived tables are looked up in outer.
func (a *Analyzer) tableRef(t ast.TableRef, s, outer *scope) (plan.Node, error) {
	switch t := t.(type) {
	case *ast.Table:
		if t.AsOf != nil {
			return nil, diag.At(t.AsOf.Pos(), "FOR SYSTEM_TIME AS OF can only be used on the right side of a join")
		}
		node, rel, err := a.table(t, outer)
		if err != nil {
			return nil, err
		}
		return a.addRelation(node, rel, t.Alias, s, t.At)
	case *ast.Derived:
		node, err := a.query(t.Query, outer)
		if err != nil {
			return nil, err
		}
		return a.addRelation(node, relation{}, t.Alias, s, t.At)
	case *ast.TableFunc:
		node, err := a.tableFunc(t, outer)
		if err != nil {
			return nil, err
		}
		return a.addRelation(node, relation{}, t.Alias, s, t.At)
	case *ast.Unnest:
		one := &plan.Values{Rows: [][]plan.Expr{{}}}
		one.Bounded = true
		return a.unnest(one, t, s, plan.InnerJoin, nil, outer)
	case *ast.Join:
		return a.join(t, s, outer)
	case *ast.Match:
		return a.matchRecognize(t, s, outer)
	}
	return nil, diag.At(t.Pos(), "this form of FROM is not supported")
}

// addRelation names a node's columns in the scope, as its alias says.
func (a *Analyzer) addRelation(node plan.Node, rel relation, alias *ast.Alias, s *scope, at ast.At) (plan.Node, error) {
	fields := node.Out().Fields
	if alias != nil {
		rel.alias, rel.path = alias.Name.Text, nil
		if alias.Columns != nil {
			if len(alias.Columns) != len(fields) {
				return nil, diag.At(alias.Name.Pos(), "%s names %d columns, but the table has %d", alias.Name.Text, len(alias.Columns), len(fields))
			}
			fields = append([]types.Field{}, fields...)
			for i, c := range alias.Columns {
				fields[i].Name = c.Text
			}
		}
	}
	if rel.alias != "" {
		for _, o := range s.rels {
			if o.alias == rel.alias && (rel.path == nil || o.path == nil || equal(o.path, rel.path)) {
				return nil, diag.At(at.Pos(), "table name or alias %q is used twice in FROM", rel.alias).WithHint("give one of them another alias")
			}
		}
	}
	rel.fields = fields
	s.add(rel)
	return node, nil
}

// table plans a table, view or query of WITH by name.
func (a *Analyzer) table(t *ast.Table, outer *scope) (plan.Node, relation, error) {
	if len(t.Path) == 1 {
		if c := outer.findCTE(t.Path[0].Text); c != nil {
			node, err := a.cte(c, t)
			return node, relation{alias: t.Path[0].Text}, err
		}
	}
	id, err := a.catalog.Resolve(t.Path.Texts())
	if err != nil {
		return nil, relation{}, diag.At(t.Pos(), "%s", err.Error())
	}
	rel := relation{alias: id.Name, path: []string{id.Catalog, id.Database, id.Name}}
	r, ok := a.catalog.Lookup(id)
	if !ok {
		return nil, rel, a.unknownTable(t, id)
	}
	if r.View != nil {
		node, err := a.view(r, t)
		return node, rel, err
	}
	node, err := a.scan(r, t)
	return node, rel, err
}

func (a *Analyzer) unknownTable(t *ast.Table, id catalog.ID) error {
	err := diag.At(t.Pos(), "table or view %q not found", t.Path.String())
	var names []string
	if rels, lookup := a.catalog.Relations(id.Catalog, id.Database); lookup == nil {
		for _, r := range rels {
			names = append(names, r.ID.Name)
		}
	}
	return suggest(err, id.Name, names)
}

// cte plans a query of WITH once.
func (a *Analyzer) cte(c *cte, t *ast.Table) (plan.Node, error) {
	if c.busy {
		return nil, diag.At(t.Pos(), "recursive queries are not supported")
	}
	if c.plan == nil {
		c.busy = true
		node, err := a.query(c.query, c.scope)
		c.busy = false
		if err != nil {
			return nil, err
		}
		if node, err = renamed(node, c.columns, t.Path.String(), t.Pos()); err != nil {
			return nil, err
		}
		c.plan = &viewPlan{node: node}
	}
	return c.plan.node, nil
}

// renamed gives a node's columns other names.
func renamed(node plan.Node, names []ast.Name, what string, at plan.Pos) (plan.Node, error) {
	if names == nil {
		return node, nil
	}
	in := node.Out().Fields
	if len(names) != len(in) {
		return nil, diag.At(at, "%s names %d columns, but its query has %d", what, len(names), len(in))
	}
	fields := append([]types.Field{}, in...)
	es := make([]plan.Expr, len(in))
	for i, n := range names {
		fields[i].Name = n.Text
		es[i] = ref(in, i, at)
	}
	return project(node, es, fields, at), nil
}

// view plans a view's query in the place where it was defined.
func (a *Analyzer) view(r *catalog.Relation, t *ast.Table) (plan.Node, error) {
	if t.Hints != nil {
		return nil, diag.At(t.Hints[0].Pos(), "hints cannot be given for the view %q", t.Path.String())
	}
	if v := a.views[r.ID]; v != nil {
		return v.node, nil
	}
	if a.expanding[r.ID] {
		return nil, diag.At(t.Pos(), "view %q refers to itself", r.ID.Name)
	}
	a.expanding[r.ID] = true
	defer delete(a.expanding, r.ID)
	var node plan.Node
	err := a.catalog.With(r.View.Catalog, r.View.Database, func() error {
		var err error
		node, err = a.query(r.View.Query, nil)
		return err
	})
	if err != nil {
		return nil, diag.At(t.Pos(), "view %q is no longer valid: %s", r.ID.Name, err.Error())
	}
	names := make([]ast.Name, len(r.View.Fields))
	for i, f := range r.View.Fields {
		names[i] = ast.Name{Text: f.Name, At: t.At}
	}
	if node, err = renamed(node, names, "view "+r.ID.Name, t.Pos()); err != nil {
		return nil, err
	}
	if a.views != nil {
		a.views[r.ID] = &viewPlan{node: node}
	}
	return node, nil
}

// scan plans reading a table: its columns, the computed ones above, then the watermark.
func (a *Analyzer) scan(r *catalog.Relation, t *ast.Table) (plan.Node, error) {
	shared := a.scans != nil && t.Hints == nil
	if shared && a.scans[r.ID] != nil {
		return a.scans[r.ID], nil
	}
	table := r.Table
	hints := map[string]string{}
	for _, h := range t.Hints {
		if h.Name != "OPTIONS" {
			continue
		}
		for _, o := range h.Options {
			hints[o.Key] = o.Value
		}
	}
	if len(hints) > 0 {
		c := *table
		c.Options = maps.Clone(table.Options)
		maps.Copy(c.Options, hints)
		table = &c
	}
	if a.validate != nil {
		if err := a.validate(table); err != nil {
			return nil, diag.At(t.Pos(), "table %s: %s", r.ID.Name, err.Error())
		}
	}
	node := scanTable(table, hints, t.Pos())
	if shared {
		a.scans[r.ID] = node
	}
	return node, nil
}

func scanTable(table *plan.Table, hints map[string]string, at plan.Pos) plan.Node {
	s := &plan.Scan{Table: table, Hints: hints}
	s.At, s.Bounded, s.Mode = at, Bounded(table.Options), sourceMode(table.Options)
	physical := 0
	source := map[string]int{}
	for _, f := range table.Physical {
		s.Columns = append(s.Columns, plan.ScanColumn{Name: f.Name, Type: f.Type, Physical: physical})
		physical++
	}
	for _, c := range table.Columns {
		if c.Kind == plan.MetadataColumn {
			s.Columns = append(s.Columns, plan.ScanColumn{Name: c.Name, Type: c.Type, Metadata: c.Metadata, Physical: -1})
		}
	}
	for i, c := range s.Columns {
		s.Fields = append(s.Fields, types.Field{Name: c.Name, Type: c.Type})
		source[c.Name] = i
	}
	var node plan.Node = s
	es := make([]plan.Expr, len(table.Columns))
	fields := make([]types.Field, len(table.Columns))
	for i, c := range table.Columns {
		if c.Kind == plan.ComputedColumn {
			es[i] = c.Expr
		} else {
			es[i] = ref(s.Fields, source[c.Name], at)
		}
		fields[i] = types.Field{Name: c.Name, Type: c.Type, Comment: c.Comment}
	}
	if !identity(es, s.Fields, fields) {
		node = project(node, es, fields, at)
	}
	if s.Mode == plan.Upsert {
		n := &plan.Normalize{Input: node, Keys: keyColumns(node, table.PrimaryKey)}
		n.Output = *node.Out()
		n.Mode, n.UniqueKey = plan.Retract, n.Keys
		node = n
	}
	if table.Watermark == nil {
		return node
	}
	w := &plan.Watermark{Input: node, Expr: table.Watermark.Expr, Source: table.Name}
	w.Output = *node.Out()
	w.Fields = append([]types.Field{}, fields...)
	for i, f := range fields {
		if f.Name == table.Watermark.Column {
			w.Column = i
			w.Fields[i].Type.Attribute = types.Rowtime
		}
	}
	return w
}

// keyColumns finds the columns of a primary key.
func keyColumns(n plan.Node, key []string) []int {
	var cols []int
	for _, k := range key {
		for i, f := range n.Out().Fields {
			if f.Name == k {
				cols = append(cols, i)
			}
		}
	}
	return cols
}

// Bounded reports whether a table's options say that its input ends.
func Bounded(o map[string]string) bool {
	switch o["connector"] {
	case "filesystem":
		return o["source.monitor-interval"] == ""
	case "kafka", "upsert-kafka":
		m := o["scan.bounded.mode"]
		return m != "" && m != "unbounded"
	case "datagen":
		if o["number-of-rows"] != "" {
			return true
		}
		for k, v := range o {
			if strings.HasPrefix(k, "fields.") && strings.HasSuffix(k, ".kind") && v == "sequence" {
				return true
			}
		}
		return false
	case "values":
		return true
	}
	return false
}

// sourceMode says how the rows of a source change.
func sourceMode(o map[string]string) plan.Changelog {
	if o["connector"] == "upsert-kafka" {
		return plan.Upsert
	}
	format := o["format"]
	if format == "" {
		format = o["value.format"]
	}
	switch format {
	case "debezium-json", "canal-json", "maxwell-json", "ogg-json", "debezium-avro-confluent":
		return plan.Retract
	}
	return plan.InsertOnly
}

// unnest plans UNNEST(x) beside the node of the tables before it.
func (a *Analyzer) unnest(left plan.Node, u *ast.Unnest, s *scope, kind plan.JoinKind, on ast.Expr, outer *scope) (plan.Node, error) {
	if len(u.Exprs) != 1 {
		return nil, diag.At(u.Pos(), "UNNEST of several collections is not supported").WithHint("write one UNNEST for each")
	}
	look := *s
	look.parent = outer
	x := &exprs{Analyzer: a, scope: &look, clause: "UNNEST"}
	c, err := x.expr(u.Exprs[0])
	if err != nil {
		return nil, err
	}
	fields, err := elementFields(c, u.Ordinality)
	if err != nil {
		return nil, err
	}
	n := &plan.Unnest{Input: left, Collection: c, Left: kind == plan.LeftJoin, Ordinality: u.Ordinality}
	n.Output = *left.Out()
	n.UniqueKey, n.At = nil, u.Pos()
	own := &plan.Unnest{}
	for _, f := range fields {
		if n.Left {
			f.Type = f.Type.OrNull()
		}
		own.Fields = append(own.Fields, f)
	}
	if _, err := a.addRelation(own, relation{}, u.Alias, s, u.At); err != nil {
		return nil, err
	}
	n.Fields = append(append([]types.Field{}, left.Out().Fields...), own.Fields...)
	return n, a.joinCondition(&n.Cond, on, s)
}

// joinCondition binds the ON of a join with UNNEST or a table function; TRUE
// needs none.
func (a *Analyzer) joinCondition(cond *plan.Expr, on ast.Expr, s *scope) error {
	if on == nil {
		return nil
	}
	x := &exprs{Analyzer: a, scope: s, clause: "ON"}
	c, err := x.condition(on)
	if err != nil {
		return err
	}
	if l, ok := c.(*plan.Literal); !ok || l.Value != true {
		*cond = c
	}
	return nil
}

// elementFields are the columns that UNNEST gives.
func elementFields(c plan.Expr, ordinality bool) ([]types.Field, error) {
	t := c.Type()
	var out []types.Field
	switch t.Kind {
	case types.Array, types.Multiset:
		if t.Elem.Kind == types.Row {
			for _, f := range t.Elem.Fields {
				f.Type = f.Type.WithNullable(f.Type.Nullable || t.Elem.Nullable)
				out = append(out, f)
			}
		} else {
			out = append(out, types.Field{Name: defaultName(0), Type: *t.Elem})
		}
	case types.Map:
		out = append(out, types.Field{Name: "KEY", Type: *t.Key}, types.Field{Name: "VALUE", Type: *t.Elem})
	default:
		return nil, diag.At(c.Pos(), "UNNEST needs an array, map or multiset, found %s", t.OrNull())
	}
	if ordinality {
		out = append(out, types.Field{Name: "ORDINALITY", Type: types.Of(types.Int).NotNull()})
	}
	return out, nil
}
