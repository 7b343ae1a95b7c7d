package process

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weirflow/weirflow/services/agent/internal/document"
	"github.com/weirflow/weirflow/services/agent/internal/settings"
)

// Condition decides about an event.
type Condition interface {
	Check(e *document.Event) bool
}

// conditionFunc is a condition.
type conditionFunc func(e *document.Event) bool

// Check implements Condition.
func (f conditionFunc) Check(e *document.Event) bool { return f(e) }

// conditionKinds are in the order in which Filebeat looks for them: where a
// condition has two kinds, the first one counts.
func conditionKinds() []string {
	return []string{"equals", "contains", "regexp", "range", "has_fields", "network", "or", "and", "not"}
}

// CompileCondition reads a condition.
func CompileCondition(n *settings.Node) (Condition, error) {
	if n.Kind != settings.Map || len(n.Keys) == 0 {
		return nil, n.Errorf("a condition should be one of %s", strings.Join(conditionKinds(), ", "))
	}
	for _, k := range n.Keys {
		if !slices.Contains(conditionKinds(), k) {
			hint := ""
			if near := settings.Suggest(k, conditionKinds()); near != "" {
				hint = fmt.Sprintf(": did you mean %q?", near)
			}
			return nil, n.Members[k].Errorf("unknown condition %q%s", k, hint)
		}
	}
	for _, k := range conditionKinds() {
		if body := n.Get(k); body != nil {
			return compileKind(k, body)
		}
	}
	return nil, n.Errorf("a condition is missing")
}

func compileKind(k string, n *settings.Node) (Condition, error) {
	switch k {
	case "or", "and":
		return compileAnyAll(k, n)
	case "not":
		inner, err := CompileCondition(n)
		if err != nil {
			return nil, err
		}
		return conditionFunc(func(e *document.Event) bool { return !inner.Check(e) }), nil
	case "has_fields":
		var fields []string
		for _, it := range n.Items {
			s, _ := it.Text()
			fields = append(fields, s)
		}
		if len(fields) == 0 {
			return nil, n.Errorf("has_fields should be a list of fields")
		}
		return conditionFunc(func(e *document.Event) bool {
			return !slices.ContainsFunc(fields, func(f string) bool { _, err := e.Get(f); return err != nil })
		}), nil
	}
	leaves := map[string]*settings.Node{}
	flatten("", n, leaves)
	if len(leaves) == 0 {
		return nil, n.Errorf("condition %s should name fields and values", k)
	}
	switch k {
	case "equals":
		return compileFields(leaves, compileEquals)
	case "contains":
		return compileFields(leaves, compileContains)
	case "regexp":
		return compileFields(leaves, compileRegexp)
	case "network":
		return compileFields(leaves, compileNetwork)
	default:
		return compileRange(leaves)
	}
}

func compileAnyAll(k string, n *settings.Node) (Condition, error) {
	if n.Kind != settings.List {
		return nil, n.Errorf("condition %s should be a list of conditions", k)
	}
	var inner []Condition
	for _, it := range n.Items {
		c, err := CompileCondition(it)
		if err != nil {
			return nil, err
		}
		inner = append(inner, c)
	}
	want := k == "or"
	return conditionFunc(func(e *document.Event) bool {
		return slices.ContainsFunc(inner, func(c Condition) bool { return c.Check(e) == want }) == want
	}), nil
}

// flatten undoes the taking apart of dotted field names.
func flatten(prefix string, n *settings.Node, out map[string]*settings.Node) {
	if n.Kind != settings.Map {
		out[prefix] = n
		return
	}
	for _, k := range n.Keys {
		name := k
		if prefix != "" {
			name = prefix + "." + k
		}
		flatten(name, n.Members[k], out)
	}
}

// fieldTest decides about a field's value.
type fieldTest func(v any) bool

// compileFields makes a condition that holds if it does for all fields.
func compileFields(leaves map[string]*settings.Node, compile func(*settings.Node) (fieldTest, error)) (Condition, error) {
	tests := make(map[string]fieldTest, len(leaves))
	for field, n := range leaves {
		t, err := compile(n)
		if err != nil {
			return nil, n.Errorf("condition on %s: %w", field, err)
		}
		tests[field] = t
	}
	return conditionFunc(func(e *document.Event) bool {
		for field, test := range tests {
			v, err := e.Get(field)
			if err != nil || !test(v) {
				return false
			}
		}
		return true
	}), nil
}

func compileEquals(n *settings.Node) (fieldTest, error) {
	switch want := n.Value.(type) {
	case bool:
		return func(v any) bool { return v == want }, nil
	case int64:
		return func(v any) bool { i, ok := integer(v); return ok && i == want }, nil
	case float64:
		return nil, fmt.Errorf("equals takes strings, whole numbers and booleans, not %v", want)
	}
	want, ok := n.Text()
	if !ok {
		return nil, errors.New("equals takes strings, whole numbers and booleans")
	}
	return func(v any) bool { return v == want }, nil
}

func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	}
	return 0, false
}

// texts are what a text condition looks at: a string, or the strings of a list.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []string:
		return v
	case []any:
		var out []string
		for _, it := range v {
			if s, ok := it.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

func compileContains(n *settings.Node) (fieldTest, error) {
	want, _ := n.Text()
	return func(v any) bool {
		return slices.ContainsFunc(texts(v), func(s string) bool {
			return strings.Contains(s, want) && (want != "" || s == "") // the empty text is in itself only
		})
	}, nil
}

func compileRegexp(n *settings.Node) (fieldTest, error) {
	pattern, _ := n.Text()
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	return func(v any) bool { return slices.ContainsFunc(texts(v), re.MatchString) }, nil
}

func compileRange(leaves map[string]*settings.Node) (Condition, error) {
	tests := map[string][]fieldTest{}
	for name, n := range leaves {
		field, op := name, ""
		if i := strings.LastIndexByte(name, '.'); i >= 0 {
			field, op = name[:i], name[i+1:]
		}
		s, _ := n.Text()
		limit, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, n.Errorf("range on %s: want a number", field)
		}
		compare, ok := map[string]func(a float64) bool{
			"gt": func(a float64) bool { return a > limit }, "gte": func(a float64) bool { return a >= limit },
			"lt": func(a float64) bool { return a < limit }, "lte": func(a float64) bool { return a <= limit },
		}[op]
		if !ok {
			return nil, n.Errorf("unexpected range operator %s: there are gt, gte, lt and lte", op)
		}
		tests[field] = append(tests[field], func(v any) bool { f, ok := float(v); return ok && compare(f) })
	}
	return conditionFunc(func(e *document.Event) bool {
		for field, all := range tests {
			v, err := e.Get(field)
			if err != nil || slices.ContainsFunc(all, func(t fieldTest) bool { return !t(v) }) {
				return false
			}
		}
		return true
	}), nil
}

func float(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func compileNetwork(n *settings.Node) (fieldTest, error) {
	var names []string
	if n.Kind == settings.List {
		for _, it := range n.Items {
			s, _ := it.Text()
			names = append(names, s)
		}
	} else {
		s, _ := n.Text()
		names = []string{s}
	}
	var tests []func(netip.Addr) bool
	for _, name := range names {
		t, err := network(name)
		if err != nil {
			return nil, err
		}
		tests = append(tests, t)
	}
	return func(v any) bool {
		s, ok := v.(string)
		if !ok {
			return false
		}
		a, err := netip.ParseAddr(s)
		return err == nil && slices.ContainsFunc(tests, func(t func(netip.Addr) bool) bool { return t(a.Unmap()) })
	}, nil
}

func network(name string) (func(netip.Addr) bool, error) {
	named := map[string]func(netip.Addr) bool{
		"loopback": netip.Addr.IsLoopback, "global_unicast": netip.Addr.IsGlobalUnicast, "unicast": netip.Addr.IsGlobalUnicast,
		"link_local_unicast": netip.Addr.IsLinkLocalUnicast, "interface_local_multicast": netip.Addr.IsInterfaceLocalMulticast,
		"link_local_multicast": netip.Addr.IsLinkLocalMulticast, "multicast": netip.Addr.IsMulticast, "unspecified": netip.Addr.IsUnspecified,
		"private": netip.Addr.IsPrivate,
		"public": func(a netip.Addr) bool {
			return !a.IsPrivate() && !a.IsLoopback() && !a.IsUnspecified() && !a.IsLinkLocalUnicast() && !a.IsLinkLocalMulticast() && !a.IsInterfaceLocalMulticast()
		},
	}
	if t, ok := named[name]; ok {
		return t, nil
	}
	p, err := netip.ParsePrefix(name)
	if err != nil {
		return nil, fmt.Errorf("%q is neither a network such as 192.0.2.0/24 nor one of private, public, loopback, …", name)
	}
	return p.Contains, nil
}
