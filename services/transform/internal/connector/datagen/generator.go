package datagen

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/datum"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

const (
	random   = "random"
	sequence = "sequence"

	textLength       = 100
	collectionLength = 3
	maxLength        = 1 << 20
)

// generator makes the values of one column, or of a part of it.
type generator struct {
	typ        types.Type
	vec        *column.Vector // of a column
	kind       string
	start, end int64
	low, high  int64   // of whole numbers
	from, to   float64 // of the others
	length     int
	varying    bool
	past       time.Duration
	nulls      float64
	now        func() time.Time
	parts      []*generator // of a ROW; element of an ARRAY or MULTISET; key and value of a MAP
}

// newGenerator makes the generator of a column, whose options begin with its name.
// It notes in used, if that is not nil, which options there may be.
func newGenerator(now func() time.Time, name string, t types.Type, o *connector.Options, used map[string]bool) (*generator, error) {
	g := &generator{typ: t, vec: column.New(t), now: now}
	return g, g.configure(name+".", o, used)
}

func (g *generator) configure(prefix string, o *connector.Options, used map[string]bool) error {
	if used != nil {
		for _, option := range fieldOptions() {
			used[prefix+option] = true
		}
	}
	key := func(option string) string { return "fields." + prefix + option }
	switch g.kind = o.Text(key("kind")); g.kind {
	case "":
		g.kind = random
	case random, sequence:
	default:
		return o.Wrong(key("kind"), fmt.Sprintf("%q is not one of random, sequence", g.kind))
	}
	if g.kind == sequence {
		return g.asSequence(key, o)
	}
	if o.Has(key("start")) || o.Has(key("end")) {
		return o.Wrong(key("kind"), "must be 'sequence' for 'start' and 'end'")
	}
	if err := g.limits(key, o); err != nil {
		return err
	}
	var err error
	if g.past, err = connector.ParseDuration(o.Text(key("max-past"))); err != nil {
		return o.Wrong(key("max-past"), err.Error())
	}
	if o.Has(key("null-rate")) {
		if g.nulls, err = strconv.ParseFloat(o.Text(key("null-rate")), 64); err != nil || !(g.nulls >= 0 && g.nulls <= 1) {
			return o.Wrong(key("null-rate"), "must be a number from 0 to 1")
		}
	}
	if err := g.lengths(key, o); err != nil {
		return err
	}
	return g.nested(prefix, o, used)
}

func (g *generator) asSequence(key func(string) string, o *connector.Options) error {
	var err error
	for option, to := range map[string]*int64{"start": &g.start, "end": &g.end} {
		if !o.Has(key(option)) {
			return o.Wrong(key(option), "is required with 'kind' = 'sequence'")
		}
		if *to, err = strconv.ParseInt(o.Text(key(option)), 10, 64); err != nil {
			return o.Wrong(key(option), "is no whole number")
		}
	}
	if g.end < g.start {
		return o.Wrong(key("end"), "is before 'start'")
	}
	if k := g.typ.Kind; !k.IsNumeric() && !k.IsCharacter() {
		return o.Wrong(key("kind"), fmt.Sprintf("a sequence cannot be %s: numbers and texts can", k))
	}
	return nil
}

// limits reads what numbers are between.
func (g *generator) limits(key func(string) string, o *connector.Options) error {
	g.low, g.high = wholeRange(g.typ.Kind)
	g.from, g.to = 0, math.MaxFloat32
	switch g.typ.Kind {
	case types.Double:
		g.to = math.MaxFloat64
	case types.Decimal:
		g.to = math.Pow10(g.typ.Precision-g.typ.Scale) - math.Pow10(-g.typ.Scale)
		g.from = -g.to
	}
	for _, option := range []string{"min", "max"} {
		if !o.Has(key(option)) {
			continue
		}
		text := o.Text(key(option))
		n, errWhole := strconv.ParseInt(text, 10, 64)
		f, err := strconv.ParseFloat(text, 64)
		whole := g.typ.Kind.IsInteger() || g.typ.Kind.IsInterval()
		switch {
		case whole && errWhole != nil, err != nil:
			return o.Wrong(key(option), fmt.Sprintf("%q is no %s", text, g.typ.Kind))
		case !whole && !g.typ.Kind.IsNumeric():
			return o.Wrong(key(option), fmt.Sprintf("is for numbers, and the column is %s", g.typ.Kind))
		case option == "min":
			g.low, g.from = n, f
		default:
			g.high, g.to = n, f
		}
	}
	if g.low > g.high || g.from > g.to {
		return o.Wrong(key("max"), "is less than 'min'")
	}
	return nil
}

func wholeRange(k types.Kind) (low, high int64) {
	switch k {
	case types.TinyInt:
		return math.MinInt8, math.MaxInt8
	case types.SmallInt:
		return math.MinInt16, math.MaxInt16
	case types.Int:
		return math.MinInt32, math.MaxInt32
	case types.IntervalYearMonth:
		return 0, 120_000
	default:
		return math.MinInt64, math.MaxInt64
	}
}

// lengths reads how long texts and collections are.
func (g *generator) lengths(key func(string) string, o *connector.Options) error {
	g.length = textLength
	if g.typ.Kind.IsCollection() {
		g.length = collectionLength
	}
	if o.Has(key("length")) {
		n, err := strconv.Atoi(o.Text(key("length")))
		if err != nil || n < 0 || n > maxLength {
			return o.Wrong(key("length"), fmt.Sprintf("must be a number from 0 to %d", maxLength))
		}
		g.length = n
	}
	switch column.LayoutOf(g.typ) {
	case column.Strs:
		if g.typ.Kind == types.Char || g.typ.Kind == types.Binary {
			g.length = g.typ.Length
		}
		g.length = min(g.length, g.typ.Length)
	case column.Lists, column.Maps:
	default:
		if o.Has(key("length")) {
			return o.Wrong(key("length"), "is for texts, bytes and collections")
		}
	}
	if g.varying = o.Bool(key("var-len")); g.varying && g.typ.Kind != types.Varchar && g.typ.Kind != types.Varbinary {
		return o.Wrong(key("var-len"), "is for STRING, VARCHAR, BYTES and VARBINARY")
	}
	return nil
}

// nested makes the generators of what is within a column.
func (g *generator) nested(prefix string, o *connector.Options, used map[string]bool) error {
	add := func(name string, t types.Type) error {
		part := &generator{typ: t, now: g.now}
		g.parts = append(g.parts, part)
		if err := part.configure(prefix+name+".", o, used); err != nil {
			return err
		}
		if part.kind == sequence {
			return o.Wrong("fields."+prefix+name+".kind", "must be 'random' within a column")
		}
		return nil
	}
	switch g.typ.Kind {
	case types.Array, types.Multiset:
		return add("element", *g.typ.Elem)
	case types.Map:
		if err := add("key", *g.typ.Key); err != nil {
			return err
		}
		return add("value", *g.typ.Elem)
	case types.Row:
		for _, f := range g.typ.Fields {
			if err := add(f.Name, f.Type); err != nil {
				return err
			}
		}
	default:
	}
	return nil
}

// column makes n values from the number first on.
func (g *generator) column(first int64, n int) *column.Vector {
	g.vec.Reset(n)
	for i := range n {
		if g.kind == sequence {
			g.vec.Set(i, g.number(g.start+first+int64(i)))
			continue
		}
		g.vec.Set(i, g.value())
	}
	return g.vec
}

// number is a number of a sequence as a value of the type.
func (g *generator) number(n int64) any {
	switch column.LayoutOf(g.typ) {
	case column.Floats:
		return float64(n)
	case column.Decs:
		return datum.Rescale(big.NewInt(n), 0, g.typ.Scale)
	case column.Strs:
		return strconv.FormatInt(n, 10)
	default:
		return n
	}
}

// value makes a random value.
func (g *generator) value() any {
	if g.nulls > 0 && rand.Float64() < g.nulls { //nolint:gosec // made-up rows
		return nil
	}
	switch column.LayoutOf(g.typ) {
	case column.Bools:
		return rand.IntN(2) == 1 //nolint:gosec // made-up rows
	case column.Ints:
		return g.whole()
	case column.Floats:
		f := g.from + rand.Float64()*(g.to-g.from) //nolint:gosec // made-up rows
		if g.typ.Kind == types.Float {
			return float64(float32(f))
		}
		return f
	case column.Decs:
		return g.decimal()
	case column.Times:
		return types.TimestampValue{Millis: g.now().UnixMilli() - g.ago()}
	case column.Strs:
		return g.text()
	default:
		return g.compound()
	}
}

func (g *generator) ago() int64 {
	if g.past <= 0 {
		return 0
	}
	return rand.Int64N(g.past.Milliseconds() + 1) //nolint:gosec // made-up rows
}

// whole makes a whole number; dates and times are those of now.
func (g *generator) whole() int64 {
	switch g.typ.Kind {
	case types.Date:
		days, _ := datum.Split(g.now().UnixMilli() - g.ago())
		return days
	case types.Time:
		_, ofDay := datum.Split(g.now().UnixMilli() - g.ago())
		return ofDay - ofDay%1000
	default:
	}
	span := uint64(g.high) - uint64(g.low) // wraps around as it should
	if span == math.MaxUint64 {
		return int64(rand.Uint64()) //nolint:gosec // made-up rows
	}
	return int64(uint64(g.low) + rand.Uint64N(span+1)) //nolint:gosec // made-up rows
}

func (g *generator) decimal() *big.Int {
	f := new(big.Float).SetFloat64(g.from + rand.Float64()*(g.to-g.from)) //nolint:gosec // made-up rows
	n, _ := f.Mul(f, new(big.Float).SetInt(datum.Pow10(g.typ.Scale))).Int(nil)
	if limit := new(big.Int).Sub(datum.Pow10(g.typ.Precision), big.NewInt(1)); n.CmpAbs(limit) > 0 {
		return limit
	}
	return n
}

// text makes hexadecimal digits, or bytes.
func (g *generator) text() string {
	const digits = "0123456789abcdef"
	n := g.length
	if g.varying && n > 1 {
		n = 1 + rand.IntN(n) //nolint:gosec // made-up rows
	}
	b := make([]byte, n)
	for i := range b {
		if g.typ.Kind.IsBinary() {
			b[i] = byte(rand.IntN(256)) //nolint:gosec // made-up rows
			continue
		}
		b[i] = digits[rand.IntN(len(digits))] //nolint:gosec // made-up rows
	}
	return string(b)
}

// compound makes a ROW or a collection.
func (g *generator) compound() any {
	switch g.typ.Kind {
	case types.Row:
		row := make([]any, len(g.parts))
		for i, p := range g.parts {
			row[i] = p.value()
		}
		return row
	case types.Array:
		list := make([]any, g.length)
		for i := range list {
			list[i] = g.parts[0].value()
		}
		return list
	case types.Map, types.Multiset:
		m := column.MapValue{}
		seen := make(map[any]bool, g.length)
		for range g.length {
			k := g.parts[0].value()
			if hashable(k) {
				if seen[k] {
					continue
				}
				seen[k] = true
			}
			m.Keys = append(m.Keys, k)
			if g.typ.Kind == types.Multiset {
				m.Values = append(m.Values, int64(1))
				continue
			}
			m.Values = append(m.Values, g.parts[1].value())
		}
		return m
	default:
		return nil
	}
}

// hashable reports whether a value can be a key of a map.
func hashable(v any) bool {
	switch v.(type) {
	case []any, column.MapValue, *big.Int:
		return false
	default:
		return true
	}
}
