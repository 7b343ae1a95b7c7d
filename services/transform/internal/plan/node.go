package plan

import "github.com/weirflow/weirflow/services/transform/internal/types"

// Node is an operator of the plan.
type Node interface {
	// Out returns what the node puts out.
	Out() *Output
	// Inputs returns the nodes it reads, left before right.
	Inputs() []Node
}

// Output describes the rows that a node puts out.
type Output struct {
	Fields []types.Field
	Mode   Changelog
	// UniqueKey is a set of columns that identifies a row, nil when none is known.
	// An updating stream's sink uses it to upsert.
	UniqueKey []int
	// Bounded says that the input ends.
	Bounded bool
	At      Pos
}

// Out returns the output itself; nodes embed it.
func (o *Output) Out() *Output { return o }

// Changelog says how rows of a stream change after they were put out.
type Changelog uint8

// The changelog modes. Retract streams carry +I, -U, +U and -D; Upsert streams
// carry +I, +U and -D by unique key, without -U.
const (
	InsertOnly Changelog = iota
	Upsert
	Retract
)

// String returns the row kinds of the mode, in the form of EXPLAIN CHANGELOG_MODE.
func (c Changelog) String() string { return [...]string{"I", "I,UA,D", "I,UB,UA,D"}[c] }

// Scan reads a table. Its output columns are the table's physical and metadata
// columns, named in Columns; a Project above it computes the computed columns and
// a Watermark above that tracks event time. Columns that no one reads are left out.
type Scan struct {
	Output
	Table   *Table
	Columns []ScanColumn
	// Hints are the options of /*+ OPTIONS(...) */, already merged into Table.Options.
	Hints map[string]string
	// Filter holds conjuncts of the Filter directly above, over this scan's columns.
	// A connector may use them to skip rows; the Filter still checks every row.
	Filter []Expr
}

// ScanColumn is a column that a scan reads.
type ScanColumn struct {
	Name string
	Type types.Type
	// Metadata is the connector's metadata key, empty for a physical column.
	Metadata string
	// Physical is the index in Table.Physical, -1 for a metadata column.
	Physical int
	// Paths are the parts of a nested column that are read, each a list of field
	// indexes from the column down. Nil means all of it.
	Paths [][]int
}

// Table is a table as its DDL defined it, names resolved and expressions bound.
type Table struct {
	Catalog, Database, Name string
	Temporary               bool
	Comment                 string
	Options                 map[string]string
	// Columns are all columns in order of the DDL.
	Columns []Column
	// Physical are the columns that the format reads and writes, in order.
	Physical   []types.Field
	PrimaryKey []string
	// KeyName is the name of the primary key's constraint.
	KeyName string
	// PartitionKeys are the columns of PARTITIONED BY.
	PartitionKeys []string
	// Watermark is nil when the table has none.
	Watermark *WatermarkSpec
}

// ColumnKind says where the values of a column come from.
type ColumnKind uint8

// The kinds of column.
const (
	PhysicalColumn ColumnKind = iota
	ComputedColumn
	MetadataColumn
)

// Column is a column of a table.
type Column struct {
	Name    string
	Kind    ColumnKind
	Type    types.Type
	Comment string
	// Expr computes a computed column from Physical followed by the metadata columns, in DDL order.
	Expr Expr
	// SQL is the text of Expr.
	SQL string
	// Metadata is the connector's metadata key; Virtual columns are not written to.
	Metadata string
	Virtual  bool
}

// WatermarkSpec is WATERMARK FOR column AS expr. Expr is over all Columns of the table.
type WatermarkSpec struct {
	Column string
	Expr   Expr
	SQL    string // the text of Expr
}

// Values is rows of constants.
type Values struct {
	Output
	Rows [][]Expr
}

// Filter keeps the rows for which Cond is TRUE.
type Filter struct {
	Output
	Input Node
	Cond  Expr
}

// Project computes each output column.
type Project struct {
	Output
	Input Node
	Exprs []Expr
}

// Watermark advances event time by the watermark that Expr gives per row.
type Watermark struct {
	Output
	Input  Node
	Column int // the rowtime column
	Expr   Expr
	// Source names the table, for status and metrics.
	Source string
}

// Union puts out the rows of all inputs, whose columns are of the same types.
// UNION without ALL has a Distinct above it.
type Union struct {
	Output
	Branches []Node
}

// SetOp is INTERSECT or EXCEPT.
type SetOp struct {
	Output
	Left, Right Node
	Except      bool
	All         bool
}

// SortKey is a column to sort by.
type SortKey struct {
	Column     int
	Descending bool
	NullsFirst bool
}

// Sort is ORDER BY with LIMIT and OFFSET; either part may be missing. Over an
// unbounded input it needs a limit or a leading ascending time attribute.
type Sort struct {
	Output
	Input  Node
	Keys   []SortKey
	Offset int64
	Limit  int64 // -1 without LIMIT
}

// Inputs returns nothing: a scan is a leaf.
func (n *Scan) Inputs() []Node { return nil }

// Inputs returns nothing: values are a leaf.
func (n *Values) Inputs() []Node { return nil }

// Inputs returns the filtered node.
func (n *Filter) Inputs() []Node { return []Node{n.Input} }

// Inputs returns the projected node.
func (n *Project) Inputs() []Node { return []Node{n.Input} }

// Inputs returns the node whose time is tracked.
func (n *Watermark) Inputs() []Node { return []Node{n.Input} }

// Inputs returns the branches.
func (n *Union) Inputs() []Node { return n.Branches }

// Inputs returns both sides.
func (n *SetOp) Inputs() []Node { return []Node{n.Left, n.Right} }

// Inputs returns the sorted node.
func (n *Sort) Inputs() []Node { return []Node{n.Input} }
