package eval

import (
	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// toNested is CAST between ROWs, ARRAYs and MAPs, element by element.
func (c *compiler) toNested(from, to types.Type) (convert, bool) {
	if from.Kind != to.Kind {
		return nil, false
	}
	switch to.Kind {
	case types.Row:
		return c.toRow(from, to)
	case types.Array, types.Multiset:
		elem, fails := c.elementConversion(*from.Elem, *to.Elem)
		if elem == nil {
			return nil, false
		}
		return func(v *column.Vector, j int, out *column.Vector, i int) error {
			span, err := convertSpan(v.Elem, v.Spans[j], out.Elem, elem)
			out.Spans[i] = span
			return err
		}, fails
	default:
		key, kf := c.elementConversion(*from.Key, *to.Key)
		elem, ef := c.elementConversion(*from.Elem, *to.Elem)
		if key == nil || elem == nil {
			return nil, false
		}
		return func(v *column.Vector, j int, out *column.Vector, i int) error {
			if _, err := convertSpan(v.Key, v.Spans[j], out.Key, key); err != nil {
				return err
			}
			span, err := convertSpan(v.Elem, v.Spans[j], out.Elem, elem)
			out.Spans[i] = span
			return err
		}, kf || ef
	}
}

func (c *compiler) elementConversion(from, to types.Type) (convert, bool) {
	if from.OrNull().Same(to.OrNull()) || from.Kind.IsCharacter() && to.Kind == types.Varchar && to.Length >= from.Length {
		return copyRow, false
	}
	return c.conversion(from, to)
}

func (c *compiler) toRow(from, to types.Type) (convert, bool) {
	if len(from.Fields) != len(to.Fields) {
		return nil, false
	}
	fields := make([]convert, len(to.Fields))
	anyFails := false
	for f := range to.Fields {
		conv, fails := c.elementConversion(from.Fields[f].Type, to.Fields[f].Type)
		if conv == nil {
			return nil, false
		}
		fields[f] = conv
		anyFails = anyFails || fails
	}
	return func(v *column.Vector, j int, out *column.Vector, i int) error {
		for f, conv := range fields {
			if v.Fields[f].IsNull(j) {
				out.Fields[f].SetNull(i)
				continue
			}
			if err := conv(v.Fields[f], j, out.Fields[f], i); err != nil {
				return err
			}
		}
		return nil
	}, anyFails
}

func convertSpan(v *column.Vector, s column.Span, out *column.Vector, conv convert) (column.Span, error) {
	start := out.Len
	out.Extend(int(s.Len))
	span := column.Span{Start: int32(start), Len: s.Len}
	for k := range int(s.Len) {
		if v.IsNull(int(s.Start) + k) {
			out.SetNull(start + k)
			continue
		}
		if err := conv(v, int(s.Start)+k, out, start+k); err != nil {
			return span, err
		}
	}
	return span, nil
}

// rowCtor makes a ROW of columns; it shares their memory.
type rowCtor struct {
	fields []node
	out    *column.Vector
}

func (c *compiler) rowCtor(e *plan.RowCtor) (node, error) {
	fields, err := c.all(e.Fields)
	if err != nil {
		return nil, err
	}
	return &rowCtor{fields: fields, out: &column.Vector{Type: e.Typ, Fields: make([]*column.Vector, len(fields))}}, nil
}

func (n *rowCtor) mayFail() bool { return anyFails(n.fields) }

func (n *rowCtor) eval(b *column.Batch) (*column.Vector, error) {
	if err := evalAll(n.fields, b, n.out.Fields); err != nil {
		return nil, err
	}
	n.out.Len = b.Len
	return n.out, nil
}

// listCtor makes an ARRAY, or with keys a MAP.
type listCtor struct {
	at    plan.Pos
	keys  []node
	elems []node
	kvecs []*column.Vector
	evecs []*column.Vector
	out   *column.Vector
}

func (c *compiler) arrayCtor(e *plan.ArrayCtor) (node, error) {
	elems, err := c.all(e.Elems)
	if err != nil {
		return nil, err
	}
	return &listCtor{at: e.At, elems: elems, evecs: make([]*column.Vector, len(elems)), out: column.New(e.Typ)}, nil
}

func (c *compiler) mapCtor(e *plan.MapCtor) (node, error) {
	keys, err := c.all(e.Keys)
	if err != nil {
		return nil, err
	}
	elems, err := c.all(e.Values)
	if err != nil {
		return nil, err
	}
	return &listCtor{at: e.At, keys: keys, elems: elems, kvecs: make([]*column.Vector, len(keys)),
		evecs: make([]*column.Vector, len(elems)), out: column.New(e.Typ)}, nil
}

func (n *listCtor) mayFail() bool { return anyFails(n.elems) || anyFails(n.keys) }

func (n *listCtor) eval(b *column.Batch) (*column.Vector, error) {
	if err := evalAll(n.elems, b, n.evecs); err != nil {
		return nil, err
	}
	if err := evalAll(n.keys, b, n.kvecs); err != nil {
		return nil, err
	}
	n.out.Reset(b.Len)
	for i := range b.Len {
		start := n.out.Elem.Len
		for k, v := range n.evecs {
			if n.keys != nil {
				if n.repeated(k, i) {
					continue
				}
				n.out.Key.Append(n.kvecs[k].Value(i))
			}
			n.out.Elem.Append(v.Value(i))
		}
		n.out.Spans[i] = column.Span{Start: int32(start), Len: int32(n.out.Elem.Len - start)}
	}
	return n.out, nil
}

// repeated tells whether the k-th key comes again: then the later entry counts.
func (n *listCtor) repeated(k, i int) bool {
	for _, later := range n.kvecs[k+1:] {
		if compareNested(n.kvecs[k], i, later, i) == 0 {
			return true
		}
	}
	return false
}

// item is array[i] and map[key].
type item struct {
	at      plan.Pos
	x, key  node
	array   bool
	compare Comparer
	out     *column.Vector
}

func (c *compiler) item(e *plan.ItemAccess) (node, error) {
	x, err := c.compile(e.X)
	if err != nil {
		return nil, err
	}
	key, err := c.compile(e.Key)
	if err != nil {
		return nil, err
	}
	n := &item{at: e.At, x: x, key: key, array: e.X.Type().Kind == types.Array, out: column.New(e.Typ)}
	if !n.array {
		if n.compare = CompareOf(*e.X.Type().Key, e.Key.Type()); n.compare == nil {
			return nil, &Unsupported{At: e.At, What: "a key of type " + e.Key.Type().String()}
		}
	}
	return n, nil
}

func (n *item) mayFail() bool { return n.x.mayFail() || n.key.mayFail() }

func (n *item) eval(b *column.Batch) (*column.Vector, error) {
	x, err := n.x.eval(b)
	if err != nil {
		return nil, err
	}
	key, err := n.key.eval(b)
	if err != nil {
		return nil, err
	}
	n.out.Reset(b.Len)
	for i := range b.Len {
		if x.IsNull(i) || key.IsNull(i) {
			n.out.SetNull(i)
			continue
		}
		at := n.find(x.Spans[i], x, key, i)
		if at < 0 {
			n.out.SetNull(i)
			continue
		}
		column.CopyRow(n.out, i, x.Elem, at)
	}
	return n.out, nil
}

func (n *item) find(s column.Span, x, key *column.Vector, i int) int {
	if n.array {
		at := key.Ints[i] - 1
		if at < 0 || at >= int64(s.Len) {
			return -1
		}
		return int(s.Start) + int(at)
	}
	for k := range s.Len {
		at := int(s.Start + k)
		if !x.Key.IsNull(at) && n.compare(x.Key, at, key, i) == 0 {
			return at
		}
	}
	return -1
}
