package column

// Gather makes dst the rows of src that sel names, in that order. Text and
// elements are shared with src, not copied. A negative number gives NULL.
func Gather(dst, src *Vector, sel []int32) {
	if l := LayoutOf(src.Type); l == Lists || l == Maps {
		dst.Elem, dst.Key, dst.shared = src.Elem, src.Key, true
		dst.Len, dst.anyNull = len(sel), false
		dst.nulls = dst.nulls.Resize(len(sel))
		dst.Spans = sized(dst.Spans, len(sel))
	} else {
		dst.Reset(len(sel))
	}
	gatherNulls(dst, src, sel)
	switch LayoutOf(src.Type) {
	case Bools:
		take(dst.Bools, src.Bools, sel)
	case Ints:
		take(dst.Ints, src.Ints, sel)
	case Times:
		take(dst.Ints, src.Ints, sel)
		if dst.Nanos != nil && src.Nanos != nil {
			take(dst.Nanos, src.Nanos, sel)
		}
	case Floats:
		take(dst.Floats, src.Floats, sel)
	case Decs:
		take(dst.Decs, src.Decs, sel)
	case Strs:
		take(dst.Strs, src.Strs, sel)
	case Lists, Maps:
		take(dst.Spans, src.Spans, sel)
	case Rows:
		for f, field := range src.Fields {
			if field == nil {
				dst.Fields[f] = nil
				continue
			}
			if dst.Fields[f] == nil {
				dst.Fields[f] = New(field.Type)
			}
			Gather(dst.Fields[f], field, sel)
		}
	case Nothing:
	}
}

func gatherNulls(dst, src *Vector, sel []int32) {
	for i, s := range sel {
		if s < 0 || src.anyNull && src.nulls.Get(int(s)) {
			dst.SetNull(i)
		}
	}
}

func take[T any](dst, src []T, sel []int32) {
	for i, s := range sel {
		if s >= 0 {
			dst[i] = src[s]
		}
	}
}

// AppendRow adds row i of src to v, copying what it refers to.
func (v *Vector) AppendRow(src *Vector, i int) { v.Append(src.Value(i)) }

// Scatter sets the rows of dst that sel names to src's rows, in order.
func Scatter(dst, src *Vector, sel []int32) {
	for i, s := range sel {
		CopyRow(dst, int(s), src, i)
	}
}

// CopyRow sets row i of dst to row j of src, which is of the same layout. Text is shared.
func CopyRow(dst *Vector, i int, src *Vector, j int) {
	if src.IsNull(j) {
		dst.SetNull(i)
		return
	}
	dst.SetNotNull(i)
	switch LayoutOf(dst.Type) {
	case Bools:
		dst.Bools[i] = src.Bools[j]
	case Ints:
		dst.Ints[i] = src.Ints[j]
	case Times:
		dst.SetTime(i, src.Time(j))
	case Floats:
		dst.Floats[i] = src.Floats[j]
	case Decs:
		dst.Decs[i] = src.Decs[j]
	case Strs:
		dst.Strs[i] = src.Strs[j]
	case Lists, Maps, Rows:
		dst.Set(i, src.Value(j))
	case Nothing:
	}
}
