package segment

import (
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
)

// Segment is an immutable group of documents. Its parts are read when they
// are first asked for.
type Segment struct {
	N        int
	Children map[string]*Segment // nested objects, by path
	Parent   []uint32            // of a child: the number of the row above

	seed     maphash.Seed
	mu       sync.Mutex
	cols     map[string]*column
	ids      *Dict
	table    atomic.Pointer[idTable]
	versions []int64 // nil: all are 1
	seqs     []int64
	blocks   []*block
	prefix   string
	load     func(section string) ([]byte, error)
	cache    *blockCache
}

// column is a part that may not be in memory.
type column struct {
	kind byte
	val  atomic.Value // *Nums, *Terms or *Texts
	enc  []byte       // encoded, until it is stored: of a large segment that was merged just now
}

func newSegment(n int, seed maphash.Seed) *Segment {
	return &Segment{N: n, Children: map[string]*Segment{}, cols: map[string]*column{}, seed: seed, cache: &blockCache{}}
}

func (s *Segment) put(name string, col any) {
	c := &column{kind: kindOf(col)}
	c.val.Store(col)
	s.cols[name] = c
}

func kindOf(col any) byte {
	switch col.(type) {
	case *Nums:
		return 'n'
	case *Terms:
		return 't'
	case *Texts:
		return 'x'
	}
	return 0
}

// Columns returns the names of the segment's columns, sorted.
func (s *Segment) Columns() []string {
	out := make([]string, 0, len(s.cols))
	for n := range s.cols {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

func (s *Segment) column(name string) (any, error) {
	c := s.cols[name]
	if c == nil {
		return nil, nil
	}
	if v := c.val.Load(); v != nil {
		return v, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := c.val.Load(); v != nil {
		return v, nil
	}
	v, err := s.read(name, c)
	if err == nil {
		c.val.Store(v)
	}
	return v, err
}

// peek returns a column without keeping it in memory, for a merge, which looks
// at each once.
func (s *Segment) peek(name string) (any, error) {
	c := s.cols[name]
	if c == nil {
		return nil, nil
	}
	if v := c.val.Load(); v != nil {
		return v, nil
	}
	return s.read(name, c)
}

func (s *Segment) read(name string, c *column) (any, error) {
	data := c.enc
	if data == nil {
		var err error
		if data, err = s.load(s.prefix + "c:" + name); err != nil {
			return nil, fmt.Errorf("load column %s: %w", name, err)
		}
	}
	v, err := decodeColumn(c.kind, data, s.N)
	if err != nil {
		return nil, fmt.Errorf("decode column %s: %w", name, err)
	}
	return v, nil
}

// Raw returns the bytes of the sources, before compression.
func (s *Segment) Raw() int {
	n := 0
	for _, b := range s.blocks {
		n += b.rawSize
	}
	return n
}

// Nums returns a column of numbers, nil when the segment has none.
func (s *Segment) Nums(name string) (*Nums, error) {
	v, err := s.column(name)
	c, _ := v.(*Nums)
	return c, err
}

// Terms returns a column of terms, nil when the segment has none.
func (s *Segment) Terms(name string) (*Terms, error) {
	v, err := s.column(name)
	c, _ := v.(*Terms)
	return c, err
}

// Texts returns a full-text column, nil when the segment has none.
func (s *Segment) Texts(name string) (*Texts, error) {
	v, err := s.column(name)
	c, _ := v.(*Texts)
	return c, err
}

func (s *Segment) idDict() (*Dict, *idTable, error) {
	if t := s.table.Load(); t != nil {
		return s.ids, t, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.table.Load(); t != nil {
		return s.ids, t, nil
	}
	data, err := s.load(s.prefix + "ids")
	if err != nil {
		return nil, nil, fmt.Errorf("load ids: %w", err)
	}
	r := reader{b: data}
	d := r.dict()
	if r.err != nil || d.Len() != s.N {
		return nil, nil, errors.New("decode ids: damaged")
	}
	s.ids = &d
	t := newIDTable(s.seed, s.ids)
	s.table.Store(t)
	return s.ids, t, nil
}

// Find returns the number of the document with an id that is not in dead.
func (s *Segment) Find(id string, dead Bits) (uint32, bool, error) {
	ids, t, err := s.idDict()
	if err != nil {
		return 0, false, err
	}
	doc, ok := t.find(ids, []byte(id), func(d uint32) bool { return !dead.Get(d) })
	return doc, ok, nil
}

// ID returns a document's id.
func (s *Segment) ID(doc uint32) (string, error) {
	ids, _, err := s.idDict()
	if err != nil {
		return "", err
	}
	return string(ids.Term(int(doc))), nil
}

// Version returns a document's version and sequence number.
func (s *Segment) Version(doc uint32) (version, seq int64) {
	version = 1
	if s.versions != nil {
		version = s.versions[doc]
	}
	return version, s.seqs[doc]
}

// Source returns a document as it came in.
func (s *Segment) Source(doc uint32) ([]byte, error) {
	i := sort.Search(len(s.blocks), func(i int) bool { return s.blocks[i].first > int(doc) }) - 1
	if i < 0 {
		return nil, fmt.Errorf("read source %d: no such block", doc)
	}
	b := s.blocks[i]
	o := b.open.Load()
	if o == nil {
		data, err := s.blockData(i)
		if err != nil {
			return nil, err
		}
		if o, err = openBlock(data, b.n); err != nil {
			return nil, err
		}
		b.open.Store(o)
		s.cache.keep(b)
	}
	k := int(doc) - b.first
	return o.text[o.offs[k]:o.offs[k+1]:o.offs[k+1]], nil
}

func (s *Segment) blockData(i int) ([]byte, error) {
	if p := s.blocks[i].data.Load(); p != nil {
		return *p, nil
	}
	data, err := s.load(fmt.Sprintf("src:%d", i))
	if err != nil {
		return nil, fmt.Errorf("load sources: %w", err)
	}
	return data, nil
}

// blockCache bounds the decompressed blocks of a segment.
type blockCache struct {
	mu   sync.Mutex
	ring [32]*block
	next int
}

func (c *blockCache) keep(b *block) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.ring[c.next]; old != nil && old != b {
		old.open.Store(nil)
	}
	c.ring[c.next] = b
	c.next = (c.next + 1) % len(c.ring)
}

// Attach lets a segment that was built in memory read its parts from storage
// again, and drops the large ones from memory.
func (s *Segment) Attach(load func(section string) ([]byte, error), drop bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.load = load
	for path, c := range s.Children {
		c.prefix = "n:" + path + "\x00"
		c.load = load
		if drop {
			c.dropColumns()
		}
	}
	if !drop {
		return
	}
	s.dropColumns()
	for _, b := range s.blocks {
		b.data.Store(nil)
	}
}

func (s *Segment) dropColumns() {
	for name, c := range s.cols {
		s.cols[name] = &column{kind: c.kind}
	}
}

// MaxSeq returns the highest sequence number, -1 for an empty segment.
func (s *Segment) MaxSeq() int64 {
	m := int64(-1)
	for _, x := range s.seqs {
		m = max(m, x)
	}
	return m
}
