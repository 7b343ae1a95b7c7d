package sql

import (
	"errors"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/analyze"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/catalog"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// exists ignores ErrExists when IF NOT EXISTS was written.
func exists(pos plan.Pos, err error, ifNot bool, done string) (Result, error) {
	if ifNot && errors.Is(err, catalog.ErrExists) {
		return Result{Message: "it already exists"}, nil
	}
	return Result{Message: done}, at(pos, err)
}

func (s *Session) createTable(c *ast.CreateTable) (Result, error) {
	if c.Names != nil {
		return Result{}, diag.At(c.Names[0].Pos(), "column %q lacks a type", c.Names[0].Text)
	}
	if c.IfNotExists {
		if id, err := s.catalog.Resolve(c.Path.Texts()); err == nil {
			if r, ok := s.catalog.Lookup(id); ok && r.Temporary == c.Temporary {
				return Result{Message: "it already exists"}, nil
			}
		}
	}
	r, err := s.analyzer.CreateTable(c)
	if err != nil {
		return Result{}, err
	}
	res, err := exists(c.Path.Pos(), s.catalog.Add(r, c.OrReplace), c.IfNotExists, "created table "+r.ID.Name)
	if err != nil || c.As == nil {
		return res, err
	}
	set, err := s.analyzer.Inserts([]*ast.Insert{c.Insert()})
	if err != nil {
		return Result{}, errors.Join(err, s.catalog.Drop(r.ID, false, r.Temporary))
	}
	return Result{Inserts: set}, nil
}

func (s *Session) createView(v *ast.CreateView) (Result, error) {
	id, err := s.catalog.Resolve(v.Path.Texts())
	if err != nil {
		return Result{}, at(v.Path.Pos(), err)
	}
	if r, ok := s.catalog.Lookup(id); ok && r.Temporary == v.Temporary {
		return exists(v.Path.Pos(), s.catalog.Add(&catalog.Relation{ID: id, Temporary: v.Temporary}, false), v.IfNotExists, "")
	}
	r, err := s.viewOf(v, id)
	if err != nil {
		return Result{}, err
	}
	return exists(v.Path.Pos(), s.catalog.Add(r, false), v.IfNotExists, "created view "+id.Name)
}

func (s *Session) viewOf(v *ast.CreateView, id catalog.ID) (*catalog.Relation, error) {
	fields, err := s.analyzer.ViewFields(v)
	if err != nil {
		return nil, err
	}
	view := &catalog.View{Query: v.Query, Fields: fields, Text: ast.FormatQuery(v.Query)}
	view.Catalog, view.Database = s.catalog.Current()
	if v.Comment != nil {
		view.Comment = *v.Comment
	}
	return &catalog.Relation{ID: id, Temporary: v.Temporary, View: view}, nil
}

// createFunction stores a function. One with parameters, a result type and a SQL
// body runs here; others are kept for other engines.
func (s *Session) createFunction(f *ast.CreateFunction) (Result, error) {
	id, err := s.catalog.Resolve(f.Path.Texts())
	if err != nil {
		return Result{}, at(f.Path.Pos(), err)
	}
	fn := &catalog.Function{ID: id, Temporary: f.Temporary, System: f.System, UserFunction: &plan.UserFunction{
		Path: id.Catalog + "." + id.Database + "." + id.Name, Language: f.Language, Class: f.Class, Using: f.Using,
	}}
	if fn.Language == "" {
		fn.Language = "JAVA"
		if f.Body != nil {
			fn.Language = "SQL"
		}
	}
	fn.Options = map[string]string{}
	for _, o := range f.Options {
		fn.Options[o.Key] = o.Value
	}
	for _, p := range f.Params {
		t, err := analyze.DataType(p.Type)
		if err != nil {
			return Result{}, err
		}
		fn.Params = append(fn.Params, types.Field{Name: p.Name.Text, Type: t})
	}
	if f.Returns != nil {
		if fn.Returns, err = analyze.DataType(f.Returns); err != nil {
			return Result{}, err
		}
	}
	if f.Body != nil {
		if err := s.analyzer.FunctionBody(f, fn.UserFunction); err != nil {
			return Result{}, err
		}
	}
	return exists(f.Path.Pos(), s.catalog.AddFunction(fn, false), f.IfNotExists, "created function "+id.Name)
}

func optionMap(opts []ast.Option) map[string]string {
	out := make(map[string]string, len(opts))
	for _, o := range opts {
		out[o.Key] = o.Value
	}
	return out
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// namespace applies CREATE CATALOG, CREATE DATABASE and USE.
func (s *Session) namespace(st ast.Statement) (Result, error) {
	switch st := st.(type) {
	case *ast.CreateCatalog:
		return exists(st.Name.Pos(), s.catalog.AddCatalog(st.Name.Text, text(st.Comment), optionMap(st.Options)), st.IfNotExists, "created catalog "+st.Name.Text)
	case *ast.CreateDatabase:
		cat, db, err := s.databasePath(st.Path)
		if err != nil {
			return Result{}, err
		}
		return exists(st.Path.Pos(), s.catalog.AddDatabase(cat, db, text(st.Comment), optionMap(st.Options)), st.IfNotExists, "created database "+db)
	case *ast.Use:
		switch st.What {
		case "MODULES":
			if len(st.Names) == 1 && st.Names[0].Text == "core" {
				return Result{Message: "using module core"}, nil
			}
			return Result{}, diag.At(st.Names[0].Pos(), "there is no module but core, which is always in use")
		case "CATALOG":
			return Result{Message: "using catalog " + st.Path.Last()}, at(st.Path.Pos(), s.catalog.UseCatalog(st.Path.Last()))
		}
		return Result{Message: "using " + st.Path.String()}, at(st.Path.Pos(), s.catalog.Use(st.Path.Texts()))
	}
	return s.unsupported(st)
}

func (s *Session) databasePath(p ast.Path) (cat, db string, err error) {
	cat, _ = s.catalog.Current()
	switch len(p) {
	case 1:
		return cat, p[0].Text, nil
	case 2:
		return p[0].Text, p[1].Text, nil
	}
	return "", "", diag.At(p.Pos(), "a database's name has at most two parts")
}

func (s *Session) drop(d *ast.Drop) (Result, error) {
	var err error
	switch d.What {
	case "CATALOG":
		err = s.catalog.DropCatalog(d.Path.Last())
	case "DATABASE":
		cat, db, perr := s.databasePath(d.Path)
		if perr != nil {
			return Result{}, perr
		}
		err = s.catalog.DropDatabase(cat, db, d.Cascade)
	default:
		id, rerr := s.catalog.Resolve(d.Path.Texts())
		if rerr != nil {
			return Result{}, at(d.Path.Pos(), rerr)
		}
		if d.What == "FUNCTION" {
			err = s.catalog.DropFunction(id, d.Temporary, d.System)
		} else {
			err = s.catalog.Drop(id, d.What == "VIEW", d.Temporary)
		}
	}
	if d.IfExists && errors.Is(err, catalog.ErrNotFound) {
		return Result{Message: "it does not exist"}, nil
	}
	if errors.Is(err, catalog.ErrNotFound) && (d.What == "TABLE" || d.What == "VIEW") {
		return Result{}, s.notDropped(d)
	}
	return Result{Message: "dropped " + strings.ToLower(d.What) + " " + d.Path.Last()}, at(d.Path.Pos(), err)
}

// notDropped says why DROP found nothing of the kind.
func (s *Session) notDropped(d *ast.Drop) error {
	what := strings.ToLower(d.What)
	id, err := s.catalog.Resolve(d.Path.Texts())
	if r, ok := s.catalog.Lookup(id); err == nil && ok {
		is := map[bool]string{true: "view", false: "table"}[r.View != nil]
		switch {
		case is != what:
			return diag.At(d.Path.Pos(), "%q is a %s", d.Path.String(), is).WithHint("write DROP %s%s", temporary(r.Temporary), strings.ToUpper(is))
		case d.Temporary:
			return diag.At(d.Path.Pos(), "%s %q is not temporary", what, d.Path.String()).WithHint("write DROP %s", d.What)
		}
	}
	return s.missing(d.Path, what+" %q does not exist")
}
