package settings

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Section reads the options of a table's section. What has been checked can't
// fail here, so that its methods return values only.
type Section struct {
	node  *Node
	table Table
}

// NewSection reads a node by a table.
func NewSection(n *Node, t Table) Section { return Section{n, t} }

func (s Section) value(key string) *Node {
	if n := s.node.Get(key); n != nil && n.Kind != Null {
		return n
	}
	for _, o := range s.table {
		if o.Key == key && o.Default != "" {
			return &Node{Kind: Scalar, Value: o.Default}
		}
	}
	return &Node{Kind: Null}
}

// Has says whether the file gives the option.
func (s Section) Has(key string) bool {
	n := s.node.Get(key)
	return n != nil && n.Kind != Null
}

// Node is what the file gives for an option, or nil.
func (s Section) Node(key string) *Node { return s.node.Get(key) }

// String reads an option.
func (s Section) String(key string) string { v, _ := asString(s.value(key)); return v }

// Strings reads an option.
func (s Section) Strings(key string) []string { v, _ := asStrings(s.value(key)); return v }

// Bool reads an option.
func (s Section) Bool(key string) bool { v, _ := asBool(s.value(key)); return v }

// Int reads an option.
func (s Section) Int(key string) int { v, _ := asInt(s.value(key)); return int(v) }

// Size reads an option, in bytes.
func (s Section) Size(key string) int64 { v, _ := asSize(s.value(key)); return v }

// Duration reads an option.
func (s Section) Duration(key string) time.Duration { v, _ := asDuration(s.value(key)); return v }

// Regexps reads an option.
func (s Section) Regexps(key string) []*regexp.Regexp { v, _ := asRegexps(s.value(key)); return v }

func asString(n *Node) (string, error) {
	if n.Kind == Null {
		return "", nil
	}
	s, ok := n.Text()
	if !ok {
		return "", fmt.Errorf("want a string, got %s", n.kindName())
	}
	return s, nil
}

func asStrings(n *Node) ([]string, error) {
	switch n.Kind {
	case Null:
		return nil, nil
	case List:
		out := make([]string, 0, len(n.Items))
		for _, it := range n.Items {
			s, err := asString(it)
			if err != nil {
				return nil, err
			}
			out = append(out, s)
		}
		return out, nil
	case Scalar: // one value stands for a list of one
		s, err := asString(n)
		return []string{s}, err
	default:
		return nil, fmt.Errorf("want a list, got %s", n.kindName())
	}
}

func asBool(n *Node) (bool, error) {
	if n.Kind == Null {
		return false, nil
	}
	switch v := n.Value.(type) {
	case bool:
		return v, nil
	case string:
		switch strings.ToLower(v) {
		case "true", "yes", "on", "1":
			return true, nil
		case "false", "no", "off", "0":
			return false, nil
		}
	}
	return false, fmt.Errorf("want true or false, got %s", n.kindName())
}

func asInt(n *Node) (int64, error) {
	switch v := n.Value.(type) {
	case nil:
		if n.Kind == Null {
			return 0, nil
		}
	case int64:
		return v, nil
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v), nil
		}
	case string:
		if i, err := strconv.ParseInt(strings.TrimSpace(v), 0, 64); err == nil {
			return i, nil
		}
	}
	return 0, fmt.Errorf("want a whole number, got %s", n.kindName())
}

var sizePattern = regexp.MustCompile(`^\s*(\d+(?:\.\d+)?)\s*([kKmMgG]?)(i?)[bB]?\s*$`)

func asSize(n *Node) (int64, error) {
	if i, err := asInt(n); err == nil {
		return i, nil
	}
	s, _ := n.Value.(string)
	m := sizePattern.FindStringSubmatch(s)
	if m == nil {
		return 0, fmt.Errorf("want a number of bytes such as 16384 or 10MiB, got %s", n.kindName())
	}
	f, _ := strconv.ParseFloat(m[1], 64)
	unit := 1000.0
	if m[3] != "" {
		unit = 1024
	}
	for range strings.Index("kmg", strings.ToLower(m[2])) + 1 {
		if m[2] == "" {
			break
		}
		f *= unit
	}
	if f > math.MaxInt32*1024 {
		return 0, fmt.Errorf("%s is too large", s)
	}
	return int64(f), nil
}

// asDuration reads a duration; a bare number is in seconds.
func asDuration(n *Node) (time.Duration, error) {
	switch v := n.Value.(type) {
	case nil:
		if n.Kind == Null {
			return 0, nil
		}
	case int64:
		return time.Duration(v) * time.Second, nil
	case float64:
		return time.Duration(v * float64(time.Second)), nil
	case string:
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			return time.Duration(f * float64(time.Second)), nil
		}
		if d, err := time.ParseDuration(v); err == nil {
			return d, nil
		}
		return 0, fmt.Errorf("%q is no duration: write 10s, 5m, 2h or 300ms", v)
	}
	return 0, fmt.Errorf("want a duration such as 10s, got %s", n.kindName())
}

func asRegexps(n *Node) ([]*regexp.Regexp, error) {
	list, err := asStrings(n)
	if err != nil {
		return nil, err
	}
	out := make([]*regexp.Regexp, 0, len(list))
	for _, s := range list {
		re, err := regexp.Compile(s)
		if err != nil {
			return nil, err
		}
		out = append(out, re)
	}
	return out, nil
}
