// Package parse turns SQL text into statements. It is a recursive-descent parser
// with precedence climbing, for the grammar of Flink SQL.
package parse

import (
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
	"github.com/weirflow/weirflow/services/transform/internal/sql/scan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/token"
)

// Limits that keep hostile text from exhausting the stack.
const (
	maxDepth = 300    // nesting
	maxChain = 10000  // operands of one chain of operators, joins or set operations
	maxLinks = 200000 // operands of a statement
)

// parser keeps the first error; after it, the next token is always the end of
// the text, so every loop ends.
type parser struct {
	src   string
	toks  []token.Token
	close []int // for each "(", the index of its ")" or of the last token
	i     int
	words *token.Words
	depth int
	links int
	err   error
}

func newParser(src string) (*parser, error) {
	toks, err := scan.All(src)
	if err != nil {
		return nil, err
	}
	return &parser{src: src, toks: toks, close: matchParens(toks), words: token.NewWords()}, nil
}

func matchParens(toks []token.Token) []int {
	out := make([]int, len(toks))
	var open []int
	for i, t := range toks {
		out[i] = len(toks) - 1
		switch {
		case t.Is("("):
			open = append(open, i)
		case t.Is(")") && len(open) > 0:
			out[open[len(open)-1]] = i
			open = open[:len(open)-1]
		}
	}
	return out
}

// Script returns the statements of a text, which semicolons end.
func Script(src string) ([]ast.Statement, error) {
	p, err := newParser(src)
	if err != nil {
		return nil, err
	}
	var stmts []ast.Statement
	for {
		for p.accept(";") {
			continue
		}
		if p.tok().Kind == token.EOF {
			return stmts, p.err
		}
		p.links = 0
		s := p.statement()
		if p.err == nil && !p.at(";") && p.tok().Kind != token.EOF {
			p.unexpected("\";\" or the end of the text")
		}
		if p.err != nil {
			return nil, p.err
		}
		stmts = append(stmts, s)
	}
}

// Statement returns the only statement of a text.
func Statement(src string) (ast.Statement, error) {
	stmts, err := Script(src)
	if err != nil {
		return nil, err
	}
	if len(stmts) != 1 {
		return nil, diag.At(ast.Pos{Line: 1, Column: 1}, "expected one statement, found %d", len(stmts))
	}
	return stmts[0], nil
}

// Expr returns the expression that a text holds.
func Expr(src string) (ast.Expr, error) {
	p, err := newParser(src)
	if err != nil {
		return nil, err
	}
	e := p.expr()
	if p.tok().Kind != token.EOF {
		p.unexpected("the end of the expression")
	}
	return e, p.err
}

// Type returns the data type that a text holds.
func Type(src string) (*ast.Type, error) {
	p, err := newParser(src)
	if err != nil {
		return nil, err
	}
	t := p.dataType()
	if p.tok().Kind != token.EOF {
		p.unexpected("the end of the type")
	}
	return t, p.err
}

func (p *parser) tok() token.Token { return p.toks[p.i] }

func (p *parser) ahead(n int) token.Token {
	return p.toks[min(p.i+n, len(p.toks)-1)]
}

func (p *parser) next() token.Token {
	t := p.toks[p.i]
	if p.i < len(p.toks)-1 {
		p.i++
	}
	return t
}

func (p *parser) pos() ast.Pos { return p.tok().At }

func (p *parser) here() ast.At { return ast.At(p.tok().At) }

func (p *parser) base() ast.Base { return ast.ExprAt(p.tok().At) }

// at reports whether the next tokens are the words or operators given.
func (p *parser) at(words ...string) bool {
	for n, w := range words {
		if !p.ahead(n).Is(w) {
			return false
		}
	}
	return true
}

// accept skips the words if they come next.
func (p *parser) accept(words ...string) bool {
	if !p.at(words...) {
		return false
	}
	for range words {
		p.next()
	}
	return true
}

// acceptAny skips the next token if it is one of the words, and returns it.
func (p *parser) acceptAny(words ...string) string {
	for _, w := range words {
		if p.accept(w) {
			return w
		}
	}
	return ""
}

func (p *parser) expect(words ...string) {
	for _, w := range words {
		if !p.accept(w) {
			p.unexpected("\"" + w + "\"")
			return
		}
	}
}

func (p *parser) expectAny(words ...string) string {
	if w := p.acceptAny(words...); w != "" {
		return w
	}
	p.unexpected(listOf(words))
	return ""
}

func listOf(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = "\"" + w + "\""
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return strings.Join(quoted[:len(quoted)-1], ", ") + " or " + quoted[len(quoted)-1]
}

// fail keeps an error and moves to the end of the text.
func (p *parser) fail(err *diag.Error) {
	if p.err == nil {
		p.err = err
	}
	p.i = len(p.toks) - 1
}

func (p *parser) failAt(pos ast.Pos, format string, args ...any) {
	p.fail(diag.At(pos, format, args...))
}

// unexpected reports that something else was expected here.
func (p *parser) unexpected(expected string) {
	t := p.tok()
	err := diag.At(t.At, "found %s, expected %s", t.Describe(), expected)
	if h := p.habit(expected); h != "" {
		err.Hint = h
	} else if t.Kind == token.Word && p.words.Reserved(t.Upper) && (strings.Contains(expected, "name") || strings.Contains(expected, "alias")) {
		err.Hint = "\"" + t.Text + "\" is a reserved word; write it between backquotes to use it as a name: `" + t.Text + "`"
	}
	p.fail(err)
}

// enter guards against deep nesting; leave undoes it.
func (p *parser) enter() bool {
	p.depth++
	if p.depth > maxDepth {
		p.failAt(p.pos(), "the statement is nested more than %d levels deep", maxDepth)
		return false
	}
	return true
}

func (p *parser) leave() { p.depth-- }

// link guards against endless chains.
func (p *parser) link(n *int) bool {
	*n++
	if *n > maxChain {
		p.failAt(p.pos(), "the expression has more than %d operands", maxChain)
		return false
	}
	if p.links++; p.links > maxLinks {
		p.failAt(p.pos(), "the statement has more than %d operands", maxLinks)
		return false
	}
	return true
}

// isName reports whether a token can be an identifier.
func (p *parser) isName(t token.Token) bool {
	return t.Kind == token.Quoted || t.Kind == token.Word && !p.words.Reserved(t.Upper)
}

// name reads an identifier; what describes it in the error.
func (p *parser) name(what string) ast.Name {
	t := p.tok()
	if !p.isName(t) {
		p.unexpected(what)
		return ast.Name{At: ast.At(t.At)}
	}
	p.next()
	return ast.Name{Text: t.Text, Quoted: t.Kind == token.Quoted, At: ast.At(t.At)}
}

// path reads name.name….
func (p *parser) path(what string) ast.Path {
	path := ast.Path{p.name(what)}
	n := 0
	for p.err == nil && p.at(".") && p.link(&n) {
		p.next()
		path = append(path, p.name("a name after \".\""))
	}
	return path
}

// names reads (a, b, …).
func (p *parser) names(what string) []ast.Name {
	var out []ast.Name
	p.expect("(")
	for p.err == nil {
		out = append(out, p.name(what))
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return out
}

// text reads a string literal.
func (p *parser) text(what string) string {
	t := p.tok()
	if t.Kind != token.String {
		p.unexpected(what)
		return ""
	}
	return p.next().Text
}
