package eval

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// patterns compiles regular expressions and keeps the last ones. RE2 runs in
// linear time, so that no pattern can stall a job.
type patterns struct {
	compile func(string) (*regexp.Regexp, error)
	cache   map[string]*regexp.Regexp
}

const maxPatterns = 256

func newPatterns() *patterns {
	return &patterns{compile: regexp.Compile, cache: make(map[string]*regexp.Regexp)}
}

// get returns a compiled pattern; nil when it is not valid.
func (p *patterns) get(text string) (*regexp.Regexp, error) {
	if re, ok := p.cache[text]; ok {
		return re, nil
	}
	re, err := p.compile(text)
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
func regexFunction(f func(re *regexp.Regexp, a []*column.Vector, i int, out *column.Vector)) builder {
	return func(_ *compiler, e *plan.Call) (*spec, error) {
		p := newPatterns()
		if err := p.check(e, 1); err != nil {
			return nil, err
		}
		return &spec{fn: func(a []*column.Vector, i int, out *column.Vector) error {
			re, _ := p.get(a[1].Strs[i])
			if re == nil {
				out.SetNull(i)
				return nil
			}
			f(re, a, i, out)
			return nil
		}}, nil
	}
}

func regexpExtract(re *regexp.Regexp, a []*column.Vector, i int, out *column.Vector) {
	group := 0
	if len(a) > 2 {
		group = int(a[2].Ints[i])
	}
	if group < 0 || group > re.NumSubexp() {
		out.SetNull(i)
		return
	}
	s := a[0].Strs[i]
	m := re.FindStringSubmatchIndex(s)
	if m == nil || m[2*group] < 0 {
		out.SetNull(i)
		return
	}
	out.Strs[i] = s[m[2*group]:m[2*group+1]]
}

// regexpExtractAll gives the group of all matches; group 1 unless told otherwise.
func regexpExtractAll(re *regexp.Regexp, a []*column.Vector, i int, out *column.Vector) {
	group := 1
	if len(a) > 2 {
		group = int(a[2].Ints[i])
	}
	if group < 0 || group > re.NumSubexp() {
		out.SetNull(i)
		return
	}
	s, start := a[0].Strs[i], out.Elem.Len
	for _, m := range re.FindAllStringSubmatchIndex(s, -1) {
		if m[2*group] < 0 {
			out.Elem.Append(nil)
			continue
		}
		out.Elem.Append(s[m[2*group]:m[2*group+1]])
	}
	out.Spans[i] = column.Span{Start: int32(start), Len: int32(out.Elem.Len - start)}
}

func regexpReplace(re *regexp.Regexp, a []*column.Vector, i int, out *column.Vector) {
	out.Strs[i] = re.ReplaceAllString(a[0].Strs[i], javaReplacement(a[2].Strs[i]))
}

// javaReplacement turns $1 into ${1}, which Go reads as Java does, and resolves \$.
func javaReplacement(s string) string {
	if !strings.ContainsAny(s, `$\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			if s[i] == '$' {
				b.WriteByte('$')
			}
			b.WriteByte(s[i])
		case s[i] == '$' && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9':
			i++
			b.WriteString("${" + s[i:i+1] + "}")
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
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
	return &spec{fails: true, fn: func(a []*column.Vector, i int, out *column.Vector) error {
		escape := ""
		if len(a) > 2 {
			escape = a[2].Strs[i]
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
	if !similar && escape == "" && !strings.ContainsAny(pattern, `_\`) {
		inner := strings.Trim(pattern, "%")
		if !strings.Contains(inner, "%") && pattern != "" {
			before, after := strings.HasPrefix(pattern, "%"), strings.HasSuffix(pattern, "%")
			switch {
			case inner == "" && before:
				return func(string) bool { return true }, nil
			case before && after:
				return func(s string) bool { return strings.Contains(s, inner) }, nil
			case before:
				return func(s string) bool { return strings.HasSuffix(s, inner) }, nil
			case after:
				return func(s string) bool { return strings.HasPrefix(s, inner) }, nil
			default:
				return func(s string) bool { return s == inner }, nil
			}
		}
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
		case similar && strings.ContainsRune(`|*+?{}()[]^-`, r):
			b.WriteRune(r)
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	b.WriteString(`)\z`)
	return b.String(), nil
}
