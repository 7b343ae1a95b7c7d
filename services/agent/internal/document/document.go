// Package document is an event as a tree of values, for those events that
// parsers and processors look into or change. Paths and results of changes are
// those of Filebeat's events.
package document

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Errors of paths.
var (
	ErrNotFound = errors.New("key not found")
	ErrNotMap   = errors.New("value is not a map")
)

// Map is an object of an event.
type Map = map[string]any

// Event is an event on its way through parsers and processors.
type Event struct {
	Timestamp time.Time
	Meta      Map
	Fields    Map
}

// Get finds the value at a dotted path.
func (e *Event) Get(path string) (any, error) {
	if path == "@timestamp" {
		return e.Timestamp, nil
	}
	if rest, ok := metaPath(path); ok {
		if rest == "" {
			return e.Meta, nil
		}
		return Get(e.Meta, rest)
	}
	return Get(e.Fields, path)
}

// Put sets the value at a dotted path and makes the objects on the way.
func (e *Event) Put(path string, v any) error {
	if path == "@timestamp" {
		t, ok := v.(time.Time)
		if !ok {
			return errors.New("@timestamp must be a time")
		}
		e.Timestamp = t
		return nil
	}
	if rest, ok := metaPath(path); ok && rest != "" {
		if e.Meta == nil {
			e.Meta = Map{}
		}
		return Put(e.Meta, rest, v)
	}
	return Put(e.Fields, path, v)
}

// Delete removes the value at a dotted path.
func (e *Event) Delete(path string) error {
	if path == "@timestamp" {
		return nil
	}
	if rest, ok := metaPath(path); ok && rest != "" {
		return Delete(e.Meta, rest)
	}
	return Delete(e.Fields, path)
}

// Clone copies the event.
func (e *Event) Clone() *Event {
	c := &Event{Timestamp: e.Timestamp, Fields: CloneMap(e.Fields)}
	if e.Meta != nil {
		c.Meta = CloneMap(e.Meta)
	}
	return c
}

func metaPath(path string) (string, bool) {
	if path == "@metadata" {
		return "", true
	}
	return strings.CutPrefix(path, "@metadata.")
}

// find walks to the object that holds the last part of a path. A key that has
// dots in it goes before a path of several keys.
func find(m Map, path string, create bool) (holder Map, key string, err error) {
	for {
		if _, ok := m[path]; ok {
			return m, path, nil
		}
		head, rest, dotted := strings.Cut(path, ".")
		if !dotted {
			return m, path, nil
		}
		v, ok := m[head]
		if !ok {
			if !create {
				return nil, "", ErrNotFound
			}
			next := Map{}
			m[head] = next
			v = next
		}
		next, ok := v.(Map)
		if !ok {
			return nil, "", fmt.Errorf("%w: %s is a %T", ErrNotMap, head, v)
		}
		m, path = next, rest
	}
}

// Get finds the value at a dotted path.
func Get(m Map, path string) (any, error) {
	holder, key, err := find(m, path, false)
	if err != nil {
		return nil, err
	}
	v, ok := holder[key]
	if !ok {
		return nil, ErrNotFound
	}
	return v, nil
}

// Put sets the value at a dotted path and makes the objects on the way.
func Put(m Map, path string, v any) error {
	holder, key, err := find(m, path, true)
	if err != nil {
		return err
	}
	holder[key] = v
	return nil
}

// Delete removes the value at a dotted path.
func Delete(m Map, path string) error {
	holder, key, err := find(m, path, false)
	if err != nil {
		return err
	}
	if _, ok := holder[key]; !ok {
		return ErrNotFound
	}
	delete(holder, key)
	return nil
}

// Merge lays one object over another: objects are joined, other values are
// replaced if overwrite says so.
func Merge(dst, src Map, overwrite bool) {
	for k, v := range src {
		old, exists := dst[k]
		if inner, ok := v.(Map); ok {
			if oldInner, ok := old.(Map); ok {
				Merge(oldInner, inner, overwrite)
				continue
			}
		}
		if !exists || overwrite {
			dst[k] = Clone(v)
		}
	}
}

// Clone copies a value.
func Clone(v any) any {
	switch v := v.(type) {
	case Map:
		return CloneMap(v)
	case []any:
		c := slices.Clone(v)
		for i := range c {
			c[i] = Clone(c[i])
		}
		return c
	case []string:
		return slices.Clone(v)
	default:
		return v
	}
}

// CloneMap copies an object.
func CloneMap(m Map) Map {
	c := make(Map, len(m)+4)
	for k, v := range m {
		c[k] = Clone(v)
	}
	return c
}

// Keys are an object's keys in order.
func Keys(m Map) []string { return slices.Sorted(maps.Keys(m)) }

// AddTags appends to a list of tags at a path. A scalar that stands there is
// left alone at the root, as Filebeat does.
func AddTags(m Map, path string, tags []string) error {
	old, err := Get(m, path)
	var list []any
	switch v := old.(type) {
	case []any:
		list = slices.Clone(v)
	case []string:
		for _, t := range v {
			list = append(list, t)
		}
	case nil:
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	default:
		if path == "tags" {
			return fmt.Errorf("expected list of tags, got %T", v)
		}
	}
	for _, t := range tags {
		list = append(list, t)
	}
	return Put(m, path, list)
}

// DropNulls removes members that are null, at every level; a null in a list stays.
func DropNulls(v any) {
	switch v := v.(type) {
	case Map:
		for k, inner := range v {
			if inner == nil {
				delete(v, k)
				continue
			}
			DropNulls(inner)
		}
	case []any:
		for _, inner := range v {
			DropNulls(inner)
		}
	}
}
