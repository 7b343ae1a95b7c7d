package ast

// Query is a query expression: [WITH …] body [ORDER BY …] [LIMIT …].
type Query struct {
	At
	With    []CTE
	Body    Body
	OrderBy []OrderItem
	Offset  Expr
	Limit   Expr
	Fetch   bool // LIMIT was written as FETCH FIRST
}

// CTE is a named query of WITH.
type CTE struct {
	At
	Name    Name
	Columns []Name
	Query   *Query
}

// Body is SELECT, VALUES, a set operation, TABLE t, or a query in parentheses.
type Body interface {
	Node
	bodyNode()
}

// Select is SELECT … FROM ….
type Select struct {
	At
	Distinct bool
	Hints    []Hint
	Items    []SelectItem
	From     TableRef // nil without FROM
	Where    Expr
	GroupBy  []GroupItem
	GroupAll bool // GROUP BY was written
	Having   Expr
	Windows  []NamedWindow
}

// SelectItem is an expression with an optional alias.
type SelectItem struct {
	Expr  Expr
	Alias *Name
}

// GroupItem is an expression, or GROUPING SETS, ROLLUP or CUBE over sets.
type GroupItem struct {
	At
	Expr Expr
	Kind string // "", GROUPING SETS, ROLLUP, CUBE, () for the empty set
	Sets []GroupItem
	// Exprs are the columns of a set of several: (a, b).
	Exprs []Expr
}

// NamedWindow is name AS (spec) of the WINDOW clause.
type NamedWindow struct {
	Name Name
	Spec *WindowSpec
}

// WindowSpec is what OVER names or holds.
type WindowSpec struct {
	At
	Name        *Name // OVER w, or the base of (w …)
	Inline      bool  // written in parentheses
	PartitionBy []Expr
	OrderBy     []OrderItem
	Frame       *Frame
}

// Frame is ROWS or RANGE BETWEEN.
type Frame struct {
	At
	Rows     bool
	From, To Bound
}

// Bound is an end of a frame. Kind is UNBOUNDED PRECEDING, PRECEDING, CURRENT
// ROW, FOLLOWING or UNBOUNDED FOLLOWING.
type Bound struct {
	Kind  string
	Value Expr
}

// OrderItem is an expression to sort by.
type OrderItem struct {
	At
	Expr       Expr
	Descending bool
	Nulls      string // FIRST, LAST or empty
}

// SetOp is UNION, INTERSECT or EXCEPT.
type SetOp struct {
	At
	Op   string
	All  bool
	L, R *Query
}

// Values is VALUES (…), (…).
type Values struct {
	At
	Rows []*Row
}

// Paren is a query in parentheses.
type Paren struct {
	At
	Query *Query
}

// TableBody is TABLE t as a query.
type TableBody struct {
	At
	Table Path
}

func (*Select) bodyNode()    {}
func (*SetOp) bodyNode()     {}
func (*Values) bodyNode()    {}
func (*Paren) bodyNode()     {}
func (*TableBody) bodyNode() {}

// Hint is a hint of /*+ … */.
type Hint struct {
	At
	Name    string
	Options []Option
	Args    []string
}

// TableRef is something to select from.
type TableRef interface {
	Node
	tableNode()
}

// Alias is AS name (columns).
type Alias struct {
	Name    Name
	Columns []Name
}

// Table is a table or view by name.
type Table struct {
	At
	Path   Path
	Hints  []Hint
	AsOf   Expr // FOR SYSTEM_TIME AS OF
	Alias  *Alias
	Sample string
}

// Derived is a query in parentheses.
type Derived struct {
	At
	Query   *Query
	Lateral bool
	Alias   *Alias
}

// TableFunc is TABLE(f(…)) or LATERAL TABLE(f(…)).
type TableFunc struct {
	At
	Call    *Func
	Lateral bool
	Hints   []Hint
	Alias   *Alias
}

// Unnest is UNNEST(x) [WITH ORDINALITY].
type Unnest struct {
	At
	Exprs      []Expr
	Ordinality bool
	Alias      *Alias
}

// Join is L join R. Kind is INNER, LEFT, RIGHT, FULL, CROSS or COMMA.
type Join struct {
	At
	Kind    string
	Natural bool
	L, R    TableRef
	On      Expr
	Using   []Name
}

// Match is table MATCH_RECOGNIZE (…).
type Match struct {
	At
	Input       TableRef
	PartitionBy []Expr
	OrderBy     []OrderItem
	Measures    []SelectItem
	AllRows     bool
	After       string // NEXT ROW, PAST LAST ROW, FIRST, LAST; empty: not written
	AfterVar    *Name
	Pattern     *Pattern
	StrictStart bool // ^
	StrictEnd   bool // $
	Within      Expr
	Subsets     []Subset
	Defines     []Define
	Alias       *Alias
}

// Pattern is a row pattern.
type Pattern struct {
	At
	Variable   *Name
	Op         string // CONCAT, ALTER, PERMUTE, EXCLUDE; empty for a variable
	Items      []*Pattern
	Min, Max   int // Max -1: no bound
	Quantified bool
	Reluctant  bool
}

// Subset is name = (a, b).
type Subset struct {
	Name  Name
	Items []Name
}

// Define is variable AS condition.
type Define struct {
	Name Name
	Cond Expr
}

func (*Table) tableNode()     {}
func (*Derived) tableNode()   {}
func (*TableFunc) tableNode() {}
func (*Unnest) tableNode()    {}
func (*Join) tableNode()      {}
func (*Match) tableNode()     {}
