package document

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/weirflow/weirflow/services/platform/event"
)

// Header is what the rendered event says of its maker.
type Header struct {
	Beat, Version string
}

// AppendJSON appends the event as Filebeat writes it, members in order.
func (e *Event) AppendJSON(dst []byte, h Header) []byte {
	dst = append(dst, `{"@timestamp":"`...)
	dst = event.AppendTimestamp(dst, e.Timestamp.UnixMilli())
	dst = append(dst, `","@metadata":{"beat":`...)
	dst = event.AppendString(dst, h.Beat)
	dst = append(dst, `,"type":"_doc","version":`...)
	dst = event.AppendString(dst, h.Version)
	for _, k := range Keys(e.Meta) {
		if k == "beat" || k == "type" || k == "version" {
			continue
		}
		dst = appendMember(dst, k, e.Meta[k], true)
	}
	dst = append(dst, '}')
	for _, k := range Keys(e.Fields) {
		if k == "@timestamp" || k == "@metadata" {
			continue
		}
		dst = appendMember(dst, k, e.Fields[k], true)
	}
	return append(dst, '}')
}

func appendMember(dst []byte, k string, v any, comma bool) []byte {
	if comma {
		dst = append(dst, ',')
	}
	dst = event.AppendString(dst, k)
	dst = append(dst, ':')
	return AppendValue(dst, v)
}

// AppendValue appends a value. Numbers have the form that Filebeat gives them.
func AppendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case string:
		return event.AppendString(dst, v)
	case bool:
		return strconv.AppendBool(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case int32:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case uint64:
		return strconv.AppendUint(dst, v, 10)
	case float32:
		return appendFloat(dst, float64(v), 32)
	case float64:
		return appendFloat(dst, v, 64)
	case time.Time:
		dst = append(dst, '"')
		dst = event.AppendTimestamp(dst, v.UnixMilli())
		return append(dst, '"')
	case Map:
		return appendMap(dst, v)
	case []any:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendValue(dst, item)
		}
		return append(dst, ']')
	case []string:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = event.AppendString(dst, item)
		}
		return append(dst, ']')
	default:
		return event.AppendString(dst, fmt.Sprint(v))
	}
}

func appendMap(dst []byte, m Map) []byte {
	dst = append(dst, '{')
	for i, k := range Keys(m) {
		dst = appendMember(dst, k, m[k], i > 0)
	}
	return append(dst, '}')
}

func appendFloat(dst []byte, f float64, bits int) []byte {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return append(dst, "null"...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, bits)
}
