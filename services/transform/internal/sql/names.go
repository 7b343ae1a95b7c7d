package sql

import (
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/catalog"
	"github.com/weirflow/weirflow/services/transform/internal/sql/scan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/token"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Settings are the names of the settings that are known.
func Settings() []string { return strings.Fields(flinkSettings) }

// Functions lists the functions that there are, in lower case.
func (s *Session) Functions() []string {
	cat, db := s.catalog.Current()
	out := s.catalog.Functions(cat, db)
	for _, n := range s.functions.Names() {
		out = append(out, strings.ToLower(n))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Relations lists the tables and views of the current database.
func (s *Session) Relations() []*catalog.Relation {
	cat, db := s.catalog.Current()
	rels, err := s.catalog.Relations(cat, db)
	if err != nil {
		return nil
	}
	return rels
}

// Tables lists the names of the tables and views of the current database.
func (s *Session) Tables() []string {
	var out []string
	for _, r := range s.Relations() {
		out = append(out, r.ID.Name)
	}
	return out
}

// Fields lists the columns of a table or view with their types; none if there is no such.
func (s *Session) Fields(table string) []types.Field {
	fields, err := s.analyzer.Table(ast.Path{{Text: table}})
	if err != nil {
		return nil
	}
	return fields
}

// Columns lists the names of the columns of a table or view.
func (s *Session) Columns(table string) []string {
	var out []string
	for _, f := range s.Fields(table) {
		out = append(out, f.Name)
	}
	return out
}

// Scan returns the tokens of a text, the end among them.
func Scan(text string) ([]token.Token, error) { return scan.All(text) }

// Complete reports whether a text that someone types is a whole statement: nothing
// is left open, and a semicolon ends it.
func Complete(text string) bool {
	toks, err := scan.All(text)
	if err != nil {
		return !Open(text)
	}
	toks = slices.DeleteFunc(toks, func(t token.Token) bool { return t.Kind == token.EOF })
	last := len(toks) - 1
	if last < 0 {
		return true
	}
	if !toks[last].Is(";") {
		return false
	}
	set := 0
	for i := 1; i < len(toks); i++ {
		if toks[i-1].Is("STATEMENT") && toks[i].Is("SET") && i <= 2 {
			set = i
		}
	}
	if set == 0 {
		return true
	}
	for last > 0 && toks[last].Is(";") {
		last--
	}
	return toks[last].Is("END")
}

// Open reports whether a text ends within a literal, a quoted name or a comment.
func Open(text string) bool {
	for _, end := range []string{"'", "`", "*/"} {
		if _, err := scan.All(text + end); err == nil {
			return true
		}
	}
	return false
}
