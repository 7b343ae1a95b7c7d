package exec

import (
	"slices"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

const sortedBatch = 4096

// sorter collects a bounded input and puts it out in order.
type sorter struct {
	remembering
	node *plan.Sort
	rows column.Batch
	cmp  []eval.Comparer
}

func newSorter(n *plan.Sort) *sorter {
	s := &sorter{node: n}
	for _, f := range n.Input.Out().Fields {
		s.rows.Cols = append(s.rows.Cols, column.New(f.Type))
	}
	for _, k := range n.Keys {
		t := n.Input.Out().Fields[k.Column].Type
		s.cmp = append(s.cmp, eval.CompareOf(t, t))
	}
	s.remember()
	return s
}

func (s *sorter) Process(_ int, b *column.Batch, _ Emitter) error {
	for c, col := range s.rows.Cols {
		for i := range b.Len {
			col.AppendRow(b.Cols[c], i)
		}
	}
	s.rows.Len += b.Len
	return nil
}

func (s *sorter) End(_ int, out Emitter) error {
	order := make([]int32, s.rows.Len)
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, s.compare)
	order = order[min(s.node.Offset, int64(len(order))):]
	if s.node.Limit >= 0 {
		order = order[:min(s.node.Limit, int64(len(order)))]
	}
	var part column.Batch
	for chunk := range slices.Chunk(order, sortedBatch) {
		s.rows.Select(&part, chunk, nil)
		part.Rows = nil
		if err := out.Emit(&part); err != nil {
			return err
		}
	}
	return nil
}

func (s *sorter) compare(x, y int32) int {
	for k, key := range s.node.Keys {
		col := s.rows.Cols[key.Column]
		nx, ny := col.IsNull(int(x)), col.IsNull(int(y))
		if nx || ny {
			if nx == ny {
				continue
			}
			if nx == key.NullsFirst {
				return -1
			}
			return 1
		}
		c := s.cmp[k](col, int(x), col, int(y))
		if key.Descending {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// limiter passes the first rows on, without an order.
type limiter struct {
	remembering
	skip, left int64
	out        column.Batch
}

func (l *limiter) Process(_ int, b *column.Batch, out Emitter) error {
	sel := make([]int32, 0, b.Len)
	for i := range b.Len {
		switch {
		case l.skip > 0:
			l.skip--
		case l.left != 0:
			l.left--
			sel = append(sel, int32(i))
		}
	}
	if len(sel) == 0 {
		return nil
	}
	b.Select(&l.out, sel, nil)
	return out.Emit(&l.out)
}
