package sql

import (
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/parse"
	"github.com/weirflow/weirflow/services/transform/internal/sql/scan"
)

// ParseEach returns the statements of a script that is being written: those that do
// not parse are left out, and do not hide the others.
func ParseEach(script string) []ast.Statement {
	var out []ast.Statement
	for _, piece := range pieces(script) {
		if stmts, err := parse.Script(piece); err == nil {
			out = append(out, stmts...)
		}
	}
	return out
}

// pieces cuts a script at its semicolons. What follows a literal or comment that is
// not closed belongs to the last piece.
func pieces(script string) []string {
	toks, err := scan.All(script)
	for _, end := range []string{"'", "`", "*/"} {
		if err != nil {
			toks, err = scan.All(script + end)
		}
	}
	if err != nil {
		return nil
	}
	var out []string
	from, set := 0, false // in a statement set, whose statements belong together
	for i, t := range toks {
		switch {
		case t.Is("BEGIN"):
			set = true
		case t.Is("END") && i > 0 && toks[i-1].Is(";"):
			set = false
		case t.Is(";") && !set:
			out = append(out, script[from:t.Start])
			from = t.End
		}
	}
	if from < len(script) {
		out = append(out, script[from:])
	}
	return out
}
