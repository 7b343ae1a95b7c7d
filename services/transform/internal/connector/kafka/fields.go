package kafka

import (
	"strconv"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// layout tells which columns are in the key of a record, and which in its value.
type layout struct {
	// keys and values are indexes of physical columns, in the order of the record.
	keys, values []int
	// keyFields and valueFields are the same columns as the formats name them.
	keyFields, valueFields []types.Field
	// inKey says by physical column whether it is read from the key.
	inKey map[int]bool
}

// keyNames are the columns of the key: the primary key of an upsert-kafka table,
// and otherwise what key.fields says.
func keyNames(t *plan.Table, o *connector.Options) []string {
	if o.Text("connector") == upsertName {
		return t.PrimaryKey
	}
	return o.List("key.fields")
}

func layoutOf(t *plan.Table, o *connector.Options) (layout, error) {
	l := layout{inKey: make(map[int]bool)}
	prefix := o.Text("key.fields-prefix")
	exceptKey := o.Enum("value.fields-include") == "EXCEPT_KEY"
	if prefix != "" && !exceptKey {
		return l, o.Wrong("key.fields-prefix", "needs 'value.fields-include' = 'EXCEPT_KEY'")
	}
	isKey := make(map[int]bool)
	for _, name := range keyNames(t, o) {
		at := -1
		for i, f := range t.Physical {
			if f.Name == name {
				at = i
			}
		}
		if at < 0 {
			return l, o.Wrong("key.fields", "table has no column "+strconv.Quote(name))
		}
		if !strings.HasPrefix(name, prefix) {
			return l, o.Wrong("key.fields-prefix", "column "+strconv.Quote(name)+" does not begin with it")
		}
		f := t.Physical[at]
		f.Name = strings.TrimPrefix(name, prefix)
		l.keys, l.keyFields = append(l.keys, at), append(l.keyFields, f)
		isKey[at] = true
		l.inKey[at] = exceptKey || o.Text("connector") == upsertName
	}
	for i, f := range t.Physical {
		if !isKey[i] || !exceptKey {
			l.values, l.valueFields = append(l.values, i), append(l.valueFields, f)
		}
	}
	return l, nil
}
