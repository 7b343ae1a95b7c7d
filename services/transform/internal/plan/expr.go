package plan

import "github.com/weirflow/weirflow/services/transform/internal/types"

// Pos is a place in the SQL text. Lines and columns count from 1; a zero Pos is
// the place of something that nobody wrote.
type Pos struct {
	Line, Column int
}

// Expr is a typed expression over the columns of a node's input.
type Expr interface {
	Type() types.Type
	Pos() Pos
	String() string
	expr()
}

// Meta is what every expression has.
type Meta struct {
	Typ types.Type
	At  Pos
}

// Type returns the type of the expression.
func (m Meta) Type() types.Type { return m.Typ }

// Pos returns where the expression was written.
func (m Meta) Pos() Pos { return m.At }

func (m Meta) expr() {}

// InputRef is a column of the input. For a join's condition the right input's
// columns follow the left's.
type InputRef struct {
	Meta
	Index int
	Name  string
}

// Literal is a constant. Value is nil for NULL, else by the kind of its type:
//
//	BOOLEAN                       bool
//	TINYINT, SMALLINT, INT, BIGINT  int64
//	FLOAT, DOUBLE                 float64
//	DECIMAL                       types.DecimalValue
//	CHAR, VARCHAR, SYMBOL         string
//	BINARY, VARBINARY             []byte
//	DATE                          int64, days since 1970-01-01
//	TIME                          int64, milliseconds of the day
//	TIMESTAMP, TIMESTAMP_LTZ      types.TimestampValue
//	INTERVAL of months            int64, months
//	INTERVAL of seconds           int64, milliseconds
//	ARRAY, ROW                    []any
type Literal struct {
	Meta
	Value any
}

// Call applies a function or operator. Function is one of the Fn constants or a
// built-in function's name in upper case; aliases are already resolved, and the
// arguments already cast to what the function takes.
type Call struct {
	Meta
	Function string
	Args     []Expr
	User     *UserFunction // set for a user's own function
}

// UserFunction is a function made with CREATE FUNCTION.
type UserFunction struct {
	Path     string // catalog.database.name
	Language string // JAVA, PYTHON, SQL, WASM …
	Class    string // what AS named
	Using    []string
	Params   []types.Field
	Returns  types.Type
	Body     Expr // a SQL function's body over its parameters; nil otherwise
}

// Cast converts X to Typ. A Try cast gives NULL where a plain one fails.
// Implicit says that the coercion rules put it there, not the user.
type Cast struct {
	Meta
	X        Expr
	Try      bool
	Implicit bool
}

// Case is a searched CASE: the Then of the first When that is TRUE, else Else,
// which is never nil.
type Case struct {
	Meta
	Whens []When
	Else  Expr
}

// When is a branch of Case.
type When struct {
	Cond, Then Expr
}

// FieldAccess is a field of a ROW; NULL when X is NULL.
type FieldAccess struct {
	Meta
	X     Expr
	Index int
	Name  string
}

// ItemAccess is array[i], counted from 1, or map[key]; NULL when there is none.
type ItemAccess struct {
	Meta
	X, Key Expr
}

// RowCtor makes a ROW, field by field.
type RowCtor struct {
	Meta
	Fields []Expr
}

// ArrayCtor makes an ARRAY.
type ArrayCtor struct {
	Meta
	Elems []Expr
}

// MapCtor makes a MAP of pairs.
type MapCtor struct {
	Meta
	Keys, Values []Expr
}

// SubqueryKind says what a Subquery asks of its plan.
type SubqueryKind uint8

// The kinds of subquery.
const (
	ScalarSubquery SubqueryKind = iota
	ExistsSubquery
	InSubquery
)

// Subquery is a subquery that the planner did not turn into a join. OuterRef
// inside its plan refers to the columns of the node that holds it.
type Subquery struct {
	Meta
	Kind SubqueryKind
	Left []Expr // of IN
	// Op compares Left with the rows of IN where that is not "=": x > ANY (…).
	Op   string
	Plan Node
	Not  bool
}

// OuterRef is a column of the row outside a correlated subquery or Correlate.
type OuterRef struct {
	Meta
	Index int
	Name  string
	Depth int // 1 is the nearest query outside
}
