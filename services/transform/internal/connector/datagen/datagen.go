// Package datagen is the connector that makes rows up: random values, or numbers
// that count up.
package datagen

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

const (
	maxRows   = 4096
	emitEvery = 100 * time.Millisecond
)

// Factory makes sources of made-up rows.
func Factory() connector.Factory {
	return connector.Factory{
		Options: func(map[string]string) []connector.Option {
			return []connector.Option{
				{Key: "rows-per-second", Kind: connector.Int, Default: "10000"}, {Key: "number-of-rows", Kind: connector.Int},
				{Key: "scan.parallelism", Kind: connector.Int}, {Key: "fields.", Prefix: true},
			}
		},
		Check:   check,
		Source:  newSource,
		Bounded: bounded,
	}
}

// bounded reports whether the rows end: after a number of them, or with a sequence.
func bounded(o *connector.Options) bool {
	if o.Has("number-of-rows") {
		return true
	}
	for key, value := range o.Under("fields.") {
		if strings.HasSuffix(key, ".kind") && value == "sequence" {
			return true
		}
	}
	return false
}

// check makes the generators of all columns, so that what is wrong shows with the table.
func check(t *plan.Table, o *connector.Options) error {
	if o.Int("rows-per-second") < 1 {
		return o.Wrong("rows-per-second", "must be at least 1")
	}
	if o.Int("number-of-rows") < 0 {
		return o.Wrong("number-of-rows", "must not be negative")
	}
	used := make(map[string]bool)
	for _, f := range t.Physical {
		if _, err := newGenerator(time.Now, f.Name, f.Type, o, used); err != nil {
			return err
		}
	}
	for key := range o.Under("fields.") {
		if !used[key] {
			return o.Wrong("fields."+key, "is no option of a column of the table; there are "+strings.Join(fieldOptions(), ", ")+
				" behind the column's name, and 'element', 'key', 'value' or the name of a field for what is within a column")
		}
	}
	return nil
}

func fieldOptions() []string {
	return []string{"kind", "min", "max", "max-past", "length", "var-len", "null-rate", "start", "end"}
}

type source struct {
	env    connector.Env
	table  string
	rate   int64
	total  int64 // -1 for no end
	fields []*generator
}

func newSource(env connector.Env, scan *plan.Scan, o *connector.Options) (connector.Source, error) {
	s := &source{env: env, table: scan.Table.Name, rate: max(1, o.Int("rows-per-second")), total: -1}
	if o.Has("number-of-rows") {
		s.total = o.Int("number-of-rows")
	}
	for _, c := range scan.Columns {
		if c.Metadata != "" {
			return nil, fmt.Errorf("table %q: connector 'datagen' has no metadata", scan.Table.Name)
		}
		g, err := newGenerator(env.Now, c.Name, c.Type, o, nil)
		if err != nil {
			return nil, err
		}
		if g.kind == sequence {
			if count := g.end - g.start + 1; s.total < 0 || count < s.total {
				s.total = count
			}
		}
		s.fields = append(s.fields, g)
	}
	return s, nil
}

// origin numbers the rows.
type origin struct {
	table string
	first int64
}

// AppendEventID appends table and row number.
func (o origin) AppendEventID(b []byte, i int) []byte {
	return strconv.AppendInt(append(append(b, o.table...), '#'), o.first+int64(i), 10)
}

// Partition is always the only one.
func (o origin) Partition(int) int { return 0 }

// Describe names the row.
func (o origin) Describe(i int) string { return fmt.Sprintf("row %d of %q", o.first+int64(i), o.table) }

// EventMillis is not known.
func (o origin) EventMillis(int) int64 { return 0 }

// Run makes rows at the rate that is asked for.
func (s *source) Run(ctx context.Context, from []connector.Position, emit func(connector.Chunk) error) error {
	var next int64
	for _, p := range from {
		next = p.Offset
	}
	began, first := time.Now(), next
	for s.total < 0 || next < s.total {
		due := first + int64(time.Since(began).Seconds()*float64(s.rate)) + max(1, s.rate/10)
		n := min(due-next, maxRows)
		if s.total >= 0 {
			n = min(n, s.total-next)
		}
		if n <= 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(emitEvery):
			}
			continue
		}
		b := &column.Batch{Len: int(n), Origin: origin{s.table, next}}
		for _, g := range s.fields {
			b.Cols = append(b.Cols, g.column(next, int(n)))
		}
		next += n
		released := make(chan struct{})
		err := emit(connector.Chunk{Batch: b, Records: int(n), Positions: []connector.Position{{Topic: s.table, Offset: next}}, Release: func() { close(released) }})
		if err != nil {
			return err
		}
		select {
		case <-released:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
