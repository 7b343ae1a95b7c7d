package aggregate

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/format/json"
	"github.com/weirflow/weirflow/services/transform/internal/operator/pages"
	"github.com/weirflow/weirflow/services/transform/internal/operator/row"
)

// errSingle is the error of a scalar subquery with more than one row.
var errSingle = errors.New("the subquery gave more than one row")

// values are the encoded arguments of a group, in the order they came.
type values struct{ list []string }

// list is the functions that need all values of a group.
type list struct {
	v pages.List[*values]
	// finish appends the result; the list is not empty.
	finish func(list []string, dst *column.Vector) error
	// empty appends the result of no values; nil for NULL.
	empty   func(dst *column.Vector)
	scratch []byte
	// keep says which values are needed when nothing is taken back.
	keep keep
}

type keep uint8

const (
	keepAll keep = iota
	keepFirst
	keepLast
)

func (f *list) Grow(n int)       { f.v.Grow(n) }
func (f *list) Clear(slot int32) { *f.v.At(slot) = nil }

func (f *list) at(slot int32) *values {
	if *f.v.At(slot) == nil {
		*f.v.At(slot) = &values{}
	}
	return *f.v.At(slot)
}

func (f *list) encode(args []*column.Vector, i int) []byte {
	f.scratch = f.scratch[:0]
	for _, a := range args {
		f.scratch = row.AppendValue(f.scratch, a, i)
	}
	return f.scratch
}

func (f *list) Add(slot int32, args []*column.Vector, i int) {
	v := f.at(slot)
	switch {
	case f.keep == keepFirst && len(v.list) > 0:
	case f.keep == keepLast && len(v.list) > 0:
		v.list[0] = string(f.encode(args, i))
	default:
		v.list = append(v.list, string(f.encode(args, i)))
	}
}

func (f *list) Retract(slot int32, args []*column.Vector, i int) {
	v := f.at(slot)
	e := f.encode(args, i)
	for k, x := range v.list {
		if x == string(e) {
			v.list = slices.Delete(v.list, k, k+1)
			return
		}
	}
}

func (f *list) Merge(dst, src int32) {
	if *f.v.At(src) == nil {
		return
	}
	v := f.at(dst)
	switch {
	case f.keep == keepFirst && len(v.list) > 0:
	case f.keep == keepLast && len(v.list) > 0 && len((*f.v.At(src)).list) > 0:
		v.list[0] = (*f.v.At(src)).list[0]
	default:
		v.list = append(v.list, (*f.v.At(src)).list...)
	}
}

func (f *list) Append(slot int32, dst *column.Vector) error {
	if v := *f.v.At(slot); v != nil && len(v.list) > 0 {
		return f.finish(v.list, dst)
	}
	if f.empty != nil {
		f.empty(dst)
	} else {
		appendNull(dst)
	}
	return nil
}

func (f *list) Save(dst []byte, slot int32) []byte {
	v := *f.v.At(slot)
	if v == nil {
		return binary.AppendUvarint(dst, 0)
	}
	dst = binary.AppendUvarint(dst, uint64(len(v.list)))
	for _, x := range v.list {
		dst = row.AppendText(dst, x)
	}
	return dst
}

func (f *list) Load(slot int32, s string) (string, error) {
	n, s, err := row.Uvarint(s)
	if err != nil {
		return s, err
	}
	for range n {
		var x string
		if x, s, err = row.Text(s); err != nil {
			return s, err
		}
		f.at(slot).list = append(f.at(slot).list, x)
	}
	return s, nil
}

func finishFirst(list []string, dst *column.Vector) error { return appendValue(dst, list[0]) }

func finishLast(list []string, dst *column.Vector) error { return appendValue(dst, list[len(list)-1]) }

func finishSingle(list []string, dst *column.Vector) error {
	if len(list) > 1 {
		return errSingle
	}
	return appendValue(dst, list[0])
}

// finishArray is ARRAY_AGG.
func finishArray(list []string, dst *column.Vector) error {
	dst.Extend(1)
	start := dst.Elem.Len
	for _, x := range list {
		if _, err := row.DecodeValue(x, dst.Elem); err != nil {
			return err
		}
	}
	dst.Spans[dst.Len-1] = column.Span{Start: int32(start), Len: int32(len(list))}
	return nil
}

// finishCollect is COLLECT: each value once, with its number.
func finishCollect(list []string, dst *column.Vector) error {
	dst.Extend(1)
	start := dst.Elem.Len
	at := make(map[string]int, len(list))
	for _, x := range list {
		if k, ok := at[x]; ok {
			dst.Elem.Ints[k]++
			continue
		}
		at[x] = dst.Elem.Len
		if _, err := row.DecodeValue(x, dst.Key); err != nil {
			return err
		}
		appendInt(dst.Elem, 1)
	}
	dst.Spans[dst.Len-1] = column.Span{Start: int32(start), Len: int32(dst.Elem.Len - start)}
	return nil
}

func emptyCollection(dst *column.Vector) {
	dst.Extend(1)
	dst.Spans[dst.Len-1] = column.Span{}
}

// finishListagg joins texts; every entry holds the text and, if the call has one, the separator.
func finishListagg(separated bool) func(list []string, dst *column.Vector) error {
	return func(list []string, dst *column.Vector) error {
		var b strings.Builder
		for k, x := range list {
			text, separator, err := textAndMore(x)
			if err != nil {
				return err
			}
			if k > 0 {
				sep := ","
				if separated {
					if sep, _, err = textAndMore(separator); err != nil {
						return err
					}
				}
				b.WriteString(sep)
			}
			b.WriteString(text)
		}
		appendText(dst, b.String())
		return nil
	}
}

// textAndMore reads an encoded text; NULL is empty.
func textAndMore(x string) (text, rest string, err error) {
	if x == "" {
		return "", "", row.ErrDamaged
	}
	if x[0] == 0 {
		return "", x[1:], nil
	}
	return row.Text(x[1:])
}

func jsonEncoder() *json.Encoder {
	return json.NewEncoder(nil, json.Options{TimestampStandard: json.ISO8601, PlainDecimals: true, MapNullKeyMode: "LITERAL", MapNullKeyLiteral: "null"})
}

// jsonAgg is JSON_OBJECTAGG and JSON_ARRAYAGG: the element is decoded into elem.
type jsonAgg struct {
	elem *column.Vector
	enc  *json.Encoder
	null bool
}

func (j *jsonAgg) value(dst []byte, x string) ([]byte, error) {
	j.elem.Reset(0)
	if _, err := row.DecodeValue(x, j.elem); err != nil {
		return dst, err
	}
	return j.enc.AppendValue(dst, j.elem, 0)
}

func (j *jsonAgg) isNull(x string) bool { return x == "" || x[0] == 0 }

func (j *jsonAgg) array(list []string, dst *column.Vector) error {
	b := []byte{'['}
	for _, x := range list {
		if j.isNull(x) && !j.null {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		var err error
		if b, err = j.value(b, x); err != nil {
			return err
		}
	}
	appendText(dst, string(append(b, ']')))
	return nil
}

func (j *jsonAgg) object(list []string, dst *column.Vector) error {
	entries := make(map[string]string, len(list))
	for _, x := range list {
		key, rest, err := textAndMore(x)
		if err != nil {
			return err
		}
		if j.isNull(rest) && !j.null {
			continue
		}
		entries[key] = rest
	}
	keys := make([]string, 0, len(entries))
	for k := range entries {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b := []byte{'{'}
	for k, key := range keys {
		if k > 0 {
			b = append(b, ',')
		}
		b = append(json.AppendQuoted(b, key), ':')
		var err error
		if b, err = j.value(b, entries[key]); err != nil {
			return err
		}
	}
	appendText(dst, string(append(b, '}')))
	return nil
}
