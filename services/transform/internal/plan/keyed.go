package plan

// Normalize turns a stream that is upserted by key into one that takes old rows
// back: the full old row comes before the new one.
type Normalize struct {
	Output
	Input Node
	Keys  []int
}

// Materialize keeps all rows of each key of a table that is written by key, where
// the rows of the query are known by another key: so that the row that came last
// and was not taken back stands in the table.
type Materialize struct {
	Output
	Input Node
	Keys  []int
}

// Inputs returns the node that is upserted.
func (n *Normalize) Inputs() []Node { return []Node{n.Input} }

// Inputs returns the node whose rows are kept.
func (n *Materialize) Inputs() []Node { return []Node{n.Input} }
