// Package outline tells an editor what names a statement may use: the tables and
// columns that the statements so far define, functions, keywords and connectors.
package outline

import (
	"maps"
	"slices"
	"strings"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/sql"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/function"
	"github.com/weirflow/weirflow/services/transform/internal/sql/token"
)

// Of returns the names. Statements that are not whole or not valid are left out.
func Of(text string, parameters map[string]string, connectors connector.Registry) *jobv1.GetCatalogResponse {
	s := sql.NewSession(sql.Options{Config: parameters})
	builtIn := s.Functions()
	for _, st := range sql.ParseEach(text) {
		if defines(st) {
			_, _ = s.Analyze(st) // what is wrong with it is told by ValidateJob
		}
	}
	return &jobv1.GetCatalogResponse{
		Tables: tables(s), Functions: functions(s, builtIn), Keywords: token.NewWords().All(), Connectors: options(connectors),
	}
}

// defines reports whether a statement changes which names there are.
func defines(st ast.Statement) bool {
	switch st.(type) {
	case *ast.CreateTable, *ast.CreateView, *ast.CreateFunction, *ast.CreateCatalog, *ast.CreateDatabase, *ast.Use, *ast.Drop, *ast.Alter, *ast.Set, *ast.Reset:
		return true
	default:
		return false
	}
}

func tables(s *sql.Session) []*jobv1.CatalogTable {
	var out []*jobv1.CatalogTable
	for _, r := range s.Relations() {
		t := &jobv1.CatalogTable{Name: r.ID.Name, View: r.View != nil}
		for _, f := range s.Fields(r.ID.Name) {
			t.Columns = append(t.Columns, &jobv1.CatalogColumn{Name: f.Name, Type: f.Type.String()})
		}
		out = append(out, t)
	}
	return out
}

func functions(s *sql.Session, builtIn []string) []*jobv1.CatalogFunction {
	known := function.NewTable()
	var out []*jobv1.CatalogFunction
	for _, name := range s.Functions() {
		f := &jobv1.CatalogFunction{Name: strings.ToUpper(name), Kind: "scalar"}
		if _, found := slices.BinarySearch(builtIn, name); !found {
			f.Name, f.UserDefined = name, true
		}
		if d, ok := known.Lookup(name); ok {
			f.Kind = kind(d.Class)
		}
		out = append(out, f)
	}
	return out
}

func kind(c function.Class) string {
	switch c {
	case function.Aggregate, function.Grouping:
		return "aggregate"
	case function.Ranking, function.Group:
		return "window"
	case function.Pattern:
		return "pattern"
	default:
		return "scalar"
	}
}

// options lists the connectors with what they take whatever their other options say.
func options(connectors connector.Registry) []*jobv1.CatalogConnector {
	var out []*jobv1.CatalogConnector
	for _, name := range slices.Sorted(maps.Keys(connectors)) {
		c := &jobv1.CatalogConnector{Name: name}
		for _, o := range connectors[name].Options(map[string]string{"connector": name, "format": "json"}) {
			key := o.Key
			if o.Prefix {
				key += "*"
			}
			c.Options = append(c.Options, key)
		}
		slices.Sort(c.Options)
		c.Options = slices.Compact(c.Options)
		out = append(out, c)
	}
	return out
}
