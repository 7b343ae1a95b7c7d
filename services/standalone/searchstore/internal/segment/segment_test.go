package segment_test

import (
	"errors"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/segment"
)

const testMapping = `{"properties":{"k":{"type":"keyword"},"n":{"type":"long"},"f":{"type":"double"},"t":{"type":"text"},"o":{"type":"nested","properties":{"a":{"type":"keyword"},"i":{"type":"nested","properties":{"x":{"type":"long"}}}}}}}`

func newMapping(tb testing.TB) *mapping.Mapping {
	tb.Helper()
	def, err := jsondoc.Parse([]byte(testMapping))
	if err != nil {
		tb.Fatal(err)
	}
	m, err := mapping.New().Merge(def)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// doc is a document whose parts follow from its number.
func doc(i int) string {
	return fmt.Sprintf(`{"k":["k%d","all","k%d"],"n":%d,"f":%d.25,"t":"word%d common word%d","o":[{"a":"a%d","i":[{"x":%d},{"x":%d}]},{"a":"b"}]}`, i%7, i%7, i, -i, i%5, i%5, i, i, i+1)
}

func build(tb testing.TB, seed maphash.Seed, from, to int) *segment.Segment {
	tb.Helper()
	m := newMapping(tb)
	b := segment.NewBuilder(seed)
	var p mapping.Parser
	for i := from; i < to; i++ {
		src := []byte(doc(i))
		if _, err := p.Parse(m, strconv.Itoa(i), src); err != nil {
			tb.Fatal(err)
		}
		b.Add(strconv.Itoa(i), int64(i%3+1), int64(i), src, p.Rows)
	}
	return b.Seal()
}

// stored writes a segment and reads it again.
func stored(tb testing.TB, s *segment.Segment, seed maphash.Seed) *segment.Segment {
	tb.Helper()
	sections, err := s.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	parts := map[string][]byte{}
	for _, x := range sections {
		parts[x.Name] = x.Data
	}
	out, err := segment.Open(parts["meta"], seed, func(name string) ([]byte, error) {
		b, ok := parts[name]
		if !ok {
			return nil, fmt.Errorf("no section %q", name)
		}
		return b, nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// verify checks that a segment holds exactly the documents of a list.
func verify(t *testing.T, s *segment.Segment, want []int) {
	t.Helper()
	if s.N != len(want) {
		t.Fatalf("want %d documents, got %d", len(want), s.N)
	}
	for d, i := range want {
		row := uint32(d)
		id, err := s.ID(row)
		if err != nil || id != strconv.Itoa(i) {
			t.Fatalf("document %d: id %q, %v", d, id, err)
		}
		if at, ok, err := s.Find(id, nil); err != nil || !ok || at != row {
			t.Fatalf("find %s: %d %v %v", id, at, ok, err)
		}
		src, err := s.Source(row)
		if err != nil || string(src) != doc(i) {
			t.Fatalf("source of %d: %s, %v", i, src, err)
		}
		if v, seq := s.Version(row); v != int64(i%3+1) || seq != int64(i) {
			t.Fatalf("version of %d: %d %d", i, v, seq)
		}
		verifyColumns(t, s, row, i)
	}
	verifyText(t, s, want)
	verifyNested(t, s, want)
}

func verifyColumns(t *testing.T, s *segment.Segment, row uint32, i int) {
	t.Helper()
	n, err := s.Nums("n")
	if err != nil {
		t.Fatal(err)
	}
	lo, hi := n.Span(row)
	if hi-lo != 1 || n.Vals[lo] != int64(i) {
		t.Fatalf("n of %d: %v", i, n.Vals[lo:hi])
	}
	f, err := s.Nums("f")
	if err != nil {
		t.Fatal(err)
	}
	lo, _ = f.Span(row)
	want := -float64(i) - .25
	if got := segment.Real(f.Vals[lo]); got != want {
		t.Fatalf("f of %d: %v", i, got)
	}
	k, err := s.Terms("k")
	if err != nil {
		t.Fatal(err)
	}
	lo, hi = k.Span(row)
	if hi-lo != 2 || string(k.Dict.Term(int(k.Ords[lo]))) != "all" || string(k.Dict.Term(int(k.Ords[lo+1]))) != fmt.Sprintf("k%d", i%7) {
		t.Fatalf("k of %d: %d values", i, hi-lo)
	}
}

func verifyText(t *testing.T, s *segment.Segment, want []int) {
	t.Helper()
	x, err := s.Texts("t")
	if err != nil {
		t.Fatal(err)
	}
	for w := range 5 {
		var docs []int
		for d, i := range want {
			if i%5 == w {
				docs = append(docs, d)
			}
		}
		o, ok := x.Dict.Find(fmt.Appendf(nil, "word%d", w))
		if !ok {
			if len(docs) > 0 {
				t.Fatalf("word%d is missing", w)
			}
			continue
		}
		cur := x.Cursor(o)
		for _, d := range docs {
			if !cur.Next() || int(cur.Doc) != d || cur.Freq != 2 {
				t.Fatalf("word%d: want document %d twice, got %+v", w, d, cur.Posting)
			}
			if p, ok := cur.Position(); !ok || p != 0 {
				t.Fatalf("word%d: first position %d", w, p)
			}
			if p, ok := cur.Position(); !ok || p != 2 {
				t.Fatalf("word%d: second position %d", w, p)
			}
		}
		if cur.Next() {
			t.Fatalf("word%d: too many postings", w)
		}
	}
	if x.DocCount != len(want) || x.SumLen != int64(3*len(want)) {
		t.Fatalf("statistics: %d documents, %d terms", x.DocCount, x.SumLen)
	}
}

func verifyNested(t *testing.T, s *segment.Segment, want []int) {
	t.Helper()
	o, in := s.Children["o"], s.Children["o.i"]
	if len(want) == 0 {
		return
	}
	if o.N != 2*len(want) || in.N != 2*len(want) {
		t.Fatalf("nested rows: %d and %d for %d documents", o.N, in.N, len(want))
	}
	x, err := in.Nums("o.i.x")
	if err != nil {
		t.Fatal(err)
	}
	for r := range in.N {
		root := o.Parent[in.Parent[r]]
		lo, _ := x.Span(uint32(r))
		if got := int(x.Vals[lo]); got != want[root]+r%2 {
			t.Fatalf("nested row %d of document %d: %d", r, want[root], got)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	seed := maphash.MakeSeed()
	for _, n := range [...]int{1, 2, 64, 500, 3000} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			var want []int
			for i := range n {
				want = append(want, i+1)
			}
			s := build(t, seed, 1, n+1)
			verify(t, s, want)
			verify(t, stored(t, s, seed), want)
		})
	}
}

func TestMergeLeavesOutTheDead(t *testing.T) {
	seed := maphash.MakeSeed()
	r := rand.New(rand.NewPCG(1, 2))
	var in []segment.Input
	var want []int
	at := 1
	for _, n := range [...]int{1, 700, 3, 40} {
		s := build(t, seed, at, at+n)
		x := segment.Input{Seg: stored(t, s, seed)}
		if n != 3 { // one without deletions
			x.Dead = segment.NewBits(n)
		}
		for d := range n {
			if x.Dead != nil && r.IntN(3) == 0 {
				x.Dead.Set(uint32(d))
				continue
			}
			want = append(want, at+d)
		}
		in = append(in, x)
		at += n
	}
	out, maps, err := segment.Merge(in, seed, 100)
	if err != nil {
		t.Fatal(err)
	}
	verify(t, out, want)
	verify(t, stored(t, out, seed), want)
	for i, m := range maps {
		for d, to := range m {
			if dead := in[i].Dead.Get(uint32(d)); dead != (to == segment.Missing) {
				t.Fatalf("input %d: document %d went to %d", i, d, to)
			}
		}
	}
}

func TestNorms(t *testing.T) {
	last := byte(0)
	for n := range 100_000 {
		b := segment.EncodeNorm(n)
		if b < last {
			t.Fatalf("the norm of %d is below that of %d", n, n-1)
		}
		last = b
		if got := segment.DecodeNorm(b); got > n || n < 40 && got != n || float64(got) < float64(n)*.87 {
			t.Fatalf("%d comes back as %d", n, got)
		}
	}
}

// FuzzOpen reads damaged segments: errors are fine, panics are not.
func FuzzOpen(f *testing.F) {
	seed := maphash.MakeSeed()
	sections, err := build(f, seed, 1, 20).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sections[0].Data, 0, byte(0))
	f.Fuzz(func(_ *testing.T, meta []byte, at int, x byte) {
		s, err := segment.Open(meta, seed, func(name string) ([]byte, error) {
			for _, sec := range sections {
				if sec.Name == name {
					b := append([]byte(nil), sec.Data...)
					if len(b) > 0 && at >= 0 {
						b[at%len(b)] ^= x
					}
					return b, nil
				}
			}
			return nil, errors.New("no section")
		})
		if err != nil {
			return
		}
		for _, n := range s.Columns() {
			_, _ = s.Nums(n)
			_, _ = s.Terms(n)
			_, _ = s.Texts(n)
		}
		_, _, _ = s.Find("1", nil)
	})
}
