package settings

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// checked is what checking a section against its table has found.
type checked struct {
	errs    []error
	ignored []string
}

// check holds a mapping against a table. The section's name is for messages:
// "filebeat.inputs.0", empty for the file itself.
func check(section string, n *Node, t Table) checked {
	var c checked
	if n.Kind == Null {
		return c
	}
	if n.Kind != Map {
		c.errs = append(c.errs, n.Errorf("%s is %s, but should be a mapping", section, n.kindName()))
		return c
	}
	c.walk(section, "", n, t)
	return c
}

func (c *checked) walk(section, prefix string, n *Node, t Table) {
	for _, k := range n.Keys {
		path, v := prefix+k, n.Members[k]
		i := slices.IndexFunc(t, func(o Option) bool { return o.Key == path })
		switch {
		case i >= 0:
			c.option(section, t[i], v)
		case !slices.ContainsFunc(t, func(o Option) bool { return strings.HasPrefix(o.Key, path+".") }):
			c.errs = append(c.errs, unknown(section, path, v, t))
		case v.Kind == Map:
			c.walk(section, path+".", v, t)
		case v.Kind != Null:
			c.errs = append(c.errs, v.Errorf("%s is %s, but should be a mapping", join(section, path), v.kindName()))
		}
	}
}

func unknown(section, path string, v *Node, t Table) error {
	where := ""
	if section != "" {
		where = " in " + section
	}
	keys := make([]string, len(t))
	for i, o := range t {
		keys[i] = o.Key
	}
	hint := Suggest(path, keys)
	if hint == "" {
		hint = sameWords(path, keys)
	}
	if hint == "" {
		return v.Errorf("unknown key %q%s", path, where)
	}
	return v.Errorf("unknown key %q%s: did you mean %q?", path, where, hint)
}

// sameWords finds the shortest key that has all the words of another, as
// close.on_state_change.renamed has those of close_renamed.
func sameWords(path string, keys []string) string {
	words := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return r == '.' || r == '_' })
	}
	best := ""
	for _, k := range keys {
		there := words(k)
		if slices.ContainsFunc(words(path), func(w string) bool { return !slices.Contains(there, w) }) {
			continue
		}
		if best == "" || len(k) < len(best) {
			best = k
		}
	}
	return best
}

func (c *checked) option(section string, o Option, v *Node) {
	name := join(section, o.Key)
	switch o.Type {
	case Any:
		return
	case Ignored:
		c.ignored = append(c.ignored, name)
		return
	case Unsupported:
		c.errs = append(c.errs, v.Errorf("%s is not supported: %s", name, o.Note))
		return
	}
	if v.Kind == Null {
		return
	}
	if err := parseAs(o.Type, v); err != nil {
		c.errs = append(c.errs, v.Errorf("%s: %w", name, err))
	}
}

func parseAs(t Type, v *Node) error {
	var err error
	switch t {
	case String:
		_, err = asString(v)
	case Strings:
		_, err = asStrings(v)
	case Bool:
		_, err = asBool(v)
	case Int:
		_, err = asInt(v)
	case Size:
		var n int64
		if n, err = asSize(v); err == nil && n < 0 {
			err = fmt.Errorf("must not be negative, is %d", n)
		}
	case Duration:
		_, err = asDuration(v)
	case Regexps:
		_, err = asRegexps(v)
	}
	return err
}

func join(section, key string) string {
	if section == "" {
		return key
	}
	return section + "." + key
}

// Check holds a mapping against a table and joins what is wrong.
func Check(section string, n *Node, t Table) error {
	return errors.Join(check(section, n, t).errs...)
}
