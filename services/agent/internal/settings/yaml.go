package settings

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxDepth bounds the nesting of a configuration, aliases included.
const maxDepth = 100

// Parse reads one YAML document, or the bare fragment that documents show: the
// items of filebeat.inputs, followed by the lines of an output.
func Parse(file string, text []byte) (root *Node, fragment bool, err error) {
	if list, rest, ok := splitFragment(string(text)); ok {
		inputs, err := parseDocument(file, list)
		if err != nil {
			return nil, true, err
		}
		root, err := parseDocument(file, rest)
		if err != nil {
			return nil, true, err
		}
		if root.Kind == Null {
			root = &Node{Kind: Map, File: file}
		}
		filebeat := &Node{Kind: Map, File: file, Line: 1}
		filebeat.put("inputs", inputs)
		root.put("filebeat", filebeat)
		return root, true, nil
	}
	if root, err = parseDocument(file, string(text)); err != nil {
		return nil, false, err
	}
	switch root.Kind {
	case Map:
		return root, false, nil
	case Null:
		return &Node{Kind: Map, File: file}, false, nil
	default:
		return nil, false, root.Errorf("the configuration is %s, but should be a mapping with filebeat.inputs and an output", root.kindName())
	}
}

// splitFragment recognises a text whose first line is a list item at the margin.
// The parts keep their line numbers.
func splitFragment(text string) (list, rest string, ok bool) {
	lines := strings.SplitAfter(text, "\n")
	cut := len(lines)
	for i, l := range lines {
		bare := strings.TrimSpace(l)
		if bare == "" || strings.HasPrefix(bare, "#") || bare == "---" {
			continue
		}
		item := strings.HasPrefix(l, "- ")
		switch {
		case !ok && !item:
			return "", "", false
		case item:
			ok = true
		case l[0] != ' ' && l[0] != '\t':
			cut = i
		}
		if cut < len(lines) {
			break
		}
	}
	if !ok {
		return "", "", false
	}
	list = strings.Join(lines[:cut], "")
	return list, strings.Repeat("\n", cut) + strings.Join(lines[cut:], ""), true
}

func parseDocument(file, text string) (*Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, fmt.Errorf("%s: %w%s", file, tidyYAMLError(err), yamlHint(err))
	}
	if doc.Kind == 0 || len(doc.Content) == 0 {
		return &Node{Kind: Null, File: file}, nil
	}
	return convert(file, doc.Content[0], 0)
}

func tidyYAMLError(err error) error {
	return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
}

func yamlHint(err error) string {
	if strings.Contains(err.Error(), "cannot start any token") {
		return " (indent with spaces, not with tabs, and quote values that start with @, ` or %)"
	}
	return ""
}

func convert(file string, y *yaml.Node, depth int) (*Node, error) {
	n := &Node{File: file, Line: y.Line}
	if depth > maxDepth {
		return nil, n.Errorf("nested more than %d deep", maxDepth)
	}
	switch y.Kind {
	case yaml.AliasNode:
		return convert(file, y.Alias, depth+1)
	case yaml.SequenceNode:
		n.Kind = List
		for _, c := range y.Content {
			item, err := convert(file, c, depth+1)
			if err != nil {
				return nil, err
			}
			n.Items = append(n.Items, item)
		}
		return n, nil
	case yaml.MappingNode:
		n.Kind = Map
		return n, convertMembers(n, y, depth)
	default:
		n.Kind, n.Value = scalar(y)
		return n, nil
	}
}

func convertMembers(n *Node, y *yaml.Node, depth int) error {
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := y.Content[i]
		member, err := convert(n.File, y.Content[i+1], depth+1)
		if err != nil {
			return err
		}
		if key.Tag == "!!merge" {
			merge(n, member)
			continue
		}
		if key.Kind != yaml.ScalarNode {
			return (&Node{File: n.File, Line: key.Line}).Errorf("a key must be a string")
		}
		if _, isBool := yamlBool(key); isBool {
			return (&Node{File: n.File, Line: key.Line}).Errorf("key %s is a boolean in YAML: write it in quotes", key.Value)
		}
		// `a: {b: 1}` twice joins, as `a.b` and `a.c` do; a list or scalar is replaced.
		n.putDotted(key.Value, member, key.Line)
	}
	return nil
}

// putDotted takes a dotted key apart.
func (n *Node) putDotted(key string, v *Node, line int) {
	head, rest, dotted := strings.Cut(key, ".")
	if !dotted || head == "" || rest == "" {
		n.put(key, v)
		return
	}
	inner := &Node{Kind: Map, File: n.File, Line: line}
	inner.putDotted(rest, v, line)
	n.put(head, inner)
}

func scalar(y *yaml.Node) (Kind, any) {
	if y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return Scalar, y.Value
	}
	if b, ok := yamlBool(y); ok {
		return Scalar, b
	}
	switch y.ShortTag() {
	case "!!null":
		return Null, nil
	case "!!int", "!!float":
		if v, ok := number(y.Value); ok {
			return Scalar, v
		}
	}
	return Scalar, y.Value
}

// yamlBool knows the booleans of YAML 1.1, which Filebeat's files are.
func yamlBool(y *yaml.Node) (value, ok bool) {
	if y.Kind != yaml.ScalarNode || y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		return false, false
	}
	switch y.Value {
	case "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON":
		return true, true
	case "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF":
		return false, true
	}
	return false, false
}

// decimal keeps words such as "inf" and "0x1p-2" from being numbers.
var decimal = regexp.MustCompile(`^[-+]?(\d[\d_]*|0[xob][\da-fA-F_]+|(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?)$`)

func number(s string) (any, bool) {
	if !decimal.MatchString(s) {
		return nil, false
	}
	if i, err := strconv.ParseInt(s, 0, 64); err == nil {
		return i, true
	}
	if u, err := strconv.ParseUint(s, 0, 64); err == nil {
		return u, true
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && !math.IsInf(f, 0) {
		return f, true
	}
	return nil, false
}
