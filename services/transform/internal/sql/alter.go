package sql

import (
	"maps"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/catalog"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
)

// alter applies ALTER ….
func (s *Session) alter(a *ast.Alter) (Result, error) {
	done := Result{Message: "altered " + a.Path.String()}
	switch a.What {
	case "TABLE", "VIEW":
		id, err := s.catalog.Resolve(a.Path.Texts())
		if err != nil {
			return Result{}, at(a.Path.Pos(), err)
		}
		r, ok := s.catalog.Lookup(id)
		if !ok || (r.View != nil) != (a.What == "VIEW") {
			if a.IfExists {
				return Result{Message: "it does not exist"}, nil
			}
			if !ok {
				return Result{}, s.missing(a.Path, strings.ToLower(a.What)+" %q not found")
			}
			return Result{}, diag.At(a.Path.Pos(), "%q is not a %s", a.Path.String(), strings.ToLower(a.What)).WithHint("write ALTER %s", map[bool]string{true: "TABLE", false: "VIEW"}[a.What == "VIEW"])
		}
		if a.What == "VIEW" {
			return done, s.alterView(a, r)
		}
		return done, s.alterTable(a, r)
	case "DATABASE":
		if a.Action == "SET" {
			cat, db, err := s.databasePath(a.Path)
			if err != nil {
				return Result{}, err
			}
			return done, at(a.Path.Pos(), s.catalog.AlterDatabase(cat, db, optionMap(a.Options)))
		}
	}
	return Result{}, diag.At(a.Pos(), "ALTER %s … %s is not supported", a.What, a.Action)
}

func (s *Session) alterView(a *ast.Alter, r *catalog.Relation) error {
	switch a.Action {
	case "RENAME TO":
		return at(a.NewPath.Pos(), s.catalog.Rename(r, a.NewPath.Last()))
	case "AS":
		v, err := s.viewOf(&ast.CreateView{At: a.At, Path: a.Path, Temporary: r.Temporary, Query: a.Query}, r.ID)
		if err != nil {
			return err
		}
		v.View.Comment = r.View.Comment
		return at(a.Pos(), s.catalog.Add(v, true))
	}
	return diag.At(a.Pos(), "ALTER VIEW … %s is not supported", a.Action).WithHint("there are RENAME TO and AS")
}

// alterTable makes a changed copy of the table and checks it as a new one.
func (s *Session) alterTable(a *ast.Alter, r *catalog.Relation) error {
	if a.Action == "RENAME TO" {
		if err := s.catalog.Rename(r, a.NewPath.Last()); err != nil {
			return at(a.NewPath.Pos(), err)
		}
		t := *r.Table
		t.Name = r.ID.Name
		r.Table = &t
		return nil
	}
	t := *r.Table
	switch a.Action {
	case "SET":
		t.Options = maps.Clone(t.Options)
		for _, o := range a.Options {
			t.Options[o.Key] = o.Value
		}
	case "RESET":
		if len(a.Keys) == 0 {
			return diag.At(a.Pos(), "RESET names no option").WithHint("write RESET ('…')")
		}
		t.Options = maps.Clone(t.Options)
		for _, k := range a.Keys {
			if k == "connector" {
				return diag.At(a.Pos(), "the connector of a table cannot be reset")
			}
			delete(t.Options, k)
		}
	case "DROP WATERMARK":
		if t.Watermark == nil {
			return diag.At(a.Pos(), "table %q has no watermark", a.Path.String())
		}
		t.Watermark = nil
	case "DROP PRIMARY KEY", "DROP CONSTRAINT":
		if len(t.PrimaryKey) == 0 {
			return diag.At(a.Pos(), "table %q has no primary key", a.Path.String())
		}
		if len(a.Names) > 0 && a.Names[0].Text != t.KeyName {
			return diag.At(a.Names[0].Pos(), "table %q has no constraint %q; its primary key is %q", a.Path.String(), a.Names[0].Text, t.KeyName)
		}
		t.PrimaryKey, t.KeyName = nil, ""
		// A key that the connector needs may follow; the table is checked where it is used.
		return s.storeTable(a, r, &t)
	default:
		return s.alterColumns(a, r, &t)
	}
	return s.replaceTable(a, r, &t)
}

func (s *Session) replaceTable(a *ast.Alter, r *catalog.Relation, t *plan.Table) error {
	if err := s.analyzer.Validate(t, a.Path.Pos()); err != nil {
		return err
	}
	return s.storeTable(a, r, t)
}

func (s *Session) storeTable(a *ast.Alter, r *catalog.Relation, t *plan.Table) error {
	return at(a.Pos(), s.catalog.Add(&catalog.Relation{ID: r.ID, Temporary: r.Temporary, Table: t}, true))
}

// alterColumns adds, changes, drops and renames columns.
func (s *Session) alterColumns(a *ast.Alter, r *catalog.Relation, t *plan.Table) error {
	changed, err := s.analyzer.AlterColumns(a, t)
	if err != nil {
		return err
	}
	return s.replaceTable(a, r, changed)
}
