package jsonpath

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// condition is a filter such as @.price < 10 && (@.name || !@.old): comparisons
// joined by &&, || and !.
type condition struct {
	op          string // &&, ||, !, a comparison, or empty: there is something at left
	a, b        *condition
	left, right operand
	pattern     *regexp.Regexp // of =~
}

// operand is a path from the element, or from the root, or a constant.
type operand struct {
	path  *Path
	root  bool
	value *Value
	list  []*Value // of in and nin
}

// comparisons are longest first, so that none is taken for the beginning of another.
var comparisons = []string{"==", "!=", "<=", ">=", "=~", "<", ">", "nin ", "in "}

type filterParser struct {
	s     string
	depth int
}

func parseCondition(s string) (*condition, error) {
	s = strings.TrimSpace(s)
	if !strings.HasPrefix(s, "(") || !strings.HasSuffix(s, ")") {
		return nil, errors.New("a filter must be like ?(@.name == 1)")
	}
	p := &filterParser{s: s[1 : len(s)-1]}
	c, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.space(); p.s != "" {
		return nil, fmt.Errorf("unexpected %q in a filter", p.s)
	}
	return c, nil
}

func (p *filterParser) space() { p.s = strings.TrimLeft(p.s, " \t") }

func (p *filterParser) accept(what string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.s, what)
	if ok {
		p.s = rest
	}
	return ok
}

func (p *filterParser) or() (*condition, error) { return p.chain("||", p.and) }

func (p *filterParser) and() (*condition, error) { return p.chain("&&", p.not) }

func (p *filterParser) chain(op string, next func() (*condition, error)) (*condition, error) {
	if p.depth++; p.depth > 100 {
		return nil, errors.New("a filter is nested too deeply")
	}
	defer func() { p.depth-- }()
	c, err := next()
	for err == nil && p.accept(op) {
		var b *condition
		b, err = next()
		c = &condition{op: op, a: c, b: b}
	}
	return c, err
}

func (p *filterParser) not() (*condition, error) {
	p.space()
	switch {
	case !strings.HasPrefix(p.s, "!=") && p.accept("!"):
		if p.depth++; p.depth > 100 {
			return nil, errors.New("a filter is nested too deeply")
		}
		c, err := p.not()
		p.depth--
		return &condition{op: "!", a: c}, err
	case p.accept("("):
		c, err := p.or()
		if err == nil && !p.accept(")") {
			err = errors.New("a bracket of a filter is not closed")
		}
		return c, err
	}
	return p.comparison()
}

func (p *filterParser) comparison() (*condition, error) {
	c := &condition{}
	var err error
	if c.left, err = p.operand(); err != nil {
		return nil, err
	}
	for _, op := range comparisons {
		if !p.accept(op) {
			continue
		}
		c.op = strings.TrimSpace(op)
		switch c.op {
		case "=~":
			c.pattern, err = p.regex()
		default:
			c.right, err = p.operand()
		}
		if err == nil && (c.op == "in" || c.op == "nin") && c.right.list == nil {
			err = errors.New("in needs a list such as [1, 2]")
		}
		return c, err
	}
	if c.left.path == nil {
		return nil, errors.New("a filter must name something by @")
	}
	return c, nil
}

// operand reads @.path, $.path, a number, a text, true, false, null or a list.
func (p *filterParser) operand() (operand, error) {
	p.space()
	if p.s == "" {
		return operand{}, errors.New("a filter ends too early")
	}
	switch c := p.s[0]; c {
	case '@', '$':
		text := p.s[1 : 1+pathEnd(p.s[1:])]
		p.s = p.s[1+len(text):]
		path := &Path{}
		return operand{path: path, root: c == '$'}, path.compile(text)
	case '\'', '"':
		v, err := p.quoted(c)
		return operand{value: v}, err
	case '[':
		return p.list()
	}
	end := strings.IndexAny(p.s, " \t&|)=<>!,]")
	if end < 0 {
		end = len(p.s)
	}
	text := p.s[:end]
	v, err := Parse(text)
	if err != nil || !v.Scalar() && v.Kind != Null {
		return operand{}, fmt.Errorf("%q is not a constant", text)
	}
	p.s = p.s[end:]
	return operand{value: v}, nil
}

// pathEnd is where a path in a filter ends: before a space, operator or bracket
// that is not its own.
func pathEnd(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '[':
			_, rest, err := closing(s[i+1:])
			if err != nil {
				return len(s)
			}
			i = len(s) - len(rest) - 1
		case '(':
			if i+1 < len(s) && s[i+1] == ')' {
				i++
				continue
			}
			return i
		case ' ', '\t', '&', '|', ')', '=', '<', '>', '!', ',', ']':
			return i
		}
	}
	return len(s)
}

func (p *filterParser) quoted(quote byte) (*Value, error) {
	var b strings.Builder
	for i := 1; i < len(p.s); i++ {
		switch c := p.s[i]; {
		case c == '\\' && i+1 < len(p.s):
			i++
			b.WriteByte(p.s[i])
		case c == quote:
			p.s = p.s[i+1:]
			return &Value{Kind: String, Text: b.String()}, nil
		default:
			b.WriteByte(c)
		}
	}
	return nil, errors.New("a quote is not closed")
}

func (p *filterParser) list() (operand, error) {
	p.s = p.s[1:]
	o := operand{list: []*Value{}}
	for !p.accept("]") {
		e, err := p.operand()
		if err != nil {
			return o, err
		}
		if e.value == nil {
			return o, errors.New("a list of a filter holds constants only")
		}
		o.list = append(o.list, e.value)
		p.accept(",")
	}
	return o, nil
}

// regex reads /pattern/ with the flag i. All of the text must match.
func (p *filterParser) regex() (*regexp.Regexp, error) {
	if !p.accept("/") {
		return nil, errors.New("=~ needs a pattern such as /a.*/")
	}
	end := strings.LastIndexByte(p.s, '/')
	if end < 0 {
		return nil, errors.New("a pattern is not closed")
	}
	text := "^(?:" + p.s[:end] + ")$"
	if p.s = p.s[end+1:]; strings.HasPrefix(p.s, "i") {
		p.s, text = p.s[1:], "(?i)"+text
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, errors.New("a pattern of a filter is not a regular expression")
	}
	return re, nil
}

// find returns what an operand is for an element; nil when there is nothing.
func (o *operand) find(v, root *Value) *Value {
	if o.path == nil {
		return o.value
	}
	if o.root {
		v = root
	}
	found, err := o.path.FindIn(v, root)
	if err != nil {
		return nil
	}
	return found
}

func (c *condition) holds(v, root *Value) bool {
	switch c.op {
	case "&&":
		return c.a.holds(v, root) && c.b.holds(v, root)
	case "||":
		return c.a.holds(v, root) || c.b.holds(v, root)
	case "!":
		return !c.a.holds(v, root)
	}
	left := c.left.find(v, root)
	switch c.op {
	case "":
		return left != nil
	case "=~":
		return left != nil && left.Scalar() && c.pattern.MatchString(left.Text)
	case "in", "nin":
		return left != nil && c.right.has(left) == (c.op == "in")
	}
	right := c.right.find(v, root)
	if left == nil || right == nil {
		return c.op == "!=" && (left == nil) != (right == nil)
	}
	order, ok := compare(left, right)
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

func (o *operand) has(v *Value) bool {
	for _, e := range o.list {
		if order, ok := compare(v, e); ok && order == 0 {
			return true
		}
	}
	return false
}

// compare orders two scalars. A text beside a number counts as one.
func compare(a, b *Value) (order int, ok bool) {
	mixed := a.Kind == String && b.Kind == Number || a.Kind == Number && b.Kind == String
	if a.Kind != b.Kind && !mixed || a.Kind == Array || a.Kind == Object {
		return 0, false
	}
	if a.Kind != Number && !mixed {
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
