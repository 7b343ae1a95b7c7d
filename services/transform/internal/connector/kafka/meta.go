package kafka

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// metaKind is what a metadata column must be declared as.
type metaKind struct {
	layouts  []column.Layout
	typ      string
	writable bool
}

// metadataKinds returns the metadata of a record by its key.
func metadataKinds() map[string]metaKind {
	text, number := []column.Layout{column.Strs}, []column.Layout{column.Ints}
	return map[string]metaKind{
		"topic": {text, "STRING", true}, "partition": {number, "INT", false}, "offset": {number, "BIGINT", false},
		"leader-epoch": {number, "INT", false}, "timestamp-type": {text, "STRING", false},
		"timestamp": {[]column.Layout{column.Times}, "TIMESTAMP_LTZ(3)", true},
		"headers":   {[]column.Layout{column.Maps}, "MAP<STRING, BYTES>", true},
	}
}

// checkMeta says why a column cannot be a piece of metadata.
func checkMeta(table, key string, t types.Type) error {
	kinds := metadataKinds()
	k, ok := kinds[key]
	if !ok {
		var names []string
		for name := range kinds {
			names = append(names, name)
		}
		slices.Sort(names)
		return fmt.Errorf("table %q: connector 'kafka' has no metadata '%s'; it has %s", table, key, strings.Join(names, ", "))
	}
	fits := slices.Contains(k.layouts, column.LayoutOf(t))
	if key == "headers" {
		fits = t.Kind == types.Map && column.LayoutOf(*t.Key) == column.Strs && column.LayoutOf(*t.Elem) == column.Strs
	}
	if k.typ == "STRING" {
		fits = t.Kind.IsCharacter()
	}
	if k.typ == "INT" || k.typ == "BIGINT" {
		fits = t.Kind.IsInteger()
	}
	if !fits {
		return fmt.Errorf("table %q: metadata '%s' is %s, not %s; declare it so and convert it in the query", table, key, k.typ, t)
	}
	return nil
}

func checkScan(scan *plan.Scan, _ *connector.Options) error {
	for _, c := range scan.Columns {
		if c.Metadata == "" {
			continue
		}
		if err := checkMeta(scan.Table.Name, c.Metadata, c.Type); err != nil {
			return err
		}
	}
	return nil
}

// metaColumns are the columns of a sink that become metadata; -1 without one.
type metaColumns struct{ topic, timestamp, headers int }

func metaOf(p *plan.Sink) (metaColumns, error) {
	m := metaColumns{-1, -1, -1}
	kinds := metadataKinds()
	fields := p.Input.Out().Fields
	for i, key := range p.Metadata {
		at := len(p.Table.Physical) + i
		if at < len(fields) {
			if err := checkMeta(p.Table.Name, key, fields[at].Type); err != nil {
				return m, err
			}
		}
		if k, ok := kinds[key]; !ok || !k.writable {
			return m, fmt.Errorf("table %q: metadata '%s' cannot be written; declare its column VIRTUAL", p.Table.Name, key)
		}
		switch key {
		case "topic":
			m.topic = at
		case "timestamp":
			m.timestamp = at
		default:
			m.headers = at
		}
	}
	return m, nil
}

// add gives the record added last its metadata.
func (m metaColumns) add(to *kafka.Records, b *column.Batch, i int) {
	if m.timestamp >= 0 && !b.Cols[m.timestamp].IsNull(i) {
		to.SetTime(b.Cols[m.timestamp].Time(i).Millis)
	}
	if m.headers < 0 || b.Cols[m.headers].IsNull(i) {
		return
	}
	v := b.Cols[m.headers]
	s := v.Spans[i]
	for k := int(s.Start); k < int(s.Start)+int(s.Len); k++ {
		if v.Key.IsNull(k) || b.Origin != nil && v.Key.Strs[k] == EventID {
			continue // the row has its own id
		}
		to.CloseHeader(append(to.OpenHeader(v.Key.Strs[k]), v.Elem.Strs[k]...))
	}
}

func setMetadata(v *column.Vector, row int, meta string, b records, i int) {
	r := b.Record(i)
	switch meta {
	case "topic":
		v.Strs[row] = r.Topic
	case "partition":
		v.Ints[row] = int64(r.Partition)
	case "offset":
		v.Ints[row] = r.Offset
	case "timestamp":
		v.SetTime(row, types.TimestampValue{Millis: r.TimestampMillis})
	case "timestamp-type":
		v.Strs[row] = "CreateTime"
		if r.LogAppendTime {
			v.Strs[row] = "LogAppendTime"
		}
	case "headers":
		var m column.MapValue
		for _, h := range b.Headers(i) {
			m.Keys, m.Values = append(m.Keys, h.Key), append(m.Values, string(h.Value))
		}
		v.Set(row, m)
	default:
		v.SetNull(row)
	}
}
