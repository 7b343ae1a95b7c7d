package analyze

import (
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/function"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// FunctionBody binds the body of a SQL function over its parameters, and gives it
// a result type if none was written.
func (a *Analyzer) FunctionBody(f *ast.CreateFunction, u *plan.UserFunction) error {
	s := newScope(nil)
	s.add(relation{fields: u.Params})
	x := &exprs{Analyzer: a, scope: s, clause: "a function's body"}
	e, err := x.expr(f.Body)
	if err != nil {
		return err
	}
	if hasSubquery(e) {
		return diag.At(f.Body.Pos(), "a function's body cannot hold a subquery")
	}
	if u.Returns.Kind == types.Invalid {
		u.Returns = e.Type().Plain()
	}
	if !types.CanPass(e.Type(), u.Returns) {
		return diag.At(f.Body.Pos(), "the body is %s, but the function returns %s", e.Type().OrNull(), u.Returns.OrNull())
	}
	u.Body = function.Coerce(e, u.Returns)
	return nil
}

// Table plans reading a table or view alone, for DESCRIBE: its columns, with time
// attributes.
func (a *Analyzer) Table(path ast.Path) ([]types.Field, error) {
	validate := a.validate
	a.validate = nil
	defer func() { a.validate = validate }()
	node, _, err := a.table(&ast.Table{At: ast.At(path.Pos()), Path: path}, nil)
	if err != nil {
		return nil, err
	}
	return node.Out().Fields, nil
}
