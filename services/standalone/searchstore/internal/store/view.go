package store

import (
	"slices"
	"sync/atomic"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

// handle is a stored segment that views share.
type handle struct {
	id, ord  int64
	seg      *segment.Segment
	refs     atomic.Int64 // views that hold it
	obsolete atomic.Bool  // merged away: its rows go when no view holds it
	sick     atomic.Bool  // a merge of it failed
}

// Part is one segment as a view sees it.
type Part struct {
	Seg  *segment.Segment
	Dead segment.Bits
	Gone int // number of dead documents
	h    *handle
}

// Live returns the number of documents that are not deleted.
func (p *Part) Live() int { return p.Seg.N - p.Gone }

// View is a consistent state of an index. Release it when done.
type View struct {
	Index   *Index
	Parts   []*Part
	Mapping *mapping.Mapping
	refs    atomic.Int64
}

// Count returns the number of documents.
func (v *View) Count() int {
	n := 0
	for _, p := range v.Parts {
		n += p.Live()
	}
	return n
}

// Gone returns the number of deleted documents that still take space.
func (v *View) Gone() int {
	n := 0
	for _, p := range v.Parts {
		n += p.Gone
	}
	return n
}

// Release ends the use of a view.
func (v *View) Release() {
	if v.refs.Add(-1) > 0 {
		return
	}
	for _, p := range v.Parts {
		if p.h.refs.Add(-1) == 0 && p.h.obsolete.Load() {
			v.Index.discard(p.h)
		}
	}
}

// Find returns where a document is.
func (v *View) Find(id string) (p *Part, doc uint32, err error) {
	for _, p := range slices.Backward(v.Parts) {

		doc, ok, err := p.Seg.Find(id, p.Dead)
		if err != nil {
			return nil, 0, err
		}
		if ok {
			return p, doc, nil
		}
	}
	return nil, 0, nil
}

// Doc is a document as the document API shows it.
type Doc struct {
	ID           string
	Version, Seq int64
	Source       []byte
}

// Get returns a document, or nil.
func (v *View) Get(id string) (*Doc, error) {
	p, doc, err := v.Find(id)
	if err != nil || p == nil {
		return nil, err
	}
	d := &Doc{ID: id}
	d.Version, d.Seq = p.Seg.Version(doc)
	d.Source, err = p.Seg.Source(doc)
	return d, err
}

// Retain keeps a view that is held already for one more user.
func (v *View) Retain() { v.refs.Add(1) }
