//go:build integration

package differential

import (
	"context"
	"fmt"
	"strings"
)

// answer is what one side says of an expression.
type answer struct {
	typ  string
	rows map[string]string // by id; NULL is not in it
	ids  int
	err  string
}

// batch is the statement for some expressions: for each its value, for the
// type, and its text.
func batch(exprs []string) string {
	var b strings.Builder
	b.WriteString("SELECT id")
	for i, e := range exprs {
		fmt.Fprintf(&b, ",\n (%s) AS v%d, CAST((%s) AS STRING) AS c%d", e, i, e, i)
	}
	b.WriteString("\nFROM t")
	return b.String()
}

// evaluate asks for all expressions at once, and for halves of them when that is
// refused, down to the one that is the cause.
func evaluate(ctx context.Context, exprs []string, run func(context.Context, string) (*result, error)) ([]answer, error) {
	r, err := run(ctx, batch(exprs))
	if err == nil {
		return answers(r, len(exprs)), nil
	}
	if ctx.Err() != nil {
		return nil, err
	}
	if len(exprs) == 1 {
		return []answer{{err: err.Error()}}, nil
	}
	first, err := evaluate(ctx, exprs[:len(exprs)/2], run)
	if err != nil {
		return nil, err
	}
	second, err := evaluate(ctx, exprs[len(exprs)/2:], run)
	return append(first, second...), err
}

func answers(r *result, n int) []answer {
	out := make([]answer, n)
	for i := range out {
		out[i] = answer{typ: typeOf(r, 1+2*i), rows: make(map[string]string), ids: len(r.changes)}
		for _, c := range r.changes {
			if s, ok := c.Row[2+2*i].(string); ok {
				out[i].rows[fmt.Sprint(c.Row[0])] = s
			}
		}
	}
	return out
}

func typeOf(r *result, i int) string {
	if i >= len(r.columns) {
		return ""
	}
	return r.columns[i].Type
}

// difference says in what two answers differ: "" for nothing, else the kind and
// a text with both sides.
func difference(flink, ours answer) (kind, text string) {
	switch {
	case flink.err != "" && ours.err != "":
		return "", ""
	case flink.err != "":
		return "we accept", fmt.Sprintf("  flink error %s\n  ours  %s %v", brief(flink.err), ours.typ, ours.rows)
	case ours.err != "":
		return "we refuse", fmt.Sprintf("  flink %s %v\n  ours  error %s", flink.typ, flink.rows, brief(ours.err))
	}
	var rows strings.Builder
	for id := range union(flink.rows, ours.rows) {
		f, fok := flink.rows[id]
		o, ook := ours.rows[id]
		if f != o || fok != ook {
			kind = "value"
			fmt.Fprintf(&rows, "  row %s: flink %s, ours %s\n", id, shown(f, fok), shown(o, ook))
		}
	}
	if kind == "" && plainType(flink.typ) != plainType(ours.typ) {
		return "type", fmt.Sprintf("  flink %s, ours %s", flink.typ, ours.typ)
	}
	return kind, strings.TrimSuffix(rows.String(), "\n")
}

func shown(s string, ok bool) string {
	if !ok {
		return "NULL"
	}
	return fmt.Sprintf("%q", s)
}

func union(a, b map[string]string) map[string]bool {
	out := make(map[string]bool)
	for k := range a {
		out[k] = true
	}
	for k := range b {
		out[k] = true
	}
	return out
}

func brief(s string) string {
	if len(s) > 300 {
		return s[:300] + "…"
	}
	return s
}

// plainType drops nullability and blanks.
func plainType(s string) string {
	s = strings.ReplaceAll(strings.ToUpper(s), " NOT NULL", "")
	s = strings.ReplaceAll(s, " ", "")
	for name, plain := range map[string]string{"INTERVALMONTH": "INTERVAL_YEAR_MONTH", "INTERVALSECOND(3)": "INTERVAL_DAY_TIME"} {
		s = strings.ReplaceAll(s, name, plain)
	}
	return s
}
