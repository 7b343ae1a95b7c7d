package analyze

import (
	"maps"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/function"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Query plans a query whose rows go to the caller. Columns of the same name get
// numbers.
func (a *Analyzer) Query(q *ast.Query) (*plan.Query, error) {
	node, err := a.query(q, nil)
	if err != nil {
		return nil, err
	}
	if node, err = a.finalize(node); err != nil {
		return nil, err
	}
	return &plan.Query{Root: node, At: q.Pos()}, nil
}

// ViewFields plans a view's query and returns its columns.
func (a *Analyzer) ViewFields(v *ast.CreateView) ([]types.Field, error) {
	node, err := a.query(v.Query, nil)
	if err != nil {
		return nil, err
	}
	if node, err = renamed(node, v.Columns, "view "+v.Path.Last(), v.Path.Pos()); err != nil {
		return nil, err
	}
	fields := unique(node.Out().Fields)
	for _, f := range fields {
		if f.Type.Kind == types.Null {
			return nil, diag.At(v.Query.Pos(), "the type of column %q is not known", f.Name).WithHint("cast NULL to a type")
		}
	}
	return fields, nil
}

// unique numbers columns of the same name: a, a0, a1.
func unique(fields []types.Field) []types.Field {
	used := map[string]bool{}
	out := make([]types.Field, len(fields))
	for i, f := range fields {
		name := f.Name
		for n := 0; used[name]; n++ {
			name = f.Name + itoa(n)
		}
		used[name] = true
		f.Name = name
		out[i] = f
	}
	return out
}

// finalize names the columns apart, applies the rules and checks that the plan
// can run as a stream.
func (a *Analyzer) finalize(node plan.Node) (plan.Node, error) {
	in := node.Out().Fields
	fields := unique(in)
	es := make([]plan.Expr, len(in))
	same := true
	for i := range in {
		es[i] = ref(in, i, node.Out().At)
		same = same && fields[i].Name == in[i].Name
	}
	if !same {
		node = project(node, es, fields, node.Out().At)
	}
	if a.noRules {
		return node, nil
	}
	out, err := optimize([]plan.Node{node})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// Inserts plans INSERT statements as one job: what several of them read is read once.
func (a *Analyzer) Inserts(stmts []*ast.Insert) (*plan.StatementSet, error) {
	defer a.share()()
	set := &plan.StatementSet{At: stmts[0].Pos()}
	for _, s := range stmts {
		sink, err := a.insert(s)
		if err != nil {
			return nil, err
		}
		set.Sinks = append(set.Sinks, sink)
	}
	if a.noRules {
		return set, nil
	}
	roots := make([]plan.Node, len(set.Sinks))
	for i, s := range set.Sinks {
		roots[i] = s
	}
	roots, err := optimize(roots)
	if err != nil {
		return nil, err
	}
	for i, r := range roots {
		s, ok := r.(*plan.Sink)
		if !ok {
			continue
		}
		if err := checkMode(s); err != nil {
			return nil, err
		}
		if err := a.enforce(s); err != nil {
			return nil, err
		}
		set.Sinks[i] = s
	}
	return set, nil
}

func (a *Analyzer) insert(in *ast.Insert) (*plan.Sink, error) {
	id, err := a.catalog.Resolve(in.Table.Texts())
	if err != nil {
		return nil, diag.At(in.Table.Pos(), "%s", err.Error())
	}
	r, ok := a.catalog.Lookup(id)
	if !ok {
		return nil, a.unknownTable(&ast.Table{At: ast.At(in.Table.Pos()), Path: in.Table}, id)
	}
	if r.View != nil {
		return nil, diag.At(in.Table.Pos(), "%q is a view: rows can only be inserted into tables", in.Table.String())
	}
	table := withHints(r.Table, in.Hints)
	if a.validate != nil {
		if err := a.validate(table); err != nil {
			return nil, diag.At(in.Table.Pos(), "table %s: %s", id.Name, err.Error())
		}
	}
	node, err := a.query(in.Query, nil)
	if err != nil {
		return nil, err
	}
	b := &sinkBuilder{insert: in, table: table}
	return b.build(node)
}

func withHints(t *plan.Table, hints []ast.Hint) *plan.Table {
	c := *t
	for _, h := range hints {
		if h.Name != "OPTIONS" {
			continue
		}
		opts := maps.Clone(c.Options)
		for _, o := range h.Options {
			opts[o.Key] = o.Value
		}
		c.Options = opts
	}
	return &c
}

// sinkBuilder fits a query's columns to those of a table.
type sinkBuilder struct {
	insert *ast.Insert
	table  *plan.Table
	static map[string]string // columns that PARTITION (…) gives
}

// columns returns the columns that can be written: physical, then metadata.
func (b *sinkBuilder) columns() []plan.Column {
	var physical, metadata []plan.Column
	for _, c := range b.table.Columns {
		switch {
		case c.Kind == plan.PhysicalColumn:
			physical = append(physical, c)
		case c.Kind == plan.MetadataColumn && !c.Virtual:
			metadata = append(metadata, c)
		}
	}
	return append(physical, metadata...)
}

// declared returns the columns that can be written in the order of the DDL, which
// is the order of the query's columns.
func (b *sinkBuilder) declared() []plan.Column {
	var out []plan.Column
	for _, c := range b.table.Columns {
		if c.Kind == plan.ComputedColumn || c.Kind == plan.MetadataColumn && c.Virtual {
			continue
		}
		if _, static := b.static[c.Name]; !static {
			out = append(out, c)
		}
	}
	return out
}

func (b *sinkBuilder) build(node plan.Node) (*plan.Sink, error) {
	b.static = map[string]string{}
	for _, p := range b.insert.Partition {
		b.static[p.Key] = p.Value
	}
	source, err := b.sources(node)
	if err != nil {
		return nil, err
	}
	in := node.Out()
	s := &plan.Sink{Table: b.table, Overwrite: b.insert.Overwrite, Partition: b.static}
	var es []plan.Expr
	var fields []types.Field
	for i, c := range b.columns() {
		e, err := b.value(in, c, source)
		if err != nil {
			return nil, err
		}
		if !c.Type.Nullable && (e.Type().Nullable || e.Type().Kind == types.Null) {
			s.NotNull = append(s.NotNull, i)
		}
		if c.Kind == plan.MetadataColumn {
			s.Metadata = append(s.Metadata, c.Metadata)
		}
		es = append(es, e)
		fields = append(fields, types.Field{Name: c.Name, Type: c.Type})
	}
	for _, k := range b.table.PrimaryKey {
		for i, f := range fields {
			if f.Name == k {
				s.PrimaryKey = append(s.PrimaryKey, i)
			}
		}
	}
	p := project(node, es, fields, b.insert.Pos())
	s.Input = p
	s.Output = p.Output
	s.At = b.insert.Pos()
	return s, nil
}

// within reports whether a key is known and all its columns are in another.
func within(key, other []int) bool {
	for _, x := range key {
		if indexOfInt(other, x) < 0 {
			return false
		}
	}
	return key != nil
}

// enforce applies the settings of sinks: what is kept to write the right row of a
// key, and what becomes of values that do not fit their columns.
func (a *Analyzer) enforce(s *plan.Sink) error {
	switch v := strings.ToUpper(a.setting("table.exec.sink.upsert-materialize")); v {
	case "", "AUTO", "NONE", "FORCE":
		if len(s.PrimaryKey) > 0 && s.Mode != plan.InsertOnly && (v == "FORCE" || v != "NONE" && s.KeyMismatch && upserts(s.Table)) {
			in := s.Input.Out()
			m := &plan.Materialize{Input: s.Input, Keys: s.PrimaryKey}
			m.Output = *in
			m.Mode, m.UniqueKey = plan.Upsert, s.PrimaryKey
			s.Input, s.Mode = m, plan.Upsert
		}
	default:
		return badSetting(s.At, "table.exec.sink.upsert-materialize", v, "NONE, AUTO or FORCE")
	}
	switch v := strings.ToUpper(a.setting("table.exec.sink.not-null-enforcer")); v {
	case "", "ERROR":
	case "DROP":
		s.DropNulls = true
	default:
		return badSetting(s.At, "table.exec.sink.not-null-enforcer", v, "ERROR or DROP")
	}
	switch v := strings.ToUpper(a.setting("table.exec.sink.type-length-enforcer")); v {
	case "", "IGNORE":
	case "TRIM_PAD":
		s.Lengths = plan.TrimOrPad
	case "ERROR":
		s.Lengths = plan.RefuseLength
	default:
		return badSetting(s.At, "table.exec.sink.type-length-enforcer", v, "IGNORE, TRIM_PAD or ERROR")
	}
	return nil
}

// upserts reports whether a table is written by key: its old rows are not taken
// back one by one.
func upserts(t *plan.Table) bool {
	c := t.Options["connector"]
	if c == "" {
		c = t.Options["connector.type"]
	}
	return c == "upsert-kafka" || strings.HasPrefix(c, "elasticsearch")
}

func badSetting(at plan.Pos, key, value, want string) error {
	return diag.At(at, "the setting '%s' is %q, but must be %s", key, value, want)
}

// checkMode refuses updates where the sink can only append.
func checkMode(s *plan.Sink) error {
	c := s.Table.Options["connector"]
	if s.Mode == plan.InsertOnly || len(s.PrimaryKey) > 0 || c != "kafka" && c != "filesystem" {
		return nil
	}
	format := s.Table.Options["format"] + s.Table.Options["value.format"]
	for _, changelog := range [...]string{"debezium", "canal", "maxwell", "ogg"} {
		if strings.HasPrefix(format, changelog) {
			return nil
		}
	}
	return diag.At(s.At, "table %q of connector '%s' cannot take updates, but the query's rows change (%s)", s.Table.Name, c, s.Mode).
		WithHint("use a window, 'connector' = 'upsert-kafka' with a PRIMARY KEY, or a changelog format such as debezium-json")
}

// sources maps each column of the table to a column of the query, -1 for NULL.
func (b *sinkBuilder) sources(node plan.Node) (map[string]int, error) {
	in := node.Out().Fields
	want := b.declared()
	out := map[string]int{}
	if b.insert.Columns == nil {
		if len(in) != len(want) {
			return nil, b.countError(in, want)
		}
		for i, c := range want {
			out[c.Name] = i
		}
		return out, nil
	}
	names := make([]string, len(want))
	for i, c := range want {
		names[i] = c.Name
		out[c.Name] = -1
	}
	if len(in) != len(b.insert.Columns) {
		return nil, diag.At(b.insert.Columns[0].Pos(), "INSERT names %d columns, but the query has %d", len(b.insert.Columns), len(in))
	}
	for i, p := range b.insert.Columns {
		name := p.Last()
		old, known := out[name]
		if !known || len(p) > 1 {
			return nil, suggest(diag.At(p.Pos(), "column %q is not a column of table %q that can be written", p.String(), b.table.Name), name, names)
		}
		if old >= 0 {
			return nil, diag.At(p.Pos(), "column %q is named twice", name)
		}
		out[name] = i
	}
	return out, nil
}

func (b *sinkBuilder) countError(in []types.Field, want []plan.Column) error {
	wantText := make([]string, len(want))
	for i, c := range want {
		wantText[i] = c.Name + " " + c.Type.OrNull().String()
	}
	haveText := make([]string, len(in))
	for i, f := range in {
		haveText[i] = f.Name + " " + f.Type.Plain().OrNull().String()
	}
	return diag.At(b.insert.Query.Pos(), "the query has %d columns, but table %q takes %d. Query: [%s], table: [%s]", len(in), b.table.Name, len(want),
		strings.Join(haveText, ", "), strings.Join(wantText, ", "))
}

// value returns the expression for a column of the table.
func (b *sinkBuilder) value(in *plan.Output, c plan.Column, source map[string]int) (plan.Expr, error) {
	if text, ok := b.static[c.Name]; ok {
		lit := &plan.Literal{Meta: meta(types.StringType().NotNull(), b.insert.Pos()), Value: text}
		return function.Coerce(lit, c.Type), nil
	}
	i := source[c.Name]
	if i < 0 {
		if !c.Type.Nullable {
			return nil, diag.At(b.insert.Columns[0].Pos(), "column %q is NOT NULL and must be named in the INSERT", c.Name)
		}
		return &plan.Literal{Meta: meta(c.Type, b.insert.Pos())}, nil
	}
	from := in.Fields[i].Type
	if !types.CanAssign(from, c.Type) {
		err := diag.At(b.insert.Query.Pos(), "column %d (%s) of the query is %s, but column %q of table %q is %s", i+1, in.Fields[i].Name, from.Plain().OrNull(),
			c.Name, b.table.Name, c.Type.OrNull())
		if types.CanCast(from, c.Type) {
			name := "…"
			if !strings.HasPrefix(in.Fields[i].Name, "EXPR$") {
				name = ast.QuoteName(in.Fields[i].Name)
			}
			err = err.WithHint("write CAST(%s AS %s)", name, c.Type.OrNull())
		}
		return nil, err
	}
	return function.Coerce(ref(in.Fields, i, b.insert.Query.Pos()), c.Type), nil
}
