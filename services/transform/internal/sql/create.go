package sql

import (
	"maps"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/catalog"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
)

// showCreate answers SHOW CREATE …, with secrets as stars.
func (s *Session) showCreate(st *ast.Show) (Result, error) {
	info := newInfo("result")
	if st.What == "CREATE CATALOG" {
		opts, err := s.catalog.CatalogOptions(st.Path.Last())
		if err != nil {
			return Result{}, at(st.Path.Pos(), err)
		}
		info.add("CREATE CATALOG " + ast.QuoteName(st.Path.Last()) + withText(opts))
		return Result{Info: info}, nil
	}
	r, err := s.lookup(st.Path)
	if err != nil {
		return Result{}, err
	}
	isView := r.View != nil
	if isView != (st.What == "CREATE VIEW") {
		what := map[bool]string{true: "view", false: "table"}[isView]
		return Result{}, diag.At(st.Path.Pos(), "%q is a %s", st.Path.String(), what).WithHint("write SHOW CREATE %s", strings.ToUpper(what))
	}
	if isView {
		info.add(viewText(r))
	} else {
		info.add(TableText(r.Table))
	}
	return Result{Info: info}, nil
}

func viewText(r *catalog.Relation) string {
	names := make([]string, len(r.View.Fields))
	for i, f := range r.View.Fields {
		names[i] = ast.QuoteName(f.Name)
	}
	comment := ""
	if r.View.Comment != "" {
		comment = " COMMENT " + ast.QuoteText(r.View.Comment)
	}
	return "CREATE " + temporary(r.Temporary) + "VIEW " + r.ID.String() + " (" + strings.Join(names, ", ") + ")" + comment + "\nAS " + r.View.Text
}

func temporary(t bool) string {
	if t {
		return "TEMPORARY "
	}
	return ""
}

// withText is the WITH clause for options, secrets masked.
func withText(opts map[string]string) string {
	if len(opts) == 0 {
		return ""
	}
	lines := make([]string, 0, len(opts))
	for _, k := range slices.Sorted(maps.Keys(opts)) {
		lines = append(lines, "  "+ast.QuoteText(k)+" = "+ast.QuoteText(Mask(named(k, opts), opts[k])))
	}
	return "\nWITH (\n" + strings.Join(lines, ",\n") + "\n)"
}

// named is the name of the option that a value is of, also where the old spelling
// gives name and value apart.
func named(key string, opts map[string]string) string {
	if m := numberedValue.FindStringSubmatch(key); m != nil {
		return opts["connector.properties."+m[1]+".key"]
	}
	return key
}

// TableText returns the CREATE TABLE of a table, with secrets as stars.
func TableText(t *plan.Table) string {
	lines := make([]string, 0, len(t.Columns)+2)
	for _, c := range t.Columns {
		line := "  " + ast.QuoteName(c.Name) + " "
		switch c.Kind {
		case plan.ComputedColumn:
			line += "AS " + c.SQL
		case plan.MetadataColumn:
			line += c.Type.String() + " " + metadataText(c)
		default:
			line += c.Type.String()
		}
		if c.Comment != "" {
			line += " COMMENT " + ast.QuoteText(c.Comment)
		}
		lines = append(lines, line)
	}
	if w := t.Watermark; w != nil {
		lines = append(lines, "  WATERMARK FOR "+ast.QuoteName(w.Column)+" AS "+w.SQL)
	}
	if len(t.PrimaryKey) > 0 {
		lines = append(lines, "  CONSTRAINT "+ast.QuoteName(t.KeyName)+" PRIMARY KEY ("+quoted(t.PrimaryKey)+") NOT ENFORCED")
	}
	id := catalog.ID{Catalog: t.Catalog, Database: t.Database, Name: t.Name}
	s := "CREATE " + temporary(t.Temporary) + "TABLE " + id.String() + " (\n" + strings.Join(lines, ",\n") + "\n)"
	if t.Comment != "" {
		s += " COMMENT " + ast.QuoteText(t.Comment)
	}
	if len(t.PartitionKeys) > 0 {
		s += "\nPARTITIONED BY (" + quoted(t.PartitionKeys) + ")"
	}
	return s + withText(t.Options)
}

func quoted(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = ast.QuoteName(n)
	}
	return strings.Join(out, ", ")
}
