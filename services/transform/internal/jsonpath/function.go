package jsonpath

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/datum"
)

// function adds a call at the end of a path, such as length() or index(1).
func (p *Path) function(text string) error {
	name, arg, _ := strings.Cut(strings.TrimSuffix(text, ")"), "(")
	s := step{kind: call, call: name}
	switch name {
	case "length", "size", "keys", "min", "max", "avg", "sum", "stddev", "first", "last", "concat":
		if strings.TrimSpace(arg) != "" {
			return fmt.Errorf("%s() takes nothing between its brackets", name)
		}
	case "index":
		n, err := strconv.Atoi(strings.TrimSpace(arg))
		if err != nil {
			return fmt.Errorf("%q is not an index", arg)
		}
		s.arg = n
	default:
		return fmt.Errorf("there is no function %s()", name)
	}
	p.steps = append(p.steps, s)
	return nil
}

// result is what a function gives for a value; nil for nothing.
func (s *step) result(v *Value) *Value {
	switch s.call {
	case "length", "size":
		if v.Scalar() {
			return nil
		}
		return &Value{Kind: Number, Text: strconv.Itoa(len(v.Elems))}
	case "keys":
		if v.Kind != Object {
			return nil
		}
		out := &Value{Kind: Array}
		for _, k := range v.Keys {
			out.Elems = append(out.Elems, &Value{Kind: String, Text: k})
		}
		return out
	}
	if v.Kind != Array {
		return nil
	}
	switch s.call {
	case "first", "last", "index":
		at := s.arg
		if s.call == "last" {
			at = -1
		}
		if at < 0 {
			at += len(v.Elems)
		}
		if at < 0 || at >= len(v.Elems) {
			return nil
		}
		return v.Elems[at]
	case "concat":
		var b strings.Builder
		for _, e := range v.Elems {
			if e.Scalar() {
				b.WriteString(e.Text)
			}
		}
		return &Value{Kind: String, Text: b.String()}
	}
	return statistic(s.call, v)
}

// statistic counts the numbers of an array; other elements are left out.
func statistic(name string, v *Value) *Value {
	least, most, sum, squares, n := math.Inf(1), math.Inf(-1), 0.0, 0.0, 0.0
	for _, e := range v.Elems {
		x, err := strconv.ParseFloat(e.Text, 64)
		if e.Kind != Number || err != nil {
			continue
		}
		least, most, sum, squares, n = min(least, x), max(most, x), sum+x, squares+x*x, n+1
	}
	if n == 0 {
		return nil
	}
	out := sum
	switch name {
	case "min":
		out = least
	case "max":
		out = most
	case "avg":
		out = sum / n
	case "stddev":
		out = math.Sqrt(squares/n - sum*sum/n/n)
	}
	return &Value{Kind: Number, Text: string(datum.AppendDouble(nil, out, 64))}
}
