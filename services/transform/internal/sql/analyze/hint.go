package analyze

import (
	"strconv"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/sql/ast"
	"github.com/weirflow/weirflow/services/transform/internal/sql/diag"
)

// queryHints are the hints that SELECT takes. Those about how Flink shares out
// work have no effect.
var queryHints = []string{"BROADCAST", "SHUFFLE_HASH", "SHUFFLE_MERGE", "NEST_LOOP", "LOOKUP", "STATE_TTL", "EARLY_FIRE", "OPTIONS"}

// checkHints refuses hints that are not known, and lifetimes that cannot be read.
func checkHints(hints []ast.Hint) error {
	for _, h := range hints {
		if indexOf(queryHints, h.Name) < 0 {
			return suggest(diag.At(h.Pos(), "the hint %s is not known", h.Name), h.Name, queryHints)
		}
		if h.Name != "STATE_TTL" {
			continue
		}
		for _, o := range h.Options {
			if _, ok := lifetime(o.Value); !ok {
				return diag.At(o.Pos(), "STATE_TTL of %q must be a duration such as '1 d' or '30 min', found '%s'", o.Key, o.Value)
			}
		}
	}
	return nil
}

// stateTTL is what the STATE_TTL hint says about a table by one of its names.
func (a *Analyzer) stateTTL(names ...string) *time.Duration {
	for _, h := range a.hints {
		if h.Name != "STATE_TTL" {
			continue
		}
		for _, o := range h.Options {
			for _, n := range names {
				if d, ok := lifetime(o.Value); ok && n != "" && o.Key == n {
					return &d
				}
			}
		}
	}
	return nil
}

// namesOf are the names by which a hint may call a table of FROM.
func namesOf(t ast.TableRef) []string {
	switch t := t.(type) {
	case *ast.Table:
		if t.Alias != nil {
			return []string{t.Alias.Name.Text}
		}
		return []string{t.Path.Last(), t.Path.String()}
	case *ast.Derived:
		if t.Alias != nil {
			return []string{t.Alias.Name.Text}
		}
	}
	return nil
}

// hintJoin gives a regular join the lifetimes of its sides.
func (a *Analyzer) hintJoin(n plan.Node, j *ast.Join) {
	if p, ok := n.(*plan.Project); ok {
		n = p.Input
	}
	if join, ok := n.(*plan.Join); ok {
		join.TTL = [2]*time.Duration{a.stateTTL(namesOf(j.L)...), a.stateTTL(namesOf(j.R)...)}
	}
}

// lifetime reads a duration as Flink writes it.
func lifetime(s string) (time.Duration, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
	n, err := strconv.ParseInt(s[:digits], 10, 64)
	if err != nil || n < 0 {
		return 0, false
	}
	unit := strings.TrimSpace(s[digits:])
	if len(unit) > 2 {
		unit = strings.TrimSuffix(unit, "s")
	}
	for _, u := range []struct {
		names string
		size  time.Duration
	}{
		{"d day", 24 * time.Hour}, {"h hour", time.Hour}, {"min m minute", time.Minute},
		{"s sec second", time.Second}, {"ms milli millisecond", time.Millisecond},
	} {
		if indexOf(strings.Fields(u.names), unit) < 0 {
			continue
		}
		if n > int64(1<<62)/int64(u.size) {
			return 0, false
		}
		return time.Duration(n) * u.size, true
	}
	return time.Duration(n) * time.Millisecond, unit == ""
}
