package sql

import (
	"maps"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/catalog"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// show answers SHOW ….
func (s *Session) show(st *ast.Show) (Result, error) {
	switch st.What {
	case "CREATE TABLE", "CREATE VIEW", "CREATE CATALOG":
		return s.showCreate(st)
	case "MODULES":
		if st.Full {
			info := newInfo("module name", "used")
			info.Columns[1].Type = types.Of(types.Boolean)
			info.add("core", "TRUE")
			return Result{Info: info}, nil
		}
	case "PARTITIONS":
		return s.showPartitions(st)
	case "COLUMNS":
		return s.showColumns(st)
	case "CURRENT CATALOG", "CURRENT DATABASE":
		cat, db := s.catalog.Current()
		info := newInfo(map[bool]string{true: "current catalog name", false: "current database name"}[st.What == "CURRENT CATALOG"])
		info.add(map[bool]string{true: cat, false: db}[st.What == "CURRENT CATALOG"])
		return Result{Info: info}, nil
	}
	names, title, err := s.names(st)
	if err != nil {
		return Result{}, err
	}
	info := newInfo(title)
	for _, n := range names {
		if matches(st, n) {
			info.add(n)
		}
	}
	return Result{Info: info}, nil
}

// names lists what SHOW asks for, and the title of the list.
func (s *Session) names(st *ast.Show) ([]string, string, error) {
	cat, db := s.catalog.Current()
	switch len(st.From) {
	case 1:
		if st.What == "DATABASES" {
			cat = st.From[0].Text
		} else {
			db = st.From[0].Text
		}
	case 2:
		cat, db = st.From[0].Text, st.From[1].Text
	}
	switch st.What {
	case "TABLES", "VIEWS":
		rels, err := s.catalog.Relations(cat, db)
		var out []string
		for _, r := range rels {
			if st.What == "TABLES" || r.View != nil {
				out = append(out, r.ID.Name)
			}
		}
		return out, strings.ToLower(strings.TrimSuffix(st.What, "S")) + " name", at(st.Pos(), err)
	case "DATABASES":
		out, err := s.catalog.Databases(cat)
		return out, "database name", at(st.Pos(), err)
	case "CATALOGS":
		return s.catalog.Catalogs(), "catalog name", nil
	case "FUNCTIONS":
		out := s.catalog.Functions(cat, db)
		if !st.UserOnly {
			for _, n := range s.functions.Names() {
				out = append(out, strings.ToLower(n))
			}
			slices.Sort(out)
		}
		return slices.Compact(out), "function name", nil
	case "MODULES":
		return []string{"core"}, "module name", nil
	case "JARS":
		return nil, "jars", nil
	case "PROCEDURES":
		return nil, "procedure name", nil
	}
	return nil, "", diag.At(st.Pos(), "SHOW %s is not supported", st.What).WithHint("there are TABLES, VIEWS, COLUMNS, DATABASES, CATALOGS, FUNCTIONS and CREATE TABLE")
}

// matches applies LIKE and ILIKE of SHOW.
func matches(st *ast.Show, name string) bool {
	if st.Like == nil {
		return true
	}
	pattern := *st.Like
	if st.ILike {
		pattern, name = strings.ToLower(pattern), strings.ToLower(name)
	}
	return like([]rune(pattern), []rune(name)) != st.Not
}

// like matches % and _ without backtracking more than one %.
func like(p, s []rune) bool {
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '%':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '_' || p[i] == s[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '%' {
		i++
	}
	return i == len(p)
}

func (s *Session) lookup(path ast.Path) (*catalog.Relation, error) {
	id, err := s.catalog.Resolve(path.Texts())
	if err != nil {
		return nil, at(path.Pos(), err)
	}
	r, ok := s.catalog.Lookup(id)
	if !ok {
		return nil, s.missing(path, "table or view %q not found")
	}
	return r, nil
}

// missing says that there is no such table, and which may be meant.
func (s *Session) missing(path ast.Path, format string) error {
	err := diag.At(path.Pos(), format, path.String())
	if near := diag.Nearest(path.Last(), s.Tables()); near != "" {
		return err.WithHint("did you mean %q?", near)
	}
	return err
}

// describe answers DESCRIBE: name, type, null, key, extras, watermark.
func (s *Session) describe(st *ast.Describe) (Result, error) {
	switch st.What {
	case "":
		info, err := s.columns(st.Path)
		return Result{Info: info}, err
	case "CATALOG":
		opts, err := s.catalog.CatalogOptions(st.Path.Last())
		if err != nil {
			return Result{}, at(st.Pos(), err)
		}
		info := newInfo("info name", "info value")
		info.add("name", st.Path.Last())
		for _, k := range slices.Sorted(maps.Keys(opts)) {
			info.add("option:"+k, Mask(k, opts[k]))
		}
		return Result{Info: info}, nil
	case "DATABASE":
		cat, db, err := s.databasePath(st.Path)
		if err != nil {
			return Result{}, err
		}
		comment, err := s.catalog.DatabaseComment(cat, db)
		info := newInfo("info name", "info value")
		info.add("catalog", cat)
		info.add("name", db)
		info.add("comment", comment)
		return Result{Info: info}, at(st.Pos(), err)
	}
	return Result{}, diag.At(st.Pos(), "DESCRIBE %s is not supported", st.What)
}

// columns describes the columns of a table or view.
func (s *Session) columns(path ast.Path) (*Info, error) {
	r, err := s.lookup(path)
	if err != nil {
		return nil, err
	}
	fields, err := s.analyzer.Table(path)
	if err != nil {
		return nil, err
	}
	titles := []string{"name", "type", "null", "key", "extras", "watermark"}
	if r.Table != nil && slices.ContainsFunc(r.Table.Columns, func(c plan.Column) bool { return c.Comment != "" }) {
		titles = append(titles, "comment")
	}
	info := newInfo(titles...)
	info.Columns[2].Type = types.Of(types.Boolean)
	for _, f := range fields {
		row := make([]*string, len(titles))
		set := func(i int, v string) { row[i] = &v }
		set(0, f.Name)
		set(1, f.Type.OrNull().String())
		set(2, strings.ToUpper(map[bool]string{true: "true", false: "false"}[f.Type.Nullable]))
		if r.Table != nil {
			describeColumn(r.Table, f.Name, set)
		}
		info.Rows = append(info.Rows, row)
	}
	return info, nil
}

func describeColumn(t *plan.Table, name string, set func(int, string)) {
	if slices.Contains(t.PrimaryKey, name) {
		set(3, "PRI("+strings.Join(t.PrimaryKey, ", ")+")")
	}
	for _, c := range t.Columns {
		if c.Name != name {
			continue
		}
		if c.Comment != "" {
			set(6, c.Comment)
		}
		switch c.Kind {
		case plan.ComputedColumn:
			set(4, "AS "+c.SQL)
		case plan.MetadataColumn:
			set(4, metadataText(c))
		}
	}
	if t.Watermark != nil && t.Watermark.Column == name {
		set(5, t.Watermark.SQL)
	}
}

func metadataText(c plan.Column) string {
	s := "METADATA"
	if c.Metadata != c.Name {
		s += " FROM " + ast.QuoteText(c.Metadata)
	}
	if c.Virtual {
		s += " VIRTUAL"
	}
	return s
}

// showPartitions says why there are none to show: the catalog holds no partitions.
func (s *Session) showPartitions(st *ast.Show) (Result, error) {
	r, err := s.lookup(st.Path)
	if err != nil {
		return Result{}, err
	}
	if r.Table == nil || len(r.Table.PartitionKeys) == 0 {
		return Result{}, diag.At(st.Path.Pos(), "table %q is not partitioned", st.Path.String())
	}
	return Result{}, diag.At(st.Pos(), "SHOW PARTITIONS is not supported: the partitions of %q are the folders that are there when it is read", st.Path.String())
}

func (s *Session) showColumns(st *ast.Show) (Result, error) {
	if len(st.From) == 0 {
		return Result{}, diag.At(st.Pos(), "SHOW COLUMNS needs FROM and the name of a table")
	}
	info, err := s.columns(st.From)
	if err != nil {
		return Result{}, err
	}
	rows := info.Rows[:0:0]
	for _, r := range info.Rows {
		if matches(st, *r[0]) {
			rows = append(rows, r)
		}
	}
	info.Rows = rows
	return Result{Info: info}, nil
}
