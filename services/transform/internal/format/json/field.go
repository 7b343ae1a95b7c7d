package json

import (
	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// Column is a column to decode.
type Column struct {
	Name string
	Type types.Type
	// Paths are the parts of a nested column that are read; nil means all of it.
	Paths [][]int
}

// field is a column, a field of a ROW, or the element of a collection.
type field struct {
	name   string
	typ    types.Type
	layout column.Layout
	vec    *column.Vector
	fields []*field // of a ROW: those that are read
	keys   *field   // of a MAP
	elem   *field   // of an ARRAY, MULTISET, MAP
}

func newField(name string, t types.Type, vec *column.Vector, paths [][]int) *field {
	f := &field{name: name, typ: t, layout: column.LayoutOf(t), vec: vec}
	switch f.layout {
	case column.Rows:
		for i, sub := range t.Fields {
			below, read := pathsBelow(paths, i)
			if !read {
				vec.Fields[i] = nil
				continue
			}
			f.fields = append(f.fields, newField(sub.Name, sub.Type, vec.Fields[i], below))
		}
	case column.Lists:
		f.elem = newField("", *t.Elem, vec.Elem, nil)
	case column.Maps:
		f.keys = newField("", vec.Key.Type, vec.Key, nil)
		f.elem = newField("", vec.Elem.Type, vec.Elem, nil)
	default:
	}
	return f
}

// pathsBelow returns the parts of field i that are read, and whether any is.
func pathsBelow(paths [][]int, i int) ([][]int, bool) {
	if paths == nil {
		return nil, true
	}
	var below [][]int
	for _, p := range paths {
		if len(p) == 0 {
			return nil, true
		}
		if p[0] != i {
			continue
		}
		if len(p) == 1 {
			return nil, true
		}
		below = append(below, p[1:])
	}
	return below, below != nil
}

// find returns the field of the name that data spells. Names mostly come in the
// order of the last record's, so hint is tried first.
func find(fields []*field, name []byte, hint int) int {
	if hint < len(fields) && fields[hint].name == string(name) {
		return hint
	}
	for i, f := range fields {
		if f.name == string(name) {
			return i
		}
	}
	return -1
}
