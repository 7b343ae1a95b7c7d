package settings

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Lookup finds the value of an environment variable.
type Lookup func(name string) (string, bool)

// expander replaces `${NAME}`, `${NAME:default}`, `${NAME:?message}` and
// `${path.to.setting}`.
type expander struct {
	root  *Node
	env   Lookup
	depth int
}

// Expand replaces the variables in all strings of a tree.
func Expand(root *Node, env Lookup) error {
	x := expander{root: root, env: env}
	return x.walk(root)
}

func (x *expander) walk(n *Node) error {
	switch n.Kind {
	case Map:
		for _, k := range n.Keys {
			if err := x.walk(n.Members[k]); err != nil {
				return err
			}
		}
	case List:
		for _, it := range n.Items {
			if err := x.walk(it); err != nil {
				return err
			}
		}
	case Scalar:
		if s, ok := n.Value.(string); ok && strings.Contains(s, "${") {
			return x.replace(n, s)
		}
	}
	return nil
}

func (x *expander) replace(n *Node, s string) error {
	if x.depth++; x.depth > maxDepth {
		return n.Errorf("the variables in %q refer to one another in a circle", s)
	}
	defer func() { x.depth-- }()
	var out strings.Builder
	for rest := s; ; {
		start := strings.Index(rest, "${")
		if start < 0 {
			out.WriteString(rest)
			break
		}
		length := closing(rest[start:])
		if length < 0 {
			return n.Errorf("%q: ${ without }", s)
		}
		value, err := x.variable(n, rest[start+2:start+length-1])
		if err != nil {
			return err
		}
		if start == 0 && length == len(rest) && rest == s {
			// The string is one variable: its value may be of any type.
			*n = *value
			return nil
		}
		text, ok := value.Text()
		if !ok && value.Kind != Null {
			return n.Errorf("%s is %s, which can't stand inside a string", rest[start:start+length], value.kindName())
		}
		out.WriteString(rest[:start])
		out.WriteString(text)
		rest = rest[start+length:]
	}
	n.Value = out.String()
	return nil
}

// closing finds the end of `${…}`, nested ones included.
func closing(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "${"):
			depth++
			i++
		case s[i] == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

func (x *expander) variable(n *Node, body string) (*Node, error) {
	name, fallback, hasFallback := strings.Cut(body, ":")
	name = strings.TrimSpace(name)
	if ref := x.root.Get(name); name != "" && ref != nil && ref != n {
		if s, ok := ref.Value.(string); ok && strings.Contains(s, "${") {
			if err := x.replace(ref, s); err != nil {
				return nil, err
			}
		}
		return &Node{Kind: ref.Kind, Value: ref.Value, Members: ref.Members, Keys: ref.Keys, Items: ref.Items, File: n.File, Line: n.Line}, nil
	}
	if v, ok := x.env(name); ok {
		return ParseValue(v, n.File, n.Line), nil
	}
	switch {
	case !hasFallback:
		return nil, n.Errorf("variable ${%s} is not set and has no default: set it, or write ${%s:default}", name, name)
	case strings.HasPrefix(fallback, "?"):
		return nil, n.Errorf("variable ${%s} is not set: %s", name, fallback[1:])
	}
	value := ParseValue(fallback, n.File, n.Line)
	return value, x.walk(value)
}

// ParseValue reads a value as it is given on a command line or in an
// environment variable: a number, a boolean, a list with or without brackets,
// an object, else a string.
func ParseValue(s, file string, line int) *Node {
	str := &Node{Kind: Scalar, Value: s, File: file, Line: line}
	trimmed := strings.TrimSpace(s)
	if trimmed == "" {
		return str
	}
	if !strings.ContainsAny(trimmed[:1], "[{'\"") {
		if strings.Contains(trimmed, ",") {
			list := &Node{Kind: List, File: file, Line: line}
			for part := range strings.SplitSeq(trimmed, ",") {
				list.Items = append(list.Items, ParseValue(strings.TrimSpace(part), file, line))
			}
			return list
		}
		str.Kind, str.Value = scalar(&yaml.Node{Kind: yaml.ScalarNode, Value: trimmed})
		if _, isText := str.Value.(string); isText {
			str.Value = s
		}
		return str
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(trimmed), &doc); err != nil || len(doc.Content) == 0 {
		return str
	}
	n, err := convert(file, doc.Content[0], 0)
	if err != nil {
		return str
	}
	setPlace(n, file, line)
	return n
}

func setPlace(n *Node, file string, line int) {
	n.File, n.Line = file, line
	for _, m := range n.Members {
		setPlace(m, file, line)
	}
	for _, it := range n.Items {
		setPlace(it, file, line)
	}
}

// Override lays "key=value" over a tree.
func Override(root *Node, assignment string) error {
	key, value, ok := strings.Cut(assignment, "=")
	if key = strings.TrimSpace(key); !ok || key == "" {
		return fmt.Errorf("-E %s: want key=value", assignment)
	}
	// A list on the command line replaces that of the file.
	root.putDotted(key, ParseValue(value, "-E "+key, 0), 0)
	return nil
}
