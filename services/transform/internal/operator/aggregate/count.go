package aggregate

import (
	"encoding/binary"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/operator/pages"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
)

// count is COUNT; the set leaves out rows whose arguments are NULL.
type count struct{ n pages.List[int64] }

func (f *count) Grow(n int)                                    { f.n.Grow(n) }
func (f *count) Clear(slot int32)                              { *f.n.At(slot) = 0 }
func (f *count) Add(slot int32, _ []*column.Vector, _ int)     { *f.n.At(slot)++ }
func (f *count) Retract(slot int32, _ []*column.Vector, _ int) { *f.n.At(slot)-- }
func (f *count) Merge(dst, src int32)                          { *f.n.At(dst) += *f.n.At(src) }

func (f *count) Append(slot int32, dst *column.Vector) error {
	appendInt(dst, *f.n.At(slot))
	return nil
}

func (f *count) Save(dst []byte, slot int32) []byte { return binary.AppendVarint(dst, *f.n.At(slot)) }

func (f *count) Load(slot int32, s string) (rest string, err error) {
	*f.n.At(slot), rest, err = row.Varint(s)
	return rest, err
}
