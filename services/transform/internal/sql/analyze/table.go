package analyze

import (
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/catalog"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/function"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// tableBuilder turns the elements of CREATE TABLE into a table.
type tableBuilder struct {
	*Analyzer
	table *plan.Table
	names map[string]bool
	// computed are the expressions of computed columns, bound once all other columns are known.
	computed  []*ast.ColumnDef
	watermark *ast.Watermark
	// replaced are columns of the table in LIKE that take a new definition in their place.
	replaced map[string]bool
	// altered and inheritedKey tell where a first primary key is from.
	altered, inheritedKey bool
	at                    plan.Pos
}

// CreateTable checks CREATE TABLE and returns the table.
func (a *Analyzer) CreateTable(c *ast.CreateTable) (*catalog.Relation, error) {
	id, err := a.catalog.Resolve(c.Path.Texts())
	if err != nil {
		return nil, diag.At(c.Path.Pos(), "%s", err.Error())
	}
	b := &tableBuilder{Analyzer: a, names: map[string]bool{}, at: c.Path.Pos()}
	b.table = &plan.Table{Catalog: id.Catalog, Database: id.Database, Name: id.Name, Temporary: c.Temporary, Options: map[string]string{}}
	if c.Comment != nil {
		b.table.Comment = *c.Comment
	}
	if c.Like != nil {
		if err := b.like(c); err != nil {
			return nil, err
		}
	}
	if err := b.options(c.Options, c.Like); err != nil {
		return nil, err
	}
	if err := b.elements(&c.TableElements); err != nil {
		return nil, err
	}
	if c.As != nil {
		if err := b.selected(c); err != nil {
			return nil, err
		}
	}
	if len(c.PartitionedBy) > 0 && len(b.table.PartitionKeys) > 0 {
		return nil, diag.At(c.PartitionedBy[0].Pos(), "the table in LIKE already has PARTITIONED BY").WithHint("write LIKE … (EXCLUDING PARTITIONS)")
	}
	for _, p := range c.PartitionedBy {
		b.table.PartitionKeys = append(b.table.PartitionKeys, p.Text)
	}
	if err := b.finish(c.PartitionedBy); err != nil {
		return nil, err
	}
	if len(b.table.Columns) == 0 {
		return nil, diag.At(c.Path.Pos(), "table %q has no columns", c.Path.String())
	}
	if a.validate != nil {
		if err := a.validate(b.table); err != nil {
			return nil, diag.At(c.Path.Pos(), "table %s: %s", id.Name, err.Error())
		}
	}
	return &catalog.Relation{ID: id, Temporary: c.Temporary, Table: b.table}, nil
}

// selected adds the columns of the query of CREATE TABLE … AS.
func (b *tableBuilder) selected(c *ast.CreateTable) error {
	if len(b.table.Columns) > 0 {
		return diag.At(c.As.Pos(), "CREATE TABLE … AS SELECT takes its columns from the query").WithHint("leave the columns out")
	}
	node, err := b.query(c.As, nil)
	if err != nil {
		return err
	}
	for _, f := range unique(node.Out().Fields) {
		if f.Type.Kind == types.Null {
			return diag.At(c.As.Pos(), "the type of column %q is not known", f.Name).WithHint("cast NULL to a type")
		}
		b.names[f.Name] = true
		b.table.Columns = append(b.table.Columns, plan.Column{Name: f.Name, Type: f.Type.Plain()})
	}
	return nil
}

func (b *tableBuilder) options(opts []ast.Option, like *ast.LikeTable) error {
	seen := map[string]bool{}
	for _, o := range opts {
		if o.Key == "" {
			return diag.At(o.Pos(), "the name of an option must not be empty")
		}
		if seen[o.Key] {
			return diag.At(o.Pos(), "option '%s' is given twice", o.Key)
		}
		seen[o.Key] = true
		if _, inherited := b.table.Options[o.Key]; inherited && like != nil && likeStrategy(like, "OPTIONS", "INCLUDING") {
			return diag.At(o.Pos(), "option '%s' is already set by the table in LIKE", o.Key).WithHint("write LIKE … (OVERWRITING OPTIONS)")
		}
		b.table.Options[o.Key] = o.Value
	}
	return nil
}

// elements adds columns, then keys and the watermark.
func (b *tableBuilder) elements(e *ast.TableElements) error {
	for _, c := range e.Columns {
		if err := b.column(c); err != nil {
			return err
		}
	}
	for _, c := range e.Constraints {
		if err := b.constraint(c); err != nil {
			return err
		}
	}
	if e.Watermark != nil {
		if b.table.Watermark != nil {
			return diag.At(e.Watermark.Pos(), "the table in LIKE already has a watermark").WithHint("write LIKE … (OVERWRITING WATERMARKS)")
		}
		b.watermark = e.Watermark
	}
	return nil
}

func (b *tableBuilder) column(c *ast.ColumnDef) error {
	if b.names[c.Name.Text] {
		return diag.At(c.Pos(), "column %q is defined twice", c.Name.Text)
	}
	b.names[c.Name.Text] = true
	col := plan.Column{Name: c.Name.Text}
	if c.Comment != nil {
		col.Comment = *c.Comment
	}
	if c.Type == nil {
		col.Kind = plan.ComputedColumn
		b.computed = append(b.computed, c)
		b.put(col)
		return nil
	}
	t, err := DataType(c.Type)
	if err != nil {
		return err
	}
	if t.Kind == types.Null || t.Kind.IsInterval() && !c.Metadata {
		return diag.At(c.Type.Pos(), "a column cannot be of type %s", t)
	}
	col.Type = t
	if c.Metadata {
		col.Kind, col.Metadata, col.Virtual = plan.MetadataColumn, c.Name.Text, c.Virtual
		if c.MetadataKey != nil {
			col.Metadata = *c.MetadataKey
		}
	}
	if c.PrimaryKey {
		if len(b.table.PrimaryKey) > 0 {
			return b.secondKey(c.Pos())
		}
		b.table.PrimaryKey, b.table.KeyName = []string{col.Name}, "PK_"+col.Name
	}
	b.put(col)
	return nil
}

// put adds a column, or sets it in place of the one that LIKE brought.
func (b *tableBuilder) put(col plan.Column) {
	if old := b.columnByName(col.Name); old != nil && b.replaced[col.Name] {
		*old = col
		return
	}
	b.table.Columns = append(b.table.Columns, col)
}

func (b *tableBuilder) constraint(c *ast.Constraint) error {
	if c.Unique {
		return diag.At(c.Pos(), "UNIQUE is not supported").WithHint("use PRIMARY KEY (…) NOT ENFORCED")
	}
	if c.Enforced == nil || *c.Enforced {
		return diag.At(c.Pos(), "PRIMARY KEY must be followed by NOT ENFORCED: the data is not checked for duplicates")
	}
	if len(b.table.PrimaryKey) > 0 {
		return b.secondKey(c.Pos())
	}
	for _, n := range c.Columns {
		if !b.names[n.Text] {
			return suggest(diag.At(n.Pos(), "column %q of the primary key is not in the table", n.Text), n.Text, b.columnNames())
		}
		if slices.Contains(b.table.PrimaryKey, n.Text) {
			return diag.At(n.Pos(), "column %q is twice in the primary key", n.Text)
		}
		if col := b.columnByName(n.Text); col.Kind != plan.PhysicalColumn {
			return diag.At(n.Pos(), "column %q of the primary key must be a physical column", n.Text)
		}
		b.table.PrimaryKey = append(b.table.PrimaryKey, n.Text)
	}
	b.table.KeyName = "PK_" + strings.Join(b.table.PrimaryKey, "_")
	if c.Name != nil {
		b.table.KeyName = c.Name.Text
	}
	return nil
}

// secondKey says what to do about a key that is not the table's first.
func (b *tableBuilder) secondKey(at plan.Pos) error {
	switch {
	case b.altered:
		return diag.At(at, "the table has a primary key already: (%s)", strings.Join(b.table.PrimaryKey, ", ")).WithHint("write MODIFY, or DROP it first")
	case b.inheritedKey:
		return diag.At(at, "the table in LIKE already has a primary key: (%s)", strings.Join(b.table.PrimaryKey, ", ")).WithHint("write LIKE … (EXCLUDING CONSTRAINTS)")
	}
	return diag.At(at, "the table has more than one primary key")
}

func (b *tableBuilder) columnNames() []string {
	out := make([]string, len(b.table.Columns))
	for i, c := range b.table.Columns {
		out[i] = c.Name
	}
	return out
}

func (b *tableBuilder) columnByName(name string) *plan.Column {
	for i := range b.table.Columns {
		if b.table.Columns[i].Name == name {
			return &b.table.Columns[i]
		}
	}
	return nil
}

// finish binds computed columns and the watermark, and checks the keys.
func (b *tableBuilder) finish(partitions []ast.Name) error {
	b.physical()
	for _, k := range b.table.PrimaryKey {
		c := b.columnByName(k)
		if c.Kind != plan.PhysicalColumn {
			return diag.At(b.at, "column %q of the primary key must be a physical column", k)
		}
		c.Type = c.Type.NotNull()
	}
	b.physical()
	for _, c := range b.computed {
		if err := b.computedColumn(c); err != nil {
			return err
		}
	}
	for _, p := range partitions {
		if b.columnByName(p.Text) == nil {
			return suggest(diag.At(p.Pos(), "column %q of PARTITIONED BY is not in the table", p.Text), p.Text, b.columnNames())
		}
	}
	if b.watermark != nil {
		return b.bindWatermark()
	}
	return nil
}

func (b *tableBuilder) physical() {
	b.table.Physical = nil
	for _, c := range b.table.Columns {
		if c.Kind == plan.PhysicalColumn {
			b.table.Physical = append(b.table.Physical, types.Field{Name: c.Name, Type: c.Type, Comment: c.Comment})
		}
	}
}

// scanScope is the columns that computed columns can name: physical, then metadata.
func (b *tableBuilder) scanScope() *scope {
	fields := append([]types.Field{}, b.table.Physical...)
	for _, c := range b.table.Columns {
		if c.Kind == plan.MetadataColumn {
			fields = append(fields, types.Field{Name: c.Name, Type: c.Type})
		}
	}
	s := newScope(nil)
	s.add(relation{alias: b.table.Name, fields: fields})
	return s
}

func (b *tableBuilder) computedColumn(c *ast.ColumnDef) error {
	x := &exprs{Analyzer: b.Analyzer, scope: b.scanScope(), clause: "a computed column"}
	e, err := x.expr(c.Expr)
	if err != nil {
		for _, o := range b.computed {
			if d, ok := err.(*diag.Error); ok && o != c && strings.Contains(d.Message, "\""+o.Name.Text+"\" not found") { //nolint:errorlint // made in this package, never wrapped
				return d.WithHint("a computed column cannot name another one; repeat its expression")
			}
		}
		return err
	}
	if hasSubquery(e) {
		return diag.At(c.Pos(), "a computed column cannot hold a subquery")
	}
	if e.Type().Kind == types.Null {
		return diag.At(c.Pos(), "the type of column %q is not known", c.Name.Text).WithHint("cast NULL to a type")
	}
	col := b.columnByName(c.Name.Text)
	col.Expr, col.Type, col.SQL = e, e.Type(), ast.FormatExpr(c.Expr)
	return nil
}

// bindWatermark checks WATERMARK FOR; a ROW's field is not supported as rowtime.
func (b *tableBuilder) bindWatermark() error {
	w := b.watermark
	if len(w.Column) > 1 {
		return diag.At(w.Column.Pos(), "a watermark on a nested field is not supported").
			WithHint("add a computed column: ts AS %s", w.Column.String())
	}
	name := w.Column.Last()
	col := b.columnByName(name)
	if col == nil {
		return suggest(diag.At(w.Column.Pos(), "column %q of WATERMARK is not in the table", name), name, b.columnNames())
	}
	if !col.Type.Kind.IsTimestamp() || col.Type.Precision > 3 {
		return diag.At(w.Column.Pos(), "a watermark needs a column of type TIMESTAMP(p) or TIMESTAMP_LTZ(p) with p from 0 to 3, but %q is %s", name, col.Type.OrNull()).
			WithHint("add a computed column such as ts AS CAST(%s AS TIMESTAMP(3)) or TO_TIMESTAMP(…)", types.QuoteName(name))
	}
	s := newScope(nil)
	fields := make([]types.Field, len(b.table.Columns))
	for i, c := range b.table.Columns {
		fields[i] = types.Field{Name: c.Name, Type: c.Type}
	}
	s.add(relation{alias: b.table.Name, fields: fields})
	x := &exprs{Analyzer: b.Analyzer, scope: s, clause: "WATERMARK"}
	e, err := x.expr(w.Expr)
	if err != nil {
		return err
	}
	if !e.Type().Kind.IsTimestamp() {
		return diag.At(w.Expr.Pos(), "the watermark must be a timestamp, found %s", e.Type().OrNull())
	}
	want := col.Type
	want.Precision = max(want.Precision, 3)
	b.table.Watermark = &plan.WatermarkSpec{Column: name, Expr: function.Coerce(e, want), SQL: ast.FormatExpr(w.Expr)}
	return nil
}
