package ast

// Expr is an expression.
type Expr interface {
	Node
	exprNode()
}

// Base is what every expression has; expressions embed it.
type Base struct{ At }

func (Base) exprNode() {}

// ExprAt returns the base of an expression at a place.
func ExprAt(at Pos) Base { return Base{At(at)} }

// Ident is a column or a path to a nested field: a, t.a, t.a.b.
type Ident struct {
	Base
	Path Path
}

// Star is * or t.*.
type Star struct {
	Base
	Qualifier Path
}

// LiteralKind is the kind of a literal.
type LiteralKind uint8

// The kinds of literals.
const (
	NullLiteral LiteralKind = iota
	BoolLiteral
	IntegerLiteral
	DecimalLiteral
	ApproxLiteral
	StringLiteral
	BinaryLiteral
	DateLiteral
	TimeLiteral
	TimestampLiteral
	IntervalLiteral
)

// Literal is a constant; Text is its value as written, without quotes.
type Literal struct {
	Base
	Kind     LiteralKind
	Text     string
	Interval *IntervalUnit
	Negative bool // INTERVAL -'1' DAY
	LTZ      bool // TIMESTAMP WITH LOCAL TIME ZONE '…'
}

// IntervalUnit is DAY, or YEAR TO MONTH, with optional precisions (-1: none).
type IntervalUnit struct {
	From, To                 string // To is empty for a single unit
	FromPrecision, Precision int
}

// Unary is an operator before its operand: +, -, NOT, PRIOR.
type Unary struct {
	Base
	Op string
	X  Expr
}

// Binary is an operator between its operands: arithmetic, comparison, AND, OR,
// ||, IS DISTINCT FROM, OVERLAPS, MULTISET operators.
type Binary struct {
	Base
	Op   string
	L, R Expr
}

// Is is a test after its operand: IS [NOT] NULL, TRUE, FALSE, UNKNOWN, JSON,
// JSON OBJECT … Test holds the words after NOT.
type Is struct {
	Base
	X    Expr
	Test string
	Not  bool
}

// Between is x [NOT] BETWEEN [SYMMETRIC] low AND high.
type Between struct {
	Base
	X, Low, High   Expr
	Not, Symmetric bool
}

// In is x [NOT] IN (list) or (query).
type In struct {
	Base
	X     Expr
	List  []Expr
	Query *Query
	Not   bool
}

// Like is x [NOT] LIKE or SIMILAR TO pattern [ESCAPE e].
type Like struct {
	Base
	X, Pattern, Escape Expr
	Not, Similar       bool
}

// Quantified is x op ALL|ANY|SOME (query or list).
type Quantified struct {
	Base
	X     Expr
	Op    string
	All   bool
	Query *Query
	List  []Expr
}

// Exists is EXISTS (query).
type Exists struct {
	Base
	Query *Query
}

// Subquery is a query as a value.
type Subquery struct {
	Base
	Query *Query
}

// Case is CASE [operand] WHEN … THEN … ELSE … END.
type Case struct {
	Base
	Operand Expr
	Whens   []When
	Else    Expr
}

// When is a branch of CASE.
type When struct {
	Cond, Then Expr
}

// Cast is CAST or TRY_CAST.
type Cast struct {
	Base
	X    Expr
	Type *Type
	Try  bool
}

// Func is a function call. Special forms (EXTRACT(YEAR FROM x)) are calls whose
// keyword arguments are Symbols.
type Func struct {
	Base
	Path     Path // upper case is not applied
	Args     []Expr
	Star     bool // COUNT(*)
	Distinct bool
	NoParens bool        // CURRENT_TIMESTAMP
	Special  bool        // written with keywords, see Format
	OrderBy  []OrderItem // inside the call, or WITHIN GROUP
	Within   bool        // OrderBy was written in WITHIN GROUP
	Filter   Expr
	Over     *WindowSpec
	Nulls    string // IGNORE or RESPECT
	JSON     *JSONClauses
}

// JSONClauses are the extra clauses of the JSON functions.
type JSONClauses struct {
	Returning *Type
	Wrapper   string // WITHOUT, CONDITIONAL, UNCONDITIONAL; empty: not written
	OnEmpty   *JSONBehavior
	OnError   *JSONBehavior
	OnNull    string // NULL or ABSENT; empty: not written
	// Keys holds the keys of JSON_OBJECT's and JSON_OBJECTAGG's pairs; Args the values.
	Keys []Expr
}

// JSONBehavior is what an ON EMPTY or ON ERROR clause asks for.
type JSONBehavior struct {
	What    string // NULL, ERROR, DEFAULT, TRUE, FALSE, UNKNOWN, EMPTY ARRAY, EMPTY OBJECT
	Default Expr
}

// Symbol is a keyword as an argument.
type Symbol struct {
	Base
	Text string
}

// NamedArg is name => value.
type NamedArg struct {
	Base
	Name  Name
	Value Expr
}

// TableArg is TABLE t [PARTITION BY …] [ORDER BY …] as an argument of a table function.
type TableArg struct {
	Base
	Table       Path
	Query       *Query // instead of Table
	PartitionBy []Expr
	OrderBy     []OrderItem
}

// DescriptorArg is DESCRIPTOR(column, …).
type DescriptorArg struct {
	Base
	Columns []Name
}

// Row is ROW(…) or (a, b).
type Row struct {
	Base
	Items    []Expr
	Explicit bool // the word ROW was written
}

// Array is ARRAY[…] or ARRAY(query).
type Array struct {
	Base
	Items []Expr
	Query *Query
}

// Multiset is MULTISET[…].
type Multiset struct {
	Base
	Items []Expr
}

// Map is MAP[k, v, …].
type Map struct {
	Base
	Items []Expr
}

// Item is x[key].
type Item struct {
	Base
	X, Key Expr
}

// Field is x.name, where x is not an identifier.
type Field struct {
	Base
	X    Expr
	Name Name
}
