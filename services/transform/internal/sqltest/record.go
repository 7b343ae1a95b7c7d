package sqltest

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// The keys of a row that is a record.
const (
	keyOf       = "$key"
	valueOf     = "$value"
	timestampOf = "$timestamp"
	headersOf   = "$headers"
	partitionOf = "$partition"
)

// record is what a step puts into a table.
type record struct {
	kafka.Record
	headers []kafka.Header
}

// writer makes records for a table of what test files say.
type writer struct {
	table   *plan.Table
	format  string
	keyed   string // the format of keys
	keys    []string
	columns []string
	comma   string
}

func newWriter(t *plan.Table, o *connector.Options) *writer {
	w := &writer{table: t, format: o.Text("format"), keyed: o.Text("key.format"), keys: o.List("key.fields"), comma: ","}
	if w.format == "" {
		w.format = o.Text("value.format")
	}
	if o.Text("connector") == "upsert-kafka" {
		w.keys = t.PrimaryKey
	}
	for _, p := range []string{"csv.field-delimiter", "value.csv.field-delimiter"} {
		if o.Has(p) {
			w.comma = o.Text(p)
		}
	}
	for _, f := range t.Physical {
		if o.Enum("value.fields-include") != "EXCEPT_KEY" || !slices.Contains(w.keys, f.Name) {
			w.columns = append(w.columns, f.Name)
		}
	}
	return w
}

// record makes a record of a row.
func (w *writer) record(row any) (r record, err error) {
	m, ok := row.(map[string]any)
	if !ok || !isRecord(m) {
		if r.Value, err = w.encode(w.format, row, w.columns); err == nil && ok && len(w.keys) > 0 {
			r.Key, err = w.encode(w.keyed, pick(m, w.keys), w.keys)
		}
		return r, err
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		v := m[k]
		switch k {
		case valueOf:
			if v != nil {
				r.Value, err = w.encode(w.format, v, w.columns)
			}
		case keyOf:
			if v != nil {
				r.Key, err = w.encode(w.keyed, v, w.keys)
			}
		case timestampOf:
			at, bad := clockAt(fmt.Sprint(v))
			r.TimestampMillis, err = at.UnixMilli(), bad
		case partitionOf:
			_, err = fmt.Sscan(fmt.Sprint(v), &r.Partition)
		case headersOf:
			r.headers, err = headers(v)
		default:
			err = fmt.Errorf("a row with $… has %s, %s, %s, %s and %s, not %q", keyOf, valueOf, timestampOf, headersOf, partitionOf, k)
		}
		if err != nil {
			return r, err
		}
	}
	for _, h := range r.headers {
		if h.Key == "event-id" {
			r.Header = h.Value
		}
	}
	return r, nil
}

func isRecord(m map[string]any) bool {
	for k := range m {
		if slices.Contains([]string{keyOf, valueOf, timestampOf, headersOf, partitionOf}, k) {
			return true
		}
	}
	return false
}

func headers(v any) ([]kafka.Header, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("$headers must be a map")
	}
	var out []kafka.Header
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, kafka.Header{Key: k, Value: []byte(fmt.Sprint(m[k]))})
	}
	return out, nil
}

func pick(m map[string]any, names []string) map[string]any {
	out := make(map[string]any)
	for _, n := range names {
		out[n] = m[n]
	}
	return out
}

// encode renders what stands for a record in a format. A text is the record itself.
func (w *writer) encode(format string, v any, columns []string) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(v), nil
	case map[string]any:
		return w.fields(format, v, columns)
	case []any:
		return w.list(format, v, columns)
	default:
		return nil, fmt.Errorf("a row is a map of columns, a list of values or the text of a record, not %v", v)
	}
}

func (w *writer) fields(format string, m map[string]any, columns []string) ([]byte, error) {
	if format == "" || format == "json" {
		return json.Marshal(m) // what the table does not know is there as well, as it may be in a job
	}
	var list []any
	for name := range m {
		if !slices.Contains(columns, name) {
			return nil, fmt.Errorf("table %q has no column %q in its records; it has %s", w.table.Name, name, strings.Join(columns, ", "))
		}
	}
	for _, name := range columns {
		list = append(list, m[name])
	}
	return w.list(format, list, columns)
}

func (w *writer) list(format string, list []any, columns []string) ([]byte, error) {
	if format == "" || format == "json" {
		if len(list) > len(columns) {
			return nil, fmt.Errorf("a row has %d values, and table %q %d columns", len(list), w.table.Name, len(columns))
		}
		m := make(map[string]any)
		for i, v := range list {
			m[columns[i]] = v
		}
		return json.Marshal(m)
	}
	var texts []string
	for _, v := range list {
		if v == nil {
			texts = append(texts, "")
			continue
		}
		texts = append(texts, fmt.Sprint(v))
	}
	if format == "raw" {
		return []byte(strings.Join(texts, "")), nil
	}
	var b strings.Builder
	c := csv.NewWriter(&b)
	if r := []rune(w.comma); len(r) == 1 {
		c.Comma = r[0]
	}
	err := c.Write(texts)
	c.Flush()
	return []byte(strings.TrimSuffix(b.String(), "\n")), err
}
