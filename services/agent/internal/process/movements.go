package process

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"

	"github.com/weirflow/weirflow/services/agent/internal/document"
	"github.com/weirflow/weirflow/services/agent/internal/settings"
)

// pair is an item of fields: from and to.
type pair struct {
	from, to string
	node     *settings.Node
}

func pairs(n *settings.Node, keys ...string) ([]pair, error) {
	if n.Kind != settings.List || len(n.Items) == 0 {
		return nil, errors.New("fields should be a list")
	}
	table := settings.Table{}
	for _, k := range keys {
		table = append(table, settings.Option{Key: k, Type: settings.String})
	}
	var out []pair
	for _, it := range n.Items {
		if err := settings.Check("fields", it, table); err != nil {
			return nil, err
		}
		p := pair{node: it}
		p.from, _ = it.Get("from").Text()
		p.to, _ = it.Get("to").Text()
		out = append(out, p)
	}
	return out, nil
}

func moving() settings.Table {
	return settings.Table{
		{Key: "fields", Type: settings.Any}, {Key: "ignore_missing", Type: settings.Bool},
		{Key: "fail_on_error", Type: settings.Bool, Default: "true"},
	}
}

// movements are the processors that move, copy and replace values.
func movements() map[string]kind {
	return map[string]kind{
		"rename":      {options: moving(), required: []string{"fields"}, build: rename},
		"copy_fields": {options: moving(), required: []string{"fields"}, build: copyFields},
		"replace":     {options: moving(), required: []string{"fields"}, build: replace},
		"urldecode":   {options: moving(), required: []string{"fields"}, build: urlDecode},
	}
}

// eachPair changes an event pair by pair; unless an error ends it, all are tried.
func eachPair(b builder, list []pair, name string, change func(e *document.Event, p pair) error) step {
	ignoreMissing, failOnError := b.Bool("ignore_missing"), b.Bool("fail_on_error")
	return restoring(failOnError, func(e *document.Event) error {
		for _, p := range list {
			err := change(e, p)
			if err == nil || ignoreMissing && errors.Is(err, document.ErrNotFound) {
				continue
			}
			if failOnError {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	})
}

func rename(b builder) (step, error) {
	list, err := pairs(b.node.Get("fields"), "from", "to")
	if err != nil {
		return nil, err
	}
	return eachPair(b, list, "Failed to rename fields in processor", func(e *document.Event, p pair) error {
		if _, err := e.Get(p.to); err == nil {
			return fmt.Errorf("target field %s already exists, drop or rename this field first", p.to)
		}
		v, err := e.Get(p.from)
		if err != nil {
			return notFetched(p.from, err)
		}
		if err := e.Delete(p.from); err != nil {
			return fmt.Errorf("could not delete key: %s,  %w", p.from, err)
		}
		if err := e.Put(p.to, v); err != nil {
			return fmt.Errorf("could not put value: %s: %v, %w", p.to, v, err)
		}
		return nil
	}), nil
}

func copyFields(b builder) (step, error) {
	list, err := pairs(b.node.Get("fields"), "from", "to")
	if err != nil {
		return nil, err
	}
	return eachPair(b, list, "Failed to copy fields in copy_fields processor", func(e *document.Event, p pair) error {
		if _, err := e.Get(p.to); err == nil {
			return fmt.Errorf("target field %s already exists, drop or rename this field first", p.to)
		}
		v, err := e.Get(p.from)
		if err != nil {
			return fmt.Errorf("could not fetch value for key: %s, Error: %w", p.from, err)
		}
		return e.Put(p.to, document.Clone(v))
	}), nil
}

func replace(b builder) (step, error) {
	list, err := pairs(b.node.Get("fields"), "field", "pattern", "replacement")
	if err != nil {
		return nil, err
	}
	patterns, with := map[*settings.Node]*regexp.Regexp{}, map[*settings.Node]string{}
	for i, p := range list {
		list[i].from, _ = p.node.Get("field").Text()
		text, ok := p.node.Get("pattern").Text()
		if !ok {
			return nil, p.node.Errorf("pattern is missing")
		}
		if patterns[p.node], err = regexp.Compile(text); err != nil {
			return nil, err
		}
		with[p.node], _ = p.node.Get("replacement").Text()
	}
	return eachPair(b, list, "Failed to replace fields in processor", func(e *document.Event, p pair) error {
		v, err := e.Get(p.from)
		if err != nil {
			return notFetched(p.from, err)
		}
		s, ok := v.(string)
		if !ok {
			return fmt.Errorf("value of %s is no string", p.from)
		}
		return e.Put(p.from, patterns[p.node].ReplaceAllString(s, with[p.node]))
	}), nil
}

func urlDecode(b builder) (step, error) {
	list, err := pairs(b.node.Get("fields"), "from", "to")
	if err != nil {
		return nil, err
	}
	return eachPair(b, list, "failed to decode fields in urldecode processor", func(e *document.Event, p pair) error {
		v, err := e.Get(p.from)
		if err != nil {
			return notFetched(p.from, err)
		}
		s, ok := v.(string)
		if !ok {
			return fmt.Errorf("invalid type for `from`, expecting a string received %T", v)
		}
		decoded, err := url.QueryUnescape(s)
		if err != nil {
			return fmt.Errorf("error trying to URL-decode %s: %w", s, err)
		}
		to := p.to
		if to == "" {
			to = p.from
		}
		return e.Put(to, decoded)
	}), nil
}
