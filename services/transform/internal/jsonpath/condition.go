package jsonpath

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// condition is a filter such as (@.price < 10) or (@.name): a path from the
// element, compared with a constant, or only asked for.
type condition struct {
	path  *Path
	op    string
	value *Value
}

func parseCondition(s string) (*condition, error) {
	s = strings.TrimSpace(s)
	if !strings.HasPrefix(s, "(") || !strings.HasSuffix(s, ")") {
		return nil, errors.New("a filter must be like ?(@.name == 1)")
	}
	s = strings.TrimSpace(s[1 : len(s)-1])
	if strings.Contains(s, "&&") || strings.Contains(s, "||") {
		return nil, errors.New("a filter may hold one comparison only")
	}
	c := &condition{}
	left := s
	for _, op := range []string{"==", "!=", "<=", ">=", "<", ">"} {
		if at := strings.Index(s, op); at >= 0 {
			left, c.op = strings.TrimSpace(s[:at]), op
			text := strings.TrimSpace(s[at+len(op):])
			if len(text) >= 2 && text[0] == '\'' && text[len(text)-1] == '\'' {
				text = strconv.Quote(text[1 : len(text)-1])
			}
			v, err := Parse(text)
			if err != nil || !v.Scalar() {
				return nil, fmt.Errorf("%q is not a constant", text)
			}
			c.value = v
			break
		}
	}
	if !strings.HasPrefix(left, "@") {
		return nil, errors.New("a filter must begin with @")
	}
	c.path = &Path{}
	return c, c.path.compile(left[1:])
}

func (c *condition) holds(v *Value) bool {
	found, err := c.path.Find(v)
	if err != nil || found == nil {
		return false
	}
	if c.op == "" {
		return true
	}
	order, ok := compare(found, c.value)
	switch c.op {
	case "==":
		return ok && order == 0
	case "!=":
		return !ok || order != 0
	case "<":
		return ok && order < 0
	case "<=":
		return ok && order <= 0
	case ">":
		return ok && order > 0
	default:
		return ok && order >= 0
	}
}

func compare(a, b *Value) (order int, ok bool) {
	if a.Kind != b.Kind {
		return 0, false
	}
	if a.Kind != Number {
		return strings.Compare(a.Text, b.Text), true
	}
	x, err1 := strconv.ParseFloat(a.Text, 64)
	y, err2 := strconv.ParseFloat(b.Text, 64)
	switch {
	case err1 != nil || err2 != nil:
		return 0, false
	case x < y:
		return -1, true
	case x > y:
		return 1, true
	default:
		return 0, true
	}
}
