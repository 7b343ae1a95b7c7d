// Package ast is the syntax tree of SQL statements. Every node knows where it
// was written; Format turns a tree back into SQL.
package ast

import (
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// Pos is a place in the SQL text.
type Pos = plan.Pos

// Node is a part of a statement.
type Node interface {
	Pos() Pos
}

// At is the place of a node; nodes embed it.
type At Pos

// Pos returns where the node starts.
func (a At) Pos() Pos { return Pos(a) }

// Name is an identifier.
type Name struct {
	Text   string
	Quoted bool
	At
}

// Path is a name with dots, such as catalog.database.table.
type Path []Name

// Pos returns where the path starts.
func (p Path) Pos() Pos {
	if len(p) == 0 {
		return Pos{}
	}
	return p[0].Pos()
}

// Last returns the text of the last name.
func (p Path) Last() string { return p[len(p)-1].Text }

// Texts returns the names as plain text.
func (p Path) Texts() []string {
	out := make([]string, len(p))
	for i, n := range p {
		out[i] = n.Text
	}
	return out
}

// String returns the names joined by dots, without quotes.
func (p Path) String() string {
	return strings.Join(p.Texts(), ".")
}

// Option is 'key' = 'value' in a WITH clause.
type Option struct {
	Key, Value string
	At
}
