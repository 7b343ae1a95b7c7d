package analyze

import (
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
)

// matcher is the context of expressions in MATCH_RECOGNIZE.
type matcher struct{}

// ident resolves a name that may start with a pattern variable.
func (m *matcher) ident(*exprs, *ast.Ident) (plan.Expr, error) {
	return nil, nil //nolint:nilnil // nil: not a pattern variable
}

func (a *Analyzer) matchRecognize(t *ast.Match, _, _ *scope) (plan.Node, error) {
	return nil, diag.At(t.Pos(), "MATCH_RECOGNIZE is not supported yet").
		WithHint("for changes between neighbouring rows use LAG or ROW_NUMBER with OVER")
}
