package process

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weirflow/weirflow/services/agent/internal/document"
	"github.com/weirflow/weirflow/services/agent/internal/settings"
)

func dissectKind() kind {
	return kind{
		options: settings.Table{
			{Key: "tokenizer", Type: settings.String}, {Key: "field", Type: settings.String, Default: "message"}, {Key: "target_prefix", Type: settings.String},
			{Key: "ignore_failure", Type: settings.Bool}, {Key: "overwrite_keys", Type: settings.Bool},
			{Key: "trim_values", Type: settings.String, Default: "none"}, {Key: "trim_chars", Type: settings.String, Default: " "},
		},
		required: []string{"tokenizer"}, build: dissect,
	}
}

// token is a key of a tokenizer and the text that follows it.
type token struct {
	name     string
	skip     bool // of no interest, or the name of an indirect key
	indirect bool // named by the value of another key
	add      bool
	order    int
	greedy   bool
	length   int
	convert  func(any) (any, error)
	before   string
	after    string
}

var tokenPattern = regexp.MustCompile(`%\{([^}]*)\}`)                                                             //nolint:gochecknoglobals // constant
var keyPattern = regexp.MustCompile(`^([?&+]?)([^/#|]*?)(?:/(\d{1,3}))?(?:#(\d{1,4}))?(->)?(?:\|([^>]*))?(->)?$`) //nolint:gochecknoglobals // constant

// tokenize reads a tokenizer: the text before the first key, and the keys.
func tokenize(s string) (string, []token, error) {
	places := tokenPattern.FindAllStringSubmatchIndex(s, -1)
	if len(places) == 0 {
		return "", nil, fmt.Errorf("invalid dissect tokenizer %q: it has no %%{key}", s)
	}
	var tokens []token
	named := map[string]bool{}
	before := s[:places[0][0]]
	for i, at := range places {
		t, err := parseKey(s[at[2]:at[3]])
		if err != nil {
			return "", nil, err
		}
		end := len(s)
		if i+1 < len(places) {
			end = places[i+1][0]
		}
		t.before, t.after = before, s[at[1]:end]
		before = t.after
		named[t.name] = named[t.name] || t.skip
		tokens = append(tokens, t)
	}
	for _, t := range tokens {
		if t.indirect && !named[t.name] {
			return "", nil, fmt.Errorf("missing reference for key %q: name it with %%{?%s}", t.name, t.name)
		}
	}
	return s[:places[0][0]], tokens, nil
}

func parseKey(text string) (token, error) {
	m := keyPattern.FindStringSubmatch(text)
	if m == nil {
		return token{}, fmt.Errorf("invalid dissect key %q", text)
	}
	t := token{name: m[2], greedy: m[5] != "" || m[7] != "", skip: m[1] == "?" || m[2] == "", indirect: m[1] == "&", add: m[1] == "+"}
	t.order, _ = strconv.Atoi(m[3])
	t.length, _ = strconv.Atoi(m[4])
	if m[6] != "" {
		if t.convert = converter(m[6]); t.convert == nil {
			return t, fmt.Errorf("invalid data type %q in dissect key %q", m[6], text)
		}
	}
	return t, nil
}

var errDissect = errors.New("text does not match the tokenizer")

// split cuts a text up; there is one value for each token.
func split(s, prefix string, tokens []token) ([]string, error) {
	rest, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return nil, errDissect
	}
	values := make([]string, len(tokens))
	for i, t := range tokens {
		switch {
		case t.length > 0:
			if len(rest) < t.length || !strings.HasPrefix(rest[t.length:], t.after) {
				return nil, errDissect
			}
			values[i], rest = rest[:t.length], rest[t.length+len(t.after):]
		case t.after == "" && i == len(tokens)-1:
			values[i], rest = rest, ""
		default:
			at := strings.Index(rest, t.after) // nothing follows: nothing is taken
			if at < 0 {
				return nil, errDissect
			}
			values[i], rest = rest[:at], rest[at+len(t.after):]
		}
		for t.greedy && t.after != "" && strings.HasPrefix(rest, t.after) {
			rest = rest[len(t.after):]
		}
	}
	return values, nil
}

// collect makes fields of the values.
func collect(tokens []token, values []string) document.Map {
	out, names := document.Map{}, map[string]string{}
	type piece struct {
		order       int
		join, value string
	}
	added := map[string][]piece{}
	for i, t := range tokens {
		switch {
		case t.skip:
			names[t.name] = values[i]
		case t.add:
			added[t.name] = append(added[t.name], piece{t.order, t.before, values[i]})
		case !t.indirect:
			out[t.name] = values[i]
			if t.convert != nil {
				if v, err := t.convert(values[i]); err == nil {
					out[t.name] = v
				}
			}
		}
	}
	for i, t := range tokens {
		if t.indirect {
			out[names[t.name]] = values[i]
		}
	}
	for name, pieces := range added {
		slices.SortStableFunc(pieces, func(a, b piece) int { return a.order - b.order })
		text, started := out[name].(string)
		for _, p := range pieces {
			if started {
				if p.join == "" {
					p.join = " "
				}
				text += p.join
			}
			text, started = text+p.value, true
		}
		out[name] = text
	}
	return out
}

func dissect(b builder) (step, error) {
	prefix, tokens, err := tokenize(b.String("tokenizer"))
	if err != nil {
		return nil, err
	}
	trim := map[string]func(s, chars string) string{
		"none": func(s, _ string) string { return s }, "left": strings.TrimLeft, "right": strings.TrimRight, "all": strings.Trim,
	}[strings.ToLower(b.String("trim_values"))]
	if trim == nil {
		return nil, fmt.Errorf("trim_values %q is none of none, left, right, all", b.String("trim_values"))
	}
	target := "dissect"
	if n := b.node.Get("target_prefix"); n != nil {
		target, _ = n.Text()
	}
	field, overwrite, chars := b.String("field"), b.Bool("overwrite_keys"), b.String("trim_chars")
	return func(e *document.Event) bool {
		v, err := e.Get(field)
		s, ok := v.(string)
		if err != nil || !ok {
			return true
		}
		values, err := split(s, prefix, tokens)
		if err != nil {
			_ = document.AddTags(e.Fields, "log.flags", []string{"dissect_parsing_error"}) // where log is no object, nothing
			return true
		}
		for i := range values {
			values[i] = trim(values[i], chars)
		}
		putAll(e, target, collect(tokens, values), overwrite)
		return true
	}, nil
}

// putAll puts fields into an event, all or, where one of them is taken, none.
func putAll(e *document.Event, target string, fields document.Map, overwrite bool) {
	if target != "" {
		target += "."
	}
	if !overwrite {
		for k := range fields {
			if _, err := e.Get(target + k); err == nil {
				return
			}
		}
	}
	for _, k := range document.Keys(fields) {
		_ = e.Put(target+k, fields[k]) // a scalar on the way stays
	}
}
