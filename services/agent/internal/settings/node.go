package settings

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind says what a node is.
type Kind int

// The kinds of nodes.
const (
	Null Kind = iota
	Scalar
	Map
	List
)

// Node is a value of the configuration and where it comes from.
type Node struct {
	Kind Kind
	// Value is a scalar's: string, bool, int64, uint64 or float64.
	Value any
	// Members and Keys are a map's; Keys has them in the order of the file.
	Members map[string]*Node
	Keys    []string
	// Items are a list's.
	Items []*Node

	File string
	Line int
}

// Where names the node's place for an error.
func (n *Node) Where() string {
	if n == nil || n.File == "" {
		return "configuration"
	}
	if n.Line == 0 {
		return n.File
	}
	return n.File + ":" + strconv.Itoa(n.Line)
}

// Errorf makes an error that names the node's place.
func (n *Node) Errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %w", n.Where(), fmt.Errorf(format, args...))
}

// Get follows a dotted path and returns nil where it ends.
func (n *Node) Get(path string) *Node {
	for part := range strings.SplitSeq(path, ".") {
		if n == nil || n.Kind != Map {
			return nil
		}
		n = n.Members[part]
	}
	return n
}

// put sets a member of a map, merging it with what is there.
func (n *Node) put(key string, v *Node) {
	if n.Members == nil {
		n.Members = map[string]*Node{}
	}
	old := n.Members[key]
	if old == nil {
		n.Keys = append(n.Keys, key)
		n.Members[key] = v
		return
	}
	n.Members[key] = merge(old, v)
}

// merge lays over one node another: maps are joined, anything else is replaced.
func merge(base, over *Node) *Node {
	if base == nil || base.Kind != Map || over.Kind != Map {
		return over
	}
	for _, k := range over.Keys {
		base.put(k, over.Members[k])
	}
	return base
}

// Plain turns the node into maps, slices and scalars.
func (n *Node) Plain() any {
	if n == nil {
		return nil
	}
	switch n.Kind {
	case Map:
		m := make(map[string]any, len(n.Keys))
		for _, k := range n.Keys {
			m[k] = n.Members[k].Plain()
		}
		return m
	case List:
		l := make([]any, len(n.Items))
		for i, it := range n.Items {
			l[i] = it.Plain()
		}
		return l
	case Scalar:
		return n.Value
	default:
		return nil
	}
}

// Text is a scalar as a string.
func (n *Node) Text() (string, bool) {
	if n == nil || n.Kind != Scalar {
		return "", false
	}
	switch v := n.Value.(type) {
	case string:
		return v, true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	default:
		return fmt.Sprint(v), true
	}
}

// kindName says in a message what a node is.
func (n *Node) kindName() string {
	switch {
	case n == nil || n.Kind == Null:
		return "nothing"
	case n.Kind == Map:
		return "a mapping"
	case n.Kind == List:
		return "a list"
	}
	switch n.Value.(type) {
	case string:
		return "a string"
	case bool:
		return "a boolean"
	default:
		return "a number"
	}
}
