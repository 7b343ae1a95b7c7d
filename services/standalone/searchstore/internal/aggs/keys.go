package aggs

import (
	"cmp"
	"math"
	"strconv"
	"strings"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/mapping"
)

// key is a bucket's value: a text or a number. A whole number beyond 2^53 is no
// float64: rest is what num lacks of it, so that neighbours stay apart.
type key struct {
	text string
	num  float64
	rest int64
	kind byte // 's' or 'n'
}

// wholeKey is the key of a whole number.
func wholeKey(v int64) key {
	f := float64(v)
	return key{num: f, rest: v - truncated(f), kind: 'n'}
}

// truncated is the whole number of a float64. That of 2^63 wraps around; with the
// rest added it is in range again.
func truncated(f float64) int64 {
	if f >= 1<<63 {
		return math.MinInt64
	}
	return int64(f)
}

func (k key) whole() int64 { return truncated(k.num) + k.rest }

func (k key) compare(o key) int {
	if k.kind != o.kind {
		return cmp.Compare(k.kind, o.kind)
	}
	if k.kind == 's' {
		return strings.Compare(k.text, o.text)
	}
	if c := cmp.Compare(k.num, o.num); c != 0 {
		return c
	}
	return cmp.Compare(k.rest, o.rest)
}

// digits is a number as include and exclude name it.
func (k key) digits() string {
	if k.num == math.Trunc(k.num) && math.Abs(k.num) <= 1<<63 {
		return strconv.FormatInt(k.whole(), 10)
	}
	return strconv.FormatFloat(k.num, 'f', -1, 64)
}

// wholes calls fn with each value of a column of whole numbers, as numbers does; it
// is false where the column has others.
func (s *source) wholes(x *scope, rows []uint32, fn func(row uint32, v int64)) (bool, error) {
	f, err := s.bind(x)
	if err != nil || f == nil || f.Store == mapping.Terms {
		return false, err
	}
	c, err := x.tab.Nums(f.Path)
	if err != nil || c == nil || c.Real {
		return false, err
	}
	miss, hasMiss := int64(0), false
	if s.missing != nil {
		if miss, hasMiss = s.missing.Int64(); !hasMiss {
			var v float64
			v, hasMiss = s.number(s.missing)
			miss = truncated(v)
		}
	}
	for _, r := range rows {
		lo, hi := c.Span(r)
		if lo == hi && hasMiss {
			fn(r, miss)
		}
		for ; lo < hi; lo++ {
			fn(r, c.Vals[lo])
		}
	}
	return true, nil
}

// eachKey calls fn with the key of each number of the rows.
func (s *source) eachKey(x *scope, rows []uint32, fn func(row uint32, k key)) error {
	done, err := s.wholes(x, rows, func(r uint32, v int64) { fn(r, wholeKey(v)) })
	if done || err != nil {
		return err
	}
	return s.numbers(x, rows, func(r uint32, v float64) { fn(r, key{num: v, kind: 'n'}) })
}

// keys returns the values of each row.
func (s *source) keys(x *scope, rows []uint32) (map[uint32][]key, error) {
	out := map[uint32][]key{}
	f, err := s.bind(x)
	if err != nil {
		return nil, err
	}
	if f == nil || f.Store != mapping.Terms {
		return out, s.eachKey(x, rows, func(r uint32, k key) { out[r] = append(out[r], k) })
	}
	c, err := x.tab.Terms(f.Path)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if c != nil {
			for lo, hi := c.Span(r); lo < hi; lo++ {
				out[r] = append(out[r], key{text: string(c.Dict.Term(int(c.Ords[lo]))), kind: 's'})
			}
		}
		if out[r] == nil && s.missing != nil {
			out[r] = []key{{text: s.missing.Text(), kind: 's'}}
		}
	}
	return out, nil
}

// show renders a bucket's key.
func (s *source) show(o *jsondoc.Value, k key) {
	if k.kind == 's' {
		o.Set("key", jsondoc.Str(termText(s.f, []byte(k.text))))
		return
	}
	o.Set("key", s.shown(k))
	if s.f != nil && s.f.IsDate() {
		o.Set("key_as_string", jsondoc.Str(s.dateFormat().Print(s.f.Time(k.whole()), s.zone)))
	} else if text, ok := s.text(k.num); ok {
		o.Set("key_as_string", jsondoc.Str(text))
	}
}

func (s *source) shown(k key) *jsondoc.Value {
	if s.f != nil && s.f.Store == mapping.Reals {
		return jsondoc.Float(k.num)
	}
	return jsondoc.Int(k.whole())
}

// joined makes one key of several.
func joined(ks []key) key {
	var b strings.Builder
	for _, k := range ks {
		b.WriteByte(k.kind)
		b.WriteString(k.text)
		if k.kind == 'n' {
			b.WriteString(strconv.FormatFloat(k.num, 'g', -1, 64))
			b.WriteString(strconv.FormatInt(k.rest, 10))
		}
		b.WriteByte(0)
	}
	return key{text: b.String(), kind: 's'}
}
