package plan

// Match is MATCH_RECOGNIZE.
type Match struct {
	Output
	Input     Node
	Partition []int
	OrderBy   []SortKey
	Pattern   []PatternElement
	Measures  []Expr
	Skip      SkipMode
	SkipTo    string // the variable of SkipToFirst and SkipToLast
	Within    int64  // milliseconds, 0 for none
}

// SkipMode is the AFTER MATCH clause.
type SkipMode uint8

// The AFTER MATCH forms.
const (
	SkipToNextRow SkipMode = iota
	SkipPastLastRow
	SkipToFirst
	SkipToLast
)

// PatternElement is a variable of a row pattern with its quantifier.
type PatternElement struct {
	Variable  string
	Min, Max  int // Max is -1 without bound
	Reluctant bool
	// Cond is the condition of a row; nil takes every row. Its PatternRefs refer to
	// rows matched so far.
	Cond Expr
}

// PatternRef is a column of a row that a pattern variable matched.
type PatternRef struct {
	Meta
	Variable string // "*" for all rows of the match
	Column   int
	Name     string
	First    bool // FIRST(x, Offset) instead of LAST(x, Offset)
	Offset   int
}

// PatternAgg is an aggregate over the rows that a pattern variable matched.
type PatternAgg struct {
	Meta
	Function string
	Variable string
	Args     []Expr
	Distinct bool
}

// String returns variable.column.
func (e *PatternRef) String() string { return e.Variable + "." + e.Name }

// String returns FUNCTION(args).
func (e *PatternAgg) String() string { return e.Function + "(" + joinExprs(e.Args, ", ") + ")" }

// Inputs returns the matched node.
func (n *Match) Inputs() []Node { return []Node{n.Input} }
