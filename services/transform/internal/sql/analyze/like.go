package analyze

import (
	"maps"
	"slices"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
)

// likeStrategy reports whether LIKE says action for a feature. Unless it says
// anything, options are overwritten and all else is included.
func likeStrategy(l *ast.LikeTable, feature, action string) bool {
	current := "INCLUDING"
	if feature == "OPTIONS" {
		current = "OVERWRITING"
	}
	for _, o := range l.Options {
		if o.Feature == "ALL" {
			current = o.Action
		}
	}
	for _, o := range l.Options {
		if o.Feature == feature {
			current = o.Action
		}
	}
	return current == action
}

// checkLike refuses what LIKE says twice, and overwriting where two cannot be told apart.
func checkLike(l *ast.LikeTable) error {
	for i, o := range l.Options {
		if o.Action == "OVERWRITING" && (o.Feature == "ALL" || o.Feature == "CONSTRAINTS" || o.Feature == "PARTITIONS") {
			return diag.At(o.Pos(), "%s cannot be OVERWRITING", o.Feature).WithHint("write EXCLUDING %s and define them anew", o.Feature)
		}
		if slices.ContainsFunc(l.Options[:i], func(before ast.LikeOption) bool { return before.Feature == o.Feature }) {
			return diag.At(o.Pos(), "LIKE says twice what becomes of %s", o.Feature)
		}
	}
	return nil
}

// like copies what LIKE includes from another table.
func (b *tableBuilder) like(c *ast.CreateTable) error {
	if err := checkLike(c.Like); err != nil {
		return err
	}
	id, err := b.catalog.Resolve(c.Like.Table.Texts())
	if err != nil {
		return diag.At(c.Like.Pos(), "%s", err.Error())
	}
	r, ok := b.catalog.Lookup(id)
	if ok && r.Table == nil {
		return diag.At(c.Like.Table.Pos(), "%q is a view: LIKE takes a table", c.Like.Table.String())
	}
	if !ok {
		return diag.At(c.Like.Table.Pos(), "table %q of LIKE not found", c.Like.Table.String())
	}
	src := r.Table
	if !likeStrategy(c.Like, "OPTIONS", "EXCLUDING") {
		maps.Copy(b.table.Options, src.Options)
	}
	b.likeColumns(c, src)
	if !likeStrategy(c.Like, "CONSTRAINTS", "EXCLUDING") {
		b.table.PrimaryKey, b.table.KeyName = slices.Clone(src.PrimaryKey), src.KeyName
		b.inheritedKey = len(src.PrimaryKey) > 0
	}
	if !likeStrategy(c.Like, "PARTITIONS", "EXCLUDING") {
		b.table.PartitionKeys = slices.Clone(src.PartitionKeys)
	}
	if src.Watermark != nil && !likeStrategy(c.Like, "WATERMARKS", "EXCLUDING") && (c.Watermark == nil || !likeStrategy(c.Like, "WATERMARKS", "OVERWRITING")) {
		b.table.Watermark = src.Watermark
	}
	return nil
}

// likeColumns copies columns. Those that are defined anew keep their place.
func (b *tableBuilder) likeColumns(c *ast.CreateTable, src *plan.Table) {
	redefined := map[string]*ast.ColumnDef{}
	for _, col := range c.Columns {
		redefined[col.Name.Text] = col
	}
	b.replaced = map[string]bool{}
	for _, col := range src.Columns {
		feature := map[plan.ColumnKind]string{plan.ComputedColumn: "GENERATED", plan.MetadataColumn: "METADATA"}[col.Kind]
		if feature != "" && likeStrategy(c.Like, feature, "EXCLUDING") {
			continue
		}
		again := redefined[col.Name]
		if again != nil && feature != "" && likeStrategy(c.Like, feature, "OVERWRITING") && (again.Type == nil) == (col.Kind == plan.ComputedColumn) {
			b.replaced[col.Name] = true
		} else {
			b.names[col.Name] = true
		}
		b.table.Columns = append(b.table.Columns, col)
	}
}
