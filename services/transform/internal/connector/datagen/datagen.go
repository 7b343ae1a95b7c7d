// Package datagen is the connector that makes rows up: random values, or numbers
// that count up.
package datagen

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/datum"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

const (
	maxRows       = 4096
	emitEvery     = 100 * time.Millisecond
	defaultLength = 100
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
		Bounded: func(o *connector.Options) bool { return o.Has("number-of-rows") },
	}
}

func check(t *plan.Table, o *connector.Options) error {
	for key := range o.Under("fields.") {
		name, option, ok := cutLast(key)
		known := false
		for _, f := range t.Physical {
			known = known || f.Name == name
		}
		switch {
		case !ok || !known:
			return o.Wrong("fields."+key, "the table has no such column")
		case !slices.Contains(fieldOptions(), option):
			return o.Wrong("fields."+key, "is not known: "+strings.Join(fieldOptions(), ", "))
		}
	}
	return nil
}

func fieldOptions() []string {
	return []string{"kind", "min", "max", "length", "start", "end", "max-past", "null-rate", "var-len"}
}

func cutLast(s string) (before, after string, ok bool) {
	at := strings.LastIndexByte(s, '.')
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+1:], true
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
		g, err := newGenerator(env, c.Name, c.Type, o)
		if err != nil {
			return nil, err
		}
		if g.sequence {
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

// generator makes the values of one column.
type generator struct {
	vec        *column.Vector
	sequence   bool
	start, end int64
	low, high  float64
	length     int
	varying    bool
	past       time.Duration
	nulls      float64
	now        func() time.Time
}

func newGenerator(env connector.Env, name string, t types.Type, o *connector.Options) (*generator, error) {
	p := "fields." + name + "."
	g := &generator{vec: column.New(t), length: defaultLength, now: env.Now, low: math.NaN(), high: math.NaN()}
	switch kind := o.Text(p + "kind"); kind {
	case "", "random":
	case "sequence":
		g.sequence, g.start, g.end = true, o.Int(p+"start"), o.Int(p+"end")
		if !o.Has(p+"start") || !o.Has(p+"end") {
			return nil, o.Wrong(p+"kind", "a sequence needs 'start' and 'end'")
		}
		return g, nil
	default:
		return nil, o.Wrong(p+"kind", fmt.Sprintf("%q is not one of random, sequence", kind))
	}
	for key, to := range map[string]*float64{"min": &g.low, "max": &g.high, "null-rate": &g.nulls} {
		if o.Has(p + key) {
			f, err := strconv.ParseFloat(o.Text(p+key), 64)
			if err != nil {
				return nil, o.Wrong(p+key, "is not a number")
			}
			*to = f
		}
	}
	if o.Has(p + "length") {
		g.length = int(o.Int(p + "length"))
	}
	g.varying = o.Bool(p + "var-len")
	var err error
	if g.past, err = connector.ParseDuration(o.Text(p + "max-past")); err != nil {
		return nil, o.Wrong(p+"max-past", err.Error())
	}
	return g, nil
}

func (g *generator) column(first int64, n int) *column.Vector {
	g.vec.Reset(n)
	for i := range n {
		if g.nulls > 0 && rand.Float64() < g.nulls { //nolint:gosec // made-up rows
			g.vec.SetNull(i)
			continue
		}
		if g.sequence {
			g.number(g.vec, i, float64(g.start+first+int64(i)))
			continue
		}
		g.random(g.vec, i)
	}
	return g.vec
}

func (g *generator) number(v *column.Vector, i int, f float64) {
	switch column.LayoutOf(v.Type) {
	case column.Ints:
		v.Ints[i] = int64(f)
	case column.Floats:
		v.Floats[i] = f
	case column.Decs:
		v.Decs[i] = datum.Rescale(big.NewInt(int64(f)), 0, v.Type.Scale)
	case column.Strs:
		v.Strs[i] = strconv.FormatInt(int64(f), 10)
	default:
		v.SetNull(i)
	}
}

func (g *generator) within(low, high float64) float64 {
	if !math.IsNaN(g.low) {
		low = g.low
	}
	if !math.IsNaN(g.high) {
		high = g.high
	}
	return low + rand.Float64()*(high-low) //nolint:gosec // made-up rows
}

func (g *generator) random(v *column.Vector, i int) {
	switch column.LayoutOf(v.Type) {
	case column.Bools:
		v.Bools[i] = rand.IntN(2) == 1 //nolint:gosec // made-up rows
	case column.Ints:
		low, high := intRange(v.Type.Kind)
		v.Ints[i] = int64(g.within(low, high))
	case column.Floats:
		v.Floats[i] = g.within(0, math.MaxFloat32)
	case column.Decs:
		limit := math.Pow10(v.Type.Precision-v.Type.Scale) - 1
		v.Decs[i] = datum.Rescale(big.NewInt(int64(g.within(0, math.Min(limit, 1e15)))), 0, v.Type.Scale)
	case column.Times:
		past := int64(0)
		if g.past > 0 {
			past = rand.Int64N(g.past.Milliseconds() + 1) //nolint:gosec // made-up rows
		}
		v.SetTime(i, types.TimestampValue{Millis: g.now().UnixMilli() - past})
	case column.Strs:
		g.text(v, i)
	case column.Rows:
		for _, f := range v.Fields {
			if f != nil {
				g.random(f, i)
			}
		}
	default:
		v.SetNull(i)
	}
}

func intRange(k types.Kind) (low, high float64) {
	switch k {
	case types.TinyInt:
		return math.MinInt8, math.MaxInt8
	case types.SmallInt:
		return math.MinInt16, math.MaxInt16
	case types.Int:
		return math.MinInt32, math.MaxInt32
	case types.Date:
		return 0, 20_000
	case types.Time:
		return 0, datum.MillisPerDay - 1
	default:
		return math.MinInt64 / 2, math.MaxInt64 / 2
	}
}

func (g *generator) text(v *column.Vector, i int) {
	const digits = "0123456789abcdef"
	n := min(v.Type.Length, g.length)
	if g.varying && n > 1 {
		n = 1 + rand.IntN(n) //nolint:gosec // made-up rows
	}
	scratch := v.Scratch()
	at := len(scratch)
	for range n {
		scratch = append(scratch, digits[rand.IntN(len(digits))]) //nolint:gosec // made-up rows
	}
	v.Keep(i, scratch, at)
}
