package json

import "github.com/weirflow/weirflow/services/transform/internal/column"

func (d *Decoder) list(f *field, data []byte, p, row, depth int) (int, error) {
	if data[p] != '[' {
		return p, unexpected(data, p, "an array")
	}
	elem := f.elem.vec
	start := elem.Len
	p = skipSpace(data, p+1)
	if p < len(data) && data[p] == ']' {
		setSpan(f.vec, row, start, start)
		return p + 1, nil
	}
	for {
		extendNull(elem, 1)
		var err error
		if p, err = d.value(f.elem, data, p, elem.Len-1, depth+1); err != nil {
			return p, err
		}
		more := false
		if p, more, err = next(data, p, ']'); err != nil {
			return p, err
		}
		if !more {
			setSpan(f.vec, row, start, elem.Len)
			return p, nil
		}
	}
}

func setSpan(v *column.Vector, row, start, end int) {
	v.Spans[row] = column.Span{Start: int32(start), Len: int32(end - start)}
	v.SetNotNull(row)
}

func (d *Decoder) mapping(f *field, data []byte, p, row, depth int) (int, error) {
	if data[p] != '{' {
		return p, unexpected(data, p, "an object for "+f.typ.Kind.String())
	}
	keys, values := f.keys.vec, f.elem.vec
	start := values.Len
	p = skipSpace(data, p+1)
	if p < len(data) && data[p] == '}' {
		setSpan(f.vec, row, start, start)
		return p + 1, nil
	}
	for {
		name, at, err := key(data, p)
		if err != nil {
			return p, err
		}
		extendNull(keys, 1)
		if err := d.text(f.keys, data, name, keys.Len-1); err != nil {
			return p, err
		}
		extendNull(values, 1)
		if p, err = d.value(f.elem, data, at, values.Len-1, depth+1); err != nil {
			return p, err
		}
		more := false
		if p, more, err = next(data, p, '}'); err != nil {
			return p, err
		}
		if !more {
			d.lastOfEachKey(f, row, start)
			return p, nil
		}
	}
}

// lastOfEachKey ends a MAP: of entries with one key the last counts.
func (d *Decoder) lastOfEachKey(f *field, row, start int) {
	keys, values := f.keys.vec, f.elem.vec
	setSpan(f.vec, row, start, values.Len)
	if !repeats(keys, start) {
		return
	}
	all, _ := f.vec.Value(row).(column.MapValue)
	keys.Truncate(start)
	values.Truncate(start)
	var kept column.MapValue
	at := make(map[any]int, len(all.Keys))
	for i, k := range all.Keys {
		if j, ok := at[k]; ok {
			kept.Values[j] = all.Values[i]
			continue
		}
		at[k] = len(kept.Keys)
		kept.Keys = append(kept.Keys, k)
		kept.Values = append(kept.Values, all.Values[i])
	}
	f.vec.Set(row, kept)
}

func repeats(keys *column.Vector, start int) bool {
	if column.LayoutOf(keys.Type) != column.Strs {
		return false
	}
	for i := start + 1; i < keys.Len; i++ {
		for j := start; j < i; j++ {
			if keys.Strs[i] == keys.Strs[j] {
				return true
			}
		}
	}
	return false
}
