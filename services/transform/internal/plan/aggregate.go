package plan

import (
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// AggCall is an aggregate function over columns of the input. A Project below
// has computed the arguments.
type AggCall struct {
	Function string // upper case: COUNT, SUM, MIN, LISTAGG …; COUNT without arguments counts rows
	Args     []Expr // InputRefs and Literals
	Distinct bool
	Filter   int // a BOOLEAN column; rows where it is not TRUE are left out; -1 for none
	OrderBy  []SortKey
	Type     types.Type
	Name     string
	At       Pos
	User     *UserFunction
	// NullOnNull is the ON NULL clause of JSON_OBJECTAGG and JSON_ARRAYAGG.
	NullOnNull bool
}

// Aggregate groups by the columns Keys. Its output is the keys, then the calls.
// Without keys it gives one row for all input; without calls it is DISTINCT.
type Aggregate struct {
	Output
	Input Node
	Keys  []int
	Calls []AggCall
	// TTL is after what time groups are forgotten, where the STATE_TTL hint says so;
	// nil for what the settings say.
	TTL *time.Duration
}

// Expand puts out one row for each grouping set: Projects[i] is over the input.
// The last column is the number of the set, which the Aggregate above has as a key.
type Expand struct {
	Output
	Input    Node
	Projects [][]Expr
}

// WindowKind is the shape of a window.
type WindowKind uint8

// The kinds of window.
const (
	TumbleWindow WindowKind = iota
	HopWindow
	CumulateWindow
	SessionWindow
)

// String returns the name of the window function.
func (k WindowKind) String() string { return [...]string{"TUMBLE", "HOP", "CUMULATE", "SESSION"}[k] }

// Window says how rows fall into windows. Times are in milliseconds.
type Window struct {
	Kind       WindowKind
	TimeColumn int   // of the input
	Proctime   bool  // processing time instead of event time
	Size       int64 // TUMBLE, HOP, CUMULATE
	Slide      int64 // HOP; the step of CUMULATE
	Gap        int64 // SESSION
	Offset     int64
	Partition  []int // SESSION … PARTITION BY
	// LTZ says that the time column is TIMESTAMP_LTZ, so that windows align to the session's time zone.
	LTZ bool
}

// WindowAssign is a window table function: the input's columns followed by
// window_start, window_end and window_time. It is executed by itself only when
// no window operator above takes it in.
type WindowAssign struct {
	Output
	Input  Node
	Window Window
}

// Property is a column about the window that a window operator puts out.
type Property uint8

// The window properties.
const (
	WindowStart Property = iota
	WindowEnd
	WindowRowtime // the end minus one millisecond, a time attribute
	WindowProctime
)

// WindowAggregate groups by window and the columns Keys. Its output is the keys,
// the calls, then the properties. Input is what the window function read, or,
// when Attached is set, rows that already carry the bounds of their window.
type WindowAggregate struct {
	Output
	Input      Node
	Window     Window
	Keys       []int
	Calls      []AggCall
	Properties []Property
	// Attached holds the input's window_start and window_end columns.
	Attached *[2]int
	// Legacy says that it came from GROUP BY TUMBLE(...).
	Legacy bool
}

// Over adds window functions over partitions to the input's columns.
type Over struct {
	Output
	Input  Node
	Groups []OverGroup
}

// OverGroup is the functions that share a partition, order and frame.
type OverGroup struct {
	Partition []int
	OrderBy   []SortKey
	Frame     Frame
	Calls     []AggCall
}

// Frame is the extent of an OVER window. The rows before the current one that it
// takes in: Preceding rows, or Preceding milliseconds of time; -1 for UNBOUNDED.
type Frame struct {
	Rows      bool // else RANGE
	Preceding int64
	// Following is always 0 (CURRENT ROW) in streaming SQL.
	Following int64
}

// RankKind is the numbering function of a Rank.
type RankKind uint8

// The numbering functions.
const (
	RowNumber RankKind = iota
	RankFunction
	DenseRank
)

// Rank keeps, per partition, the rows whose number by OrderBy is From to To: the
// top-N pattern. NumberColumn adds the number as the last output column.
type Rank struct {
	Output
	Input     Node
	Kind      RankKind
	Partition []int
	OrderBy   []SortKey
	From, To  int64 // counted from 1
	// ToColumn is a column of the input that gives To, as it is in the first row of a
	// partition; nil when To is constant.
	ToColumn     *int
	NumberColumn bool
	// Window is set when the partition is a window: the input's window_start and window_end.
	Window *[2]int
}

// Deduplicate keeps the first or last row per key by a time attribute.
type Deduplicate struct {
	Output
	Input    Node
	Keys     []int
	Time     int // the ordering column
	Proctime bool
	KeepLast bool
	// NumberColumn adds the constant row number 1 as the last output column.
	NumberColumn bool
	// Window is set when the keys hold a window: the input's window_start and window_end.
	Window *[2]int
}

// Inputs returns the grouped node.
func (n *Aggregate) Inputs() []Node { return []Node{n.Input} }

// Inputs returns the expanded node.
func (n *Expand) Inputs() []Node { return []Node{n.Input} }

// Inputs returns the windowed node.
func (n *WindowAssign) Inputs() []Node { return []Node{n.Input} }

// Inputs returns the grouped node.
func (n *WindowAggregate) Inputs() []Node { return []Node{n.Input} }

// Inputs returns the node that the windows go over.
func (n *Over) Inputs() []Node { return []Node{n.Input} }

// Inputs returns the ranked node.
func (n *Rank) Inputs() []Node { return []Node{n.Input} }

// Inputs returns the deduplicated node.
func (n *Deduplicate) Inputs() []Node { return []Node{n.Input} }
