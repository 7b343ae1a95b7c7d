package segment

import (
	"encoding/binary"
	"math"
)

// postingsWriter writes the postings of terms, one after the other.
type postingsWriter struct {
	df, docOff, posOff []uint32
	docs, pos          []byte
	prev, last, count  uint32
}

func newPostingsWriter(terms int) *postingsWriter {
	return &postingsWriter{df: make([]uint32, 0, terms), docOff: make([]uint32, 1, terms+1), posOff: make([]uint32, 1, terms+1)}
}

func (w *postingsWriter) doc(doc, freq uint32) {
	gap := uint64(doc - w.prev)
	w.prev = doc
	w.count++
	w.last = 0
	if freq == 1 {
		w.docs = binary.AppendUvarint(w.docs, gap<<1|1)
		return
	}
	w.docs = binary.AppendUvarint(w.docs, gap<<1)
	w.docs = binary.AppendUvarint(w.docs, uint64(freq))
}

func (w *postingsWriter) position(p uint32) {
	w.pos = binary.AppendUvarint(w.pos, uint64(p-w.last))
	w.last = p
}

func (w *postingsWriter) endTerm() {
	w.df = append(w.df, w.count)
	w.docOff = append(w.docOff, uint32(len(w.docs)))
	w.posOff = append(w.posOff, uint32(len(w.pos)))
	w.prev, w.count = 0, 0
}

func (w *postingsWriter) into(t *Texts) {
	t.DF, t.DocOff, t.PosOff, t.Docs, t.Pos = w.df, w.docOff, w.posOff, w.docs, w.pos
}

// Real reads the float64 of a value of a Reals column.
func Real(v int64) float64 { return math.Float64frombits(uint64(v)) }
