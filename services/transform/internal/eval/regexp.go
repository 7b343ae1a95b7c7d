package eval

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// patterns compiles regular expressions and keeps the last ones.
type patterns struct {
	cache map[string]*pattern
}

const maxPatterns = 256

func newPatterns() *patterns { return &patterns{cache: make(map[string]*pattern)} }

// get returns a compiled pattern; nil when it is not valid.
func (p *patterns) get(text string) (*pattern, error) {
	if re, ok := p.cache[text]; ok {
		return re, nil
	}
	re, err := compilePattern(text)
	if err != nil {
		re = nil
	}
	if len(p.cache) >= maxPatterns {
		clear(p.cache)
	}
	p.cache[strings.Clone(text)] = re
	return re, err
}

// check looks at a pattern that is constant, so that a wrong one is told before the job runs.
func (p *patterns) check(e *plan.Call, arg int) error {
	if arg >= len(e.Args) {
		return nil
	}
	text, ok := constant(e.Args[arg])
	if s, isText := text.(string); ok && isText {
		if _, err := p.get(s); err != nil {
			return &Error{At: e.Args[arg].Pos(), Err: fmt.Errorf("pattern %q: %w", brief(s), err)}
		}
	}
	return nil
}

// regexFunction is a function whose second argument is a pattern.
func regexFunction(f func(re *pattern, a []*column.Vector, i int, out *column.Vector) error) builder {
	return func(_ *compiler, e *plan.Call) (*spec, error) {
		p := newPatterns()
		if err := p.check(e, 1); err != nil {
			return nil, err
		}
		return &spec{fails: true, fn: func(a []*column.Vector, i int, out *column.Vector) error {
			re, _ := p.get(a[1].Strs[i])
			if re == nil {
				out.SetNull(i)
				return nil
			}
			return f(re, a, i, out)
		}}, nil
	}
}

// regexpTest is REGEXP; an empty pattern is found nowhere.
func regexpTest(re *pattern, a []*column.Vector, i int, out *column.Vector) error {
	at, err := re.find(a[0].Strs[i])
	out.Bools[i] = at != nil && a[1].Strs[i] != ""
	return err
}

// groupOf returns the number of the group that an optional third argument names.
func groupOf(re *pattern, a []*column.Vector, i, otherwise int) (int, bool) {
	group := otherwise
	if len(a) > 2 {
		group = int(a[2].Ints[i])
	}
	return group, group >= 0 && group <= re.groups()
}

func regexpExtract(re *pattern, a []*column.Vector, i int, out *column.Vector) error {
	group, ok := groupOf(re, a, i, 0)
	if !ok {
		out.SetNull(i)
		return nil
	}
	s := a[0].Strs[i]
	m, err := re.find(s)
	if err != nil || m == nil || m[2*group] < 0 {
		out.SetNull(i)
		return err
	}
	out.Strs[i] = s[m[2*group]:m[2*group+1]]
	return nil
}

// regexpExtractAll gives the group of all matches; group 1 unless told otherwise.
func regexpExtractAll(re *pattern, a []*column.Vector, i int, out *column.Vector) error {
	group, ok := groupOf(re, a, i, 1)
	if !ok {
		out.SetNull(i)
		return nil
	}
	s, start := a[0].Strs[i], out.Elem.Len
	all, err := re.findAll(s, -1)
	for _, m := range all {
		if m[2*group] < 0 {
			out.Elem.Append(nil)
			continue
		}
		out.Elem.Append(s[m[2*group]:m[2*group+1]])
	}
	out.Spans[i] = column.Span{Start: int32(start), Len: int32(out.Elem.Len - start)}
	return err
}

// regexpReplace puts the third argument in as it is: $1 has no meaning in it.
func regexpReplace(re *pattern, a []*column.Vector, i int, out *column.Vector) error {
	var err error
	out.Strs[i], err = re.replace(a[0].Strs[i], a[2].Strs[i])
	return err
}

func regexpCount(re *pattern, a []*column.Vector, i int, out *column.Vector) error {
	all, err := re.findAll(a[0].Strs[i], -1)
	out.Ints[i] = int64(len(all))
	return err
}

func regexpSubstr(re *pattern, a []*column.Vector, i int, out *column.Vector) error {
	s := a[0].Strs[i]
	m, err := re.find(s)
	if m == nil {
		out.SetNull(i)
		return err
	}
	out.Strs[i] = s[m[0]:m[1]]
	return nil
}

func regexpInstr(re *pattern, a []*column.Vector, i int, out *column.Vector) error {
	s := a[0].Strs[i]
	m, err := re.find(s)
	out.Ints[i] = 0
	if m != nil {
		out.Ints[i] = int64(utf8.RuneCountInString(s[:m[0]])) + 1
	}
	return err
}

// like is LIKE, SIMILAR TO and their negations.
func like(_ *compiler, e *plan.Call) (*spec, error) {
	not := e.Function == plan.FnNotLike || e.Function == plan.FnNotSimilar
	similar := e.Function == plan.FnSimilar || e.Function == plan.FnNotSimilar
	cache := make(map[[2]string]func(string) bool)
	matcher := func(pattern, escape string) (func(string) bool, error) {
		k := [2]string{pattern, escape}
		if m, ok := cache[k]; ok {
			return m, nil
		}
		m, err := likeMatcher(pattern, escape, similar)
		if err != nil {
			return nil, err
		}
		if len(cache) >= maxPatterns {
			clear(cache)
		}
		cache[[2]string{strings.Clone(pattern), strings.Clone(escape)}] = m
		return m, nil
	}
	if p, ok := constant(e.Args[1]); ok && p != nil && len(e.Args) == 2 {
		text, _ := p.(string)
		m, err := matcher(text, "")
		if err != nil {
			return nil, &Error{At: e.Args[1].Pos(), Err: err}
		}
		return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
			out.Bools[i] = m(a[0].Strs[i]) != not
			return nil
		}}, nil
	}
	_, fixed := constant(e.Args[1])
	return &spec{fails: true, fn: func(a []*column.Vector, i int, out *column.Vector) error {
		escape := ""
		if len(a) > 2 {
			escape = a[2].Strs[i]
		}
		if a[1].Strs[i] == "" && !fixed && !similar { // as Flink has it, unlike a constant
			out.Bools[i] = (a[0].Strs[i] == "") != not
			return nil
		}
		m, err := matcher(a[1].Strs[i], escape)
		if err != nil {
			return err
		}
		out.Bools[i] = m(a[0].Strs[i]) != not
		return nil
	}}, nil
}

// likeMatcher returns a function that matches a LIKE pattern; the usual forms need no regular expression.
func likeMatcher(pattern, escape string, similar bool) (func(string) bool, error) {
	if pattern == "" && !similar {
		return func(string) bool { return true }, nil // as Flink has it for constants
	}
	if !similar && escape == "" && !strings.ContainsAny(pattern, `_\`) {
		return inOrder(strings.Split(pattern, "%")), nil
	}
	text, err := likeRegexp(pattern, escape, similar)
	if err != nil {
		return nil, err
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", brief(pattern), err)
	}
	return re.MatchString, nil
}

// inOrder returns a function that finds parts one behind the other: the first at
// the beginning, the last at the end. It takes each as early as it can, so its time
// grows with the text and not with the number of parts.
func inOrder(parts []string) func(string) bool {
	if len(parts) == 1 {
		return func(s string) bool { return s == parts[0] }
	}
	first, middle, last := parts[0], parts[1:len(parts)-1], parts[len(parts)-1]
	return func(s string) bool {
		if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
			return false
		}
		s = s[len(first) : len(s)-len(last)]
		for _, part := range middle {
			at := strings.Index(s, part)
			if at < 0 {
				return false
			}
			s = s[at+len(part):]
		}
		return true
	}
}

func likeRegexp(pattern, escape string, similar bool) (string, error) {
	var b strings.Builder
	b.WriteString(`(?s)\A(?:`)
	runes := []rune(pattern)
	var esc rune = -1
	if escape != "" {
		esc = []rune(escape)[0]
	}
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case r == esc:
			i++
			if i >= len(runes) || !similar && runes[i] != '%' && runes[i] != '_' && runes[i] != esc {
				return "", fmt.Errorf("pattern %q: the escape character must come before %%, _ or itself", brief(pattern))
			}
			b.WriteString(regexp.QuoteMeta(string(runes[i])))
		case r == '%':
			b.WriteString(".*")
		case r == '_':
			b.WriteByte('.')
		case similar && r == '[' && strings.HasPrefix(string(runes[i:]), "[:") && strings.Contains(string(runes[i:]), ":]"):
			end := i + strings.Index(string(runes[i:]), ":]") // the names are ASCII
			b.WriteString(strings.ToLower(string(runes[i:end])))
			i = end - 1
		case similar && strings.ContainsRune(`|*+?{}()[]^-`, r):
			b.WriteRune(r)
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	b.WriteString(`)\z`)
	return b.String(), nil
}
