package row

import "github.com/weirflow/weirflow/services/transform/internal/column"

// Same reports whether two values of one type are not distinct: NULL equals NULL.
func Same(a *column.Vector, i int, b *column.Vector, j int) bool {
	if a.IsNull(i) || b.IsNull(j) {
		return a.IsNull(i) && b.IsNull(j)
	}
	switch column.LayoutOf(a.Type) {
	case column.Bools:
		return a.Bools[i] == b.Bools[j]
	case column.Ints:
		return a.Ints[i] == b.Ints[j]
	case column.Times:
		return a.Time(i) == b.Time(j)
	case column.Floats:
		return floatBits(a.Floats[i]) == floatBits(b.Floats[j])
	case column.Decs:
		return a.Decs[i].Cmp(b.Decs[j]) == 0
	case column.Strs:
		return a.Strs[i] == b.Strs[j]
	default:
		return string(AppendValue(nil, a, i)) == string(AppendValue(nil, b, j))
	}
}
