package column

// Kind is the kind of a row in a changelog.
type Kind uint8

// The row kinds.
const (
	Insert       Kind = iota // +I
	UpdateBefore             // -U
	UpdateAfter              // +U
	Delete                   // -D
)

// String returns +I, -U, +U or -D.
func (k Kind) String() string { return [...]string{"+I", "-U", "+U", "-D"}[k&3] }

// NoPartition is the partition of records that come out of turn.
const NoPartition = -1

// Origin knows the records that a batch was read from.
type Origin interface {
	// AppendEventID appends the event id of record i to b.
	AppendEventID(b []byte, i int) []byte
	// Partition numbers the part of the input that record i is from, for watermarks;
	// NoPartition if the record's time says nothing about the input's.
	Partition(i int) int
	// Describe says where record i is from, for messages.
	Describe(i int) string
	// EventMillis is the record's own time; 0 when unknown.
	EventMillis(i int) int64
}

// Batch is rows in columns. Columns may be shared with other batches: nobody
// changes the columns of a batch that he did not make.
type Batch struct {
	Len  int
	Cols []*Vector
	// Kinds are the rows' kinds; nil when all are +I.
	Kinds []Kind
	// Origin and Rows say which record each row came from. Origin is nil for rows
	// that come from no record; Rows is nil when row i came from record i.
	Origin Origin
	Rows   []int32
	// Lane tells rows of one record apart that took different ways through the plan.
	Lane uint32
}

// Kind returns the kind of row i.
func (b *Batch) Kind(i int) Kind {
	if b.Kinds == nil {
		return Insert
	}
	return b.Kinds[i]
}

// Record returns the number of the record that row i came from.
func (b *Batch) Record(i int) int {
	if b.Rows == nil {
		return i
	}
	return int(b.Rows[i])
}

// Select makes dst the rows of b that sel names. Only the columns for which want
// is true are taken; a nil want takes all.
func (b *Batch) Select(dst *Batch, sel []int32, want []bool) {
	dst.Len = len(sel)
	dst.Origin, dst.Lane = b.Origin, b.Lane
	for len(dst.Cols) < len(b.Cols) {
		dst.Cols = append(dst.Cols, nil)
	}
	dst.Cols = dst.Cols[:len(b.Cols)]
	for c, col := range b.Cols {
		if want != nil && !want[c] || col == nil {
			continue
		}
		if dst.Cols[c] == nil {
			dst.Cols[c] = New(col.Type)
		}
		Gather(dst.Cols[c], col, sel)
	}
	dst.Kinds = nil
	if b.Kinds != nil {
		dst.Kinds = make([]Kind, len(sel))
		take(dst.Kinds, b.Kinds, sel)
	}
	dst.Rows = sized(dst.Rows, len(sel))
	for i, s := range sel {
		dst.Rows[i] = int32(b.Record(int(s)))
	}
}
