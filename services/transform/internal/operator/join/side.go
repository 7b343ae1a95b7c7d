// Package join is joins of two streams: regular, by interval, by window, and with
// the versions of a table.
package join

import (
	"encoding/binary"
	"fmt"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
	"github.com/weirflow/weirflow/services/transform/internal/operator/state"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// item is a row that is kept, how often it came, and how many rows of the other
// side match it, which only outer, semi and anti joins count.
type item struct {
	row     string
	n       int64
	matches int64
}

// many is from how many rows on a bucket has an index.
const many = 16

// bucket is the rows of a key.
type bucket struct {
	items []*item
	index map[string]int
}

// find returns the place of a row, -1 if it is not there.
func (b *bucket) find(text []byte) int {
	if b.index != nil {
		if at, ok := b.index[string(text)]; ok {
			return at
		}
		return -1
	}
	for i, it := range b.items {
		if it.row == string(text) {
			return i
		}
	}
	return -1
}

func (b *bucket) add(it *item) {
	b.items = append(b.items, it)
	switch {
	case b.index != nil:
		b.index[it.row] = len(b.items) - 1
	case len(b.items) > many:
		b.index = make(map[string]int, 2*many)
		for i, x := range b.items {
			b.index[x.row] = i
		}
	}
}

func (b *bucket) remove(at int) {
	last := len(b.items) - 1
	if b.index != nil {
		delete(b.index, b.items[at].row)
		if at != last {
			b.index[b.items[last].row] = at
		}
	}
	b.items[at] = b.items[last]
	b.items[last] = nil
	b.items = b.items[:last]
}

func saveBucket(dst []byte, b *bucket) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(b.items)))
	for _, it := range b.items {
		dst = binary.AppendVarint(binary.AppendVarint(row.AppendText(dst, it.row), it.n), it.matches)
	}
	return dst
}

func loadBucket(_, s string) (*bucket, error) {
	n, s, err := row.Uvarint(s)
	if err != nil {
		return nil, err
	}
	b := &bucket{}
	for range n {
		it := &item{}
		if it.row, s, err = row.Text(s); err != nil {
			return nil, err
		}
		if it.n, s, err = row.Varint(s); err != nil {
			return nil, err
		}
		if it.matches, s, err = row.Varint(s); err != nil {
			return nil, err
		}
		b.add(it)
	}
	return b, nil
}

// keys makes the bytes by which rows of both sides are joined.
type keys struct {
	programs [2][]*eval.Program
	vecs     [2][]*column.Vector
	nullSafe []bool
	buf      []byte
}

func newKeys(on plan.On, left, right []types.Field, env eval.Env) (*keys, error) {
	k := &keys{nullSafe: on.NullSafe}
	for i := range on.LeftKeys {
		l, r := left[on.LeftKeys[i]], right[on.RightKeys[i]]
		common, ok := types.Common(l.Type.Plain(), r.Type.Plain())
		if !ok {
			common = l.Type
		}
		for side, f := range []types.Field{l, r} {
			col := []int{on.LeftKeys[i], on.RightKeys[i]}[side]
			var e plan.Expr = &plan.InputRef{Meta: plan.Meta{Typ: f.Type}, Index: col, Name: f.Name}
			if !f.Type.Kind.IsCharacter() && !f.Type.Plain().Same(common) {
				e = &plan.Cast{Meta: plan.Meta{Typ: common}, X: e, Implicit: true}
			}
			p, err := eval.Compile(e, env)
			if err != nil {
				return nil, err
			}
			k.programs[side] = append(k.programs[side], p)
			k.vecs[side] = append(k.vecs[side], nil)
		}
	}
	return k, nil
}

// bind says which batch the keys to come are of.
func (k *keys) bind(side int, b *column.Batch) error {
	for i, p := range k.programs[side] {
		v, err := p.Eval(b)
		if err != nil {
			return err
		}
		k.vecs[side][i] = v
	}
	return nil
}

// key returns the key of row i of the bound batch; ok is false when a NULL in it
// keeps it from matching anything.
func (k *keys) key(side, i int) (key []byte, ok bool) {
	k.buf = k.buf[:0]
	ok = true
	for c, v := range k.vecs[side] {
		if v.IsNull(i) && !k.nullSafe[c] {
			ok = false
		}
		k.buf = row.AppendValue(k.buf, v, i)
	}
	return k.buf, ok
}

// residual is the rest of a join's condition, over left and right columns.
type residual struct {
	cond  *eval.Program
	left  int // how many columns the left has
	batch column.Batch
	ok    []bool
}

func newResidual(e plan.Expr, left, right []types.Field, env eval.Env) (*residual, error) {
	r := &residual{left: len(left)}
	for _, f := range left {
		r.batch.Cols = append(r.batch.Cols, column.New(f.Type))
	}
	for _, f := range right {
		r.batch.Cols = append(r.batch.Cols, column.New(f.Type))
	}
	if e == nil {
		return r, nil
	}
	var err error
	r.cond, err = eval.Compile(e, env)
	return r, err
}

// match tells for each candidate of the other side whether it and the row text of
// a side fulfil the condition. The answer is good until the next call.
func (r *residual) match(side int, text string, candidates func(i int) string, n int) ([]bool, error) {
	r.ok = r.ok[:0]
	if r.cond == nil {
		for range n {
			r.ok = append(r.ok, true)
		}
		return r.ok, nil
	}
	for _, c := range r.batch.Cols {
		c.Reset(0)
	}
	r.batch.Len = n
	mine, other := r.batch.Cols[:r.left], r.batch.Cols[r.left:]
	if side == 1 {
		mine, other = other, mine
	}
	for i := range n {
		if _, err := row.Decode(text, mine); err != nil {
			return nil, err
		}
		if _, err := row.Decode(candidates(i), other); err != nil {
			return nil, err
		}
	}
	v, err := r.cond.Eval(&r.batch)
	if err != nil {
		return nil, err
	}
	for i := range n {
		r.ok = append(r.ok, !v.IsNull(i) && v.Bools[i])
	}
	return r.ok, nil
}

// shape names what the state of a join depends on.
func shape(kind string, on plan.On, left, right []types.Field) string {
	head := fmt.Sprintf("%s on %v %v of", kind, on.LeftKeys, on.RightKeys)
	return state.Shape(state.Shape(head, left, nil)+" and", right, nil)
}

func buckets(t *state.Tables, name string) *state.Table[*bucket] {
	return state.AddTable(t, name, state.Codec[*bucket]{Append: saveBucket, Decode: loadBucket})
}
