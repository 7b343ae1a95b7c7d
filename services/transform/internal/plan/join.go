package plan

import "time"

// JoinKind is the kind of a join.
type JoinKind uint8

// The kinds of join.
const (
	InnerJoin JoinKind = iota
	LeftJoin
	RightJoin
	FullJoin
	SemiJoin // rows of the left that have a match; the left's columns only
	AntiJoin // rows of the left that have none
	MarkJoin // all rows of the left, and a BOOLEAN column: whether there is a match
)

// String returns the name of the kind as EXPLAIN writes it.
func (k JoinKind) String() string {
	return [...]string{"InnerJoin", "LeftOuterJoin", "RightOuterJoin", "FullOuterJoin", "LeftSemiJoin", "LeftAntiJoin", "LeftMarkJoin"}[k]
}

// On is the condition of a join: LeftKeys[i] of the left equals RightKeys[i] of
// the right, and Residual, over the left's columns followed by the right's, is
// TRUE. Residual is nil when the keys say all.
type On struct {
	LeftKeys, RightKeys []int
	// NullSafe[i] says that two NULLs match on key i.
	NullSafe []bool
	Residual Expr
}

// Join is a regular join: both sides are kept as state.
type Join struct {
	Output
	Left, Right Node
	Kind        JoinKind
	On          On
	// NullAware is set for NOT IN: no left row passes while the right holds a NULL key.
	// A MarkJoin with it tells whether the comparison of the last key is TRUE or unknown.
	NullAware bool
	// TTL is after what time the rows of each side are forgotten, where the STATE_TTL
	// hint says so; nil for what the settings say.
	TTL [2]*time.Duration
}

// IntervalJoin joins rows whose times are near: left time + Lower <= right time
// <= left time + Upper, in milliseconds. Residual holds the rest of the condition.
type IntervalJoin struct {
	Output
	Left, Right         Node
	Kind                JoinKind
	On                  On
	LeftTime, RightTime int
	Proctime            bool
	Lower, Upper        int64
}

// WindowJoin joins rows of the same window.
type WindowJoin struct {
	Output
	Left, Right             Node
	Kind                    JoinKind
	On                      On
	LeftWindow, RightWindow [2]int // window_start and window_end of each side
}

// TemporalJoin joins each left row with the version of the right that was valid
// at the left's time.
type TemporalJoin struct {
	Output
	Left, Right         Node
	Kind                JoinKind // InnerJoin or LeftJoin
	On                  On
	LeftTime, RightTime int // RightTime is -1 by processing time
	Proctime            bool
}

// LookupJoin asks an outside table for each left row.
type LookupJoin struct {
	Output
	Left  Node
	Table *Table
	// Right is the scan of Table with the columns wanted.
	Right *Scan
	Kind  JoinKind
	On    On // RightKeys are Right's columns
	// Constants are keys of the lookup that are constant: column of Right, value.
	Constants []LookupConstant
	// Hints of /*+ LOOKUP(...) */.
	Hints map[string]string
}

// LookupConstant is a lookup key with a constant value.
type LookupConstant struct {
	Column int
	Value  Expr
}

// Unnest puts out, for each input row, a row for each element of Collection: the
// input's columns, then the element's (a ROW's fields, a MAP's key and value).
type Unnest struct {
	Output
	Input      Node
	Collection Expr
	Left       bool // keep rows without elements
	Ordinality bool // add the element's number as last column
	Cond       Expr // of LEFT JOIN … ON; nil for TRUE; over all output columns
}

// TableFunction is LATERAL TABLE(f(args)): for each input row the rows of f.
type TableFunction struct {
	Output
	Input    Node
	Function *Call
	Left     bool
	Cond     Expr
}

// Correlate joins each left row with a plan that depends on it through OuterRefs.
// The planner makes one only when it finds no join for it.
type Correlate struct {
	Output
	Left, Right Node
	Kind        JoinKind
	Cond        Expr
}

// Inputs returns both sides.
func (n *Join) Inputs() []Node { return []Node{n.Left, n.Right} }

// Inputs returns both sides.
func (n *IntervalJoin) Inputs() []Node { return []Node{n.Left, n.Right} }

// Inputs returns both sides.
func (n *WindowJoin) Inputs() []Node { return []Node{n.Left, n.Right} }

// Inputs returns both sides.
func (n *TemporalJoin) Inputs() []Node { return []Node{n.Left, n.Right} }

// Inputs returns the streaming side.
func (n *LookupJoin) Inputs() []Node { return []Node{n.Left} }

// Inputs returns the input.
func (n *Unnest) Inputs() []Node { return []Node{n.Input} }

// Inputs returns the input.
func (n *TableFunction) Inputs() []Node { return []Node{n.Input} }

// Inputs returns both sides.
func (n *Correlate) Inputs() []Node { return []Node{n.Left, n.Right} }
