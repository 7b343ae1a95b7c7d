package jsonpath

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Path is a compiled path such as $.a[1].b, $['a b'], $.list[*].x, $..name.
type Path struct {
	// Lax forgives what is missing.
	Lax   bool
	steps []step
	// many says that the path may find any number of values.
	many bool
}

type stepKind uint8

const (
	names stepKind = iota
	indexes
	slice
	wildcard
	deep
	filter
	call
)

type step struct {
	kind    stepKind
	names   []string
	indexes []int
	from    *int
	to      *int
	cond    *condition
	call    string // the function, such as length
	arg     int    // of index
}

// maxLength keeps brackets within brackets from going too deep.
const maxLength = 10_000

// ErrMissing says that there is nothing at a path.
var ErrMissing = errors.New("nothing is at this path")

// Compile reads a path with an optional mode, lax or strict, before it. Without a
// mode it is strict.
func Compile(s string) (*Path, error) {
	p := &Path{}
	if len(s) > maxLength {
		return nil, fmt.Errorf("a path has at most %d bytes", maxLength)
	}
	spec := strings.TrimSpace(s)
	if rest, ok := strings.CutPrefix(spec, "lax "); ok {
		p.Lax, spec = true, strings.TrimSpace(rest)
	} else if rest, ok := strings.CutPrefix(spec, "strict "); ok {
		spec = strings.TrimSpace(rest)
	}
	if !strings.HasPrefix(spec, "$") {
		return nil, fmt.Errorf("path %q must begin with $", s)
	}
	if err := p.compile(spec[1:]); err != nil {
		return nil, fmt.Errorf("path %q: %w", s, err)
	}
	return p, nil
}

func (p *Path) compile(s string) error {
	for s != "" {
		switch {
		case strings.HasPrefix(s, ".."):
			p.steps = append(p.steps, step{kind: deep})
			p.many = true
			s = s[2:]
			if s == "" {
				return errors.New("a name is missing behind the two dots")
			}
			if s[0] != '[' {
				s = "." + s
			}
		case strings.HasPrefix(s, ".*"):
			p.steps = append(p.steps, step{kind: wildcard})
			p.many = true
			s = s[2:]
		case s[0] == '.':
			end := strings.IndexAny(s[1:], ".[")
			if end < 0 {
				end = len(s) - 1
			}
			if end == 0 {
				return errors.New("a name is missing behind the dot")
			}
			name := s[1 : 1+end]
			s = s[1+end:]
			if strings.HasSuffix(name, ")") && strings.Contains(name, "(") {
				if err := p.function(name); err != nil {
					return err
				}
				continue
			}
			p.steps = append(p.steps, step{kind: names, names: []string{name}})
		case s[0] == '[':
			rest, err := p.bracket(s[1:])
			if err != nil {
				return err
			}
			s = rest
		default:
			return fmt.Errorf("unexpected %q", s[:1])
		}
	}
	return nil
}

// bracket reads what is behind [, up to and including the closing bracket.
func (p *Path) bracket(s string) (string, error) {
	inner, rest, err := closing(s)
	if err != nil {
		return "", err
	}
	inner = strings.TrimSpace(inner)
	switch {
	case inner == "*":
		p.many = true
		p.steps = append(p.steps, step{kind: wildcard})
	case strings.HasPrefix(inner, "?"):
		c, err := parseCondition(inner[1:])
		if err != nil {
			return "", err
		}
		p.many = true
		p.steps = append(p.steps, step{kind: filter, cond: c})
	case inner == "":
		return "", errors.New("nothing is between the brackets")
	case inner[0] == '\'' || inner[0] == '"':
		list, err := quotedNames(inner)
		if err != nil {
			return "", err
		}
		p.steps = append(p.steps, step{kind: names, names: list})
	case strings.Contains(inner, ":"):
		from, to, err := bounds(inner)
		if err != nil {
			return "", err
		}
		p.many = true
		p.steps = append(p.steps, step{kind: slice, from: from, to: to})
	default:
		st := step{kind: indexes}
		for part := range strings.SplitSeq(inner, ",") {
			n, err := strconv.Atoi(strings.TrimSpace(part))
			if err != nil {
				return "", fmt.Errorf("%q is not an index", part)
			}
			st.indexes = append(st.indexes, n)
		}
		p.many = p.many || len(st.indexes) > 1
		p.steps = append(p.steps, st)
	}
	return rest, nil
}

// closing finds the bracket that closes, outside of quotes.
func closing(s string) (inner, rest string, err error) {
	var quote byte
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			switch c {
			case '\\':
				i++
			case quote:
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '[':
			depth++
		case c == ']' && depth > 0:
			depth--
		case c == ']':
			return s[:i], s[i+1:], nil
		}
	}
	return "", "", errors.New("a bracket is not closed")
}

func quotedNames(s string) ([]string, error) {
	var list []string
	for {
		s = strings.TrimSpace(s)
		if s == "" || s[0] != '\'' && s[0] != '"' {
			return nil, errors.New("a quoted name is missing")
		}
		var b strings.Builder
		i := 1
		for ; i < len(s) && s[i] != s[0]; i++ {
			if s[i] == '\\' && i+1 < len(s) {
				i++
			}
			b.WriteByte(s[i])
		}
		if i >= len(s) {
			return nil, errors.New("a quote is not closed")
		}
		list = append(list, b.String())
		s = strings.TrimSpace(s[i+1:])
		if s == "" {
			return list, nil
		}
		if s[0] != ',' {
			return nil, errors.New("a comma is missing")
		}
		s = s[1:]
	}
}

func bounds(s string) (from, to *int, err error) {
	left, right, _ := strings.Cut(s, ":")
	for _, side := range []struct {
		text string
		into **int
	}{{left, &from}, {right, &to}} {
		if text := strings.TrimSpace(side.text); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil {
				return nil, nil, fmt.Errorf("%q is not an index", text)
			}
			*side.into = &n
		}
	}
	return from, to, nil
}

// Find returns what is at the path. A path that may find many values gives an
// array. With a lax path a missing value is nil; with a strict one ErrMissing.
func (p *Path) Find(v *Value) (*Value, error) { return p.FindIn(v, v) }

// FindIn is Find from a value within a document, to whose root filters may refer.
func (p *Path) FindIn(v, root *Value) (*Value, error) {
	found := []*Value{v}
	many := false
	for _, s := range p.steps {
		if !many && !s.fits(found[0]) {
			if p.Lax {
				return nil, nil
			}
			return nil, ErrMissing
		}
		many = many || s.kind != names && s.kind != indexes && s.kind != call || len(s.indexes) > 1
		var next []*Value
		for _, x := range found {
			next = s.apply(next, x, root)
		}
		if len(next) == 0 && !many {
			if p.Lax {
				return nil, nil
			}
			return nil, ErrMissing
		}
		found = next
	}
	if p.many {
		return &Value{Kind: Array, Elems: found}, nil
	}
	return found[0], nil
}

func (s *step) apply(to []*Value, v, root *Value) []*Value {
	switch s.kind {
	case names:
		if len(s.names) > 1 {
			return s.part(to, v)
		}
		for _, name := range s.names {
			if e := v.member(name); e != nil {
				to = append(to, e)
			}
		}
	case indexes:
		for _, i := range s.indexes {
			if i < 0 {
				i += len(v.Elems)
			}
			if v.Kind == Array && i >= 0 && i < len(v.Elems) {
				to = append(to, v.Elems[i])
			}
		}
	case slice:
		if v.Kind == Array {
			from, end := clamp(s.from, 0, len(v.Elems)), clamp(s.to, len(v.Elems), len(v.Elems))
			if from < end {
				to = append(to, v.Elems[from:end]...)
			}
		}
	case wildcard:
		if !v.Scalar() {
			to = append(to, v.Elems...)
		}
	case deep:
		to = append(to, v)
		for _, e := range v.Elems {
			to = s.apply(to, e, root)
		}
	case filter:
		switch {
		case v.Kind == Array:
			for _, e := range v.Elems {
				if s.cond.holds(e, root) {
					to = append(to, e)
				}
			}
		case v.Kind == Object && s.cond.holds(v, root):
			to = append(to, v)
		}
	case call:
		if e := s.result(v); e != nil {
			to = append(to, e)
		}
	}
	return to
}

// fits reports whether a step can go on from the one value that there is.
func (s *step) fits(v *Value) bool {
	switch s.kind {
	case indexes, slice:
		return v.Kind == Array
	case filter:
		return !v.Scalar()
	case names:
		return v.Kind == Object
	}
	return true
}

// part appends an object with those members that several names are of.
func (s *step) part(to []*Value, v *Value) []*Value {
	if v.Kind != Object {
		return to
	}
	out := &Value{Kind: Object}
	for _, name := range s.names {
		if e := v.member(name); e != nil {
			out.Keys, out.Elems = append(out.Keys, name), append(out.Elems, e)
		}
	}
	return append(to, out)
}

func clamp(i *int, otherwise, n int) int {
	if i == nil {
		return otherwise
	}
	if *i < 0 {
		return max(0, *i+n)
	}
	return min(*i, n)
}

func (v *Value) member(name string) *Value {
	if v.Kind != Object {
		return nil
	}
	for i, k := range v.Keys {
		if k == name {
			return v.Elems[i]
		}
	}
	return nil
}
