package json

import (
	"github.com/weirflow/weirflow/services/transform/internal/column"
)

const (
	maxTemplates   = 4
	maxLeaves      = 256
	maxTemplate    = 64 << 10 // bytes of a record that may become a template
	maxLearnings   = 16       // leaves that one record may turn from constant to variable
	patience       = 64       // records without a match until templates are given up for a while
	pauseOfRecords = 4096
)

// leaf is a value of a template that is not looked into.
type leaf struct {
	field      *field // nil when nobody reads it
	start, end int
	variable   bool
	generation uint64 // of the batch that span belongs to
	span       column.Span
	null       bool
	text       string
	number     int64
}

// segment is a stretch that never changed, and the variable leaf behind it.
type segment struct {
	start, end int
	leaf       int // -1 behind the last
}

// template is a record that others are compared with.
type template struct {
	data     []byte
	leaves   []leaf
	rows     []*field // ROWs that are present
	segments []segment
	consts   []int // leaves that are read and constant
}

// tracker notes what the full parse of a record finds, for a template.
type tracker struct {
	leaves []leaf
	rows   []*field
	bad    bool
}

func (t *tracker) leaf(f *field, start, end int) {
	if len(t.leaves) >= maxLeaves {
		t.bad = true
		return
	}
	t.leaves = append(t.leaves, leaf{field: f, start: start, end: end})
}

func (t *tracker) row(f *field) { t.rows = append(t.rows, f) }

// cache is the templates, the one that matched last in front.
type cache struct {
	templates  []*template
	generation uint64
	spare      tracker
	misses     int
	pause      int
}

// tracker returns what to note a parse with, or nil when no template is wanted.
func (c *cache) tracker() *tracker {
	if c.pause > 0 {
		return nil
	}
	c.spare.leaves, c.spare.rows, c.spare.bad = c.spare.leaves[:0], c.spare.rows[:0], false
	return &c.spare
}

// keep makes a template of a record that was parsed.
func (c *cache) keep(data []byte, t *tracker) {
	if t == nil || t.bad || len(data) > maxTemplate {
		return
	}
	c.misses++
	if c.misses > patience {
		c.misses, c.pause = 0, pauseOfRecords
		return
	}
	made := &template{data: append([]byte(nil), data...), leaves: append([]leaf(nil), t.leaves...), rows: append([]*field(nil), t.rows...)}
	made.cut()
	if len(c.templates) < maxTemplates {
		c.templates = append(c.templates, nil)
	}
	copy(c.templates[1:], c.templates)
	c.templates[0] = made
}

// decode tries the templates on a record. One that does not fit, or whose values
// are not of their types, is left to the full parse, which tells what is wrong.
func (c *cache) decode(d *Decoder, data []byte) bool {
	if c.pause > 0 {
		c.pause--
		return false
	}
	for i, t := range c.templates {
		if t.decode(d, data) {
			c.misses = 0
			copy(c.templates[1:i+1], c.templates[:i])
			c.templates[0] = t
			return true
		}
	}
	return false
}

// cut divides the template into segments.
func (t *template) cut() {
	t.segments, t.consts = t.segments[:0], t.consts[:0]
	at := 0
	for i := range t.leaves {
		l := &t.leaves[i]
		if !l.variable {
			if l.field != nil {
				t.consts = append(t.consts, i)
				l.generation = 0
			}
			continue
		}
		t.segments = append(t.segments, segment{start: at, end: l.start, leaf: i})
		at = l.end
	}
	t.segments = append(t.segments, segment{start: at, end: len(t.data), leaf: -1})
}

// decode decodes a record that has the template's form. It learns which leaves
// change from record to record.
func (t *template) decode(d *Decoder, data []byte) bool {
	for range maxLearnings {
		at, ok := t.match(d, data)
		if ok && t.constants(d) == nil {
			d.row++
			return true
		}
		d.clear(d.row)
		if ok || at < 0 || !t.learn(at) {
			return false
		}
	}
	return false
}

// match compares the segments and decodes the variable leaves between them. When
// they differ it returns the place in the template where; -1 when a value is wrong.
func (t *template) match(d *Decoder, data []byte) (int, bool) {
	p := 0
	for i := range t.segments {
		s := &t.segments[i]
		want := t.data[s.start:s.end]
		if len(data)-p < len(want) || string(data[p:p+len(want)]) != string(want) {
			return s.start + commonPrefix(data[p:], want), false
		}
		p = skipSpace(data, p+len(want))
		if s.leaf < 0 {
			break
		}
		var err error
		if f := t.leaves[s.leaf].field; f != nil {
			p, err = d.value(f, data, p, d.row, 1)
		} else {
			p, err = skip(data, p, 1)
		}
		if err != nil {
			return -1, false
		}
	}
	return 0, true
}

func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// learn marks the leaf at a place of the template as variable.
func (t *template) learn(at int) bool {
	for i := range t.leaves {
		l := &t.leaves[i]
		if l.start > at {
			return false
		}
		// A number may go on where the template's ends; nothing else does.
		inside := at < l.end || at == l.end && t.data[l.end-1]-'0' < 10
		if inside && !l.variable {
			l.variable = true
			t.cut()
			return true
		}
	}
	return false
}

// constants sets the columns whose values lie in the segments.
func (t *template) constants(d *Decoder) error {
	row := d.row
	for _, f := range t.rows {
		f.vec.SetNotNull(row)
	}
	for _, i := range t.consts {
		l := &t.leaves[i]
		if l.generation != d.cache.generation {
			if err := t.evaluate(d, l); err != nil {
				return err
			}
			continue
		}
		if l.null {
			continue
		}
		v := l.field.vec
		switch l.field.layout {
		case column.Strs:
			v.Strs[row] = l.text
		case column.Ints:
			v.Ints[row] = l.number
		case column.Lists, column.Maps:
			v.Spans[row] = l.span
		default:
			if _, err := d.value(l.field, t.data, l.start, row, 1); err != nil {
				return err
			}
			continue
		}
		v.SetNotNull(row)
	}
	return nil
}

// evaluate decodes a constant leaf for the first row of a batch that has it.
func (t *template) evaluate(d *Decoder, l *leaf) error {
	row := d.row
	if _, err := d.value(l.field, t.data, l.start, row, 1); err != nil {
		return err
	}
	v := l.field.vec
	l.generation = d.cache.generation
	l.null = v.IsNull(row)
	if l.null {
		return nil
	}
	switch l.field.layout {
	case column.Strs:
		l.text = v.Strs[row]
	case column.Ints:
		l.number = v.Ints[row]
	case column.Lists, column.Maps:
		l.span = v.Spans[row]
	default:
	}
	return nil
}
