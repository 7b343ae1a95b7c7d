package plan

// Sink writes its input to a table. The input's columns are the table's physical
// columns in order, then its metadata columns that can be written, each already
// cast to the column's type.
type Sink struct {
	Output
	Input Node
	Table *Table
	// Metadata are the metadata keys of the input's columns after the physical ones.
	Metadata []string
	// PrimaryKey are the input's columns of the table's primary key; the document's
	// id or the record's key is made of them.
	PrimaryKey []int
	// NotNull are the input's columns that the table wants without NULL, while the
	// query may give one.
	NotNull []int
	// KeyMismatch says that the query's key is not the sink's primary key, so that
	// updates may arrive out of order between instances (upsert materialization).
	KeyMismatch bool
	// DropNulls leaves rows out that have NULL in a column of NotNull; else they
	// fail the job.
	DropNulls bool
	// Lengths says what becomes of text and bytes that are longer than their column,
	// or shorter than CHAR and BINARY.
	Lengths   LengthRule
	Overwrite bool
	// Partition holds static values of INSERT INTO t PARTITION (…).
	Partition map[string]string
}

// LengthRule is table.exec.sink.type-length-enforcer.
type LengthRule uint8

// The rules for lengths.
const (
	IgnoreLength LengthRule = iota
	TrimOrPad
	RefuseLength
)

// Inputs returns the node that is written.
func (n *Sink) Inputs() []Node { return []Node{n.Input} }

// Query is a SELECT whose rows go to the caller.
type Query struct {
	Root Node
	At   Pos
}

// StatementSet is one or more INSERTs that run as one job. Nodes that several
// sinks read are the same pointer.
type StatementSet struct {
	Sinks []*Sink
	At    Pos
}
