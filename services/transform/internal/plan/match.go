package plan

// Match is MATCH_RECOGNIZE.
type Match struct {
	Output
	Input     Node
	Partition []int
	OrderBy   []SortKey
	Pattern   Pattern
	// Defines hold, by pattern variable, the condition of a row. Their PatternRefs
	// refer to rows matched so far.
	Defines  map[string]Expr
	Measures []Expr
	// AllRows is ALL ROWS PER MATCH instead of ONE ROW.
	AllRows bool
	Skip    SkipMode
	SkipTo  string // the variable of SkipToFirst and SkipToLast
	Within  int64  // milliseconds, 0 for none
	Subsets map[string][]string
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

// Pattern is a regular expression over rows.
type Pattern struct {
	Variable  string // a leaf
	Concat    []Pattern
	Alternate []Pattern
	Permute   []Pattern
	Exclude   bool
	Min, Max  int // of the whole; Max is -1 without bound
	Reluctant bool
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
