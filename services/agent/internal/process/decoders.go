package process

import (
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/agent/internal/document"
	"github.com/weirflow/weirflow/services/agent/internal/parse"
	"github.com/weirflow/weirflow/services/agent/internal/settings"
)

// decoders are the processors that take values apart.
func decoders() map[string]kind {
	missing := settings.Option{Key: "ignore_missing", Type: settings.Bool}
	failing := settings.Option{Key: "fail_on_error", Type: settings.Bool, Default: "true"}
	overwrite := settings.Option{Key: "overwrite_keys", Type: settings.Bool}
	return map[string]kind{
		"dissect": dissectKind(),
		"decode_json_fields": {
			options: settings.Table{
				{Key: "fields", Type: settings.Strings}, {Key: "process_array", Type: settings.Bool}, {Key: "max_depth", Type: settings.Int, Default: "1"},
				{Key: "target", Type: settings.String}, overwrite, {Key: "expand_keys", Type: settings.Bool},
				{Key: "add_error_key", Type: settings.Bool}, {Key: "document_id", Type: settings.String},
			},
			required: []string{"fields"}, build: decodeJSON,
		},
		"decode_base64_field": {
			options:  settings.Table{{Key: "field.from", Type: settings.String}, {Key: "field.to", Type: settings.String}, missing, failing},
			required: []string{"field"}, build: decodeBase64,
		},
		"decode_csv_fields": {
			options: settings.Table{
				{Key: "fields", Type: settings.Any}, {Key: "separator", Type: settings.String, Default: ","},
				{Key: "trim_leading_space", Type: settings.Bool}, overwrite, missing, failing,
			},
			required: []string{"fields"}, build: decodeCSV,
		},
		"extract_array": {
			options: settings.Table{
				{Key: "field", Type: settings.String}, {Key: "mappings", Type: settings.Any}, overwrite,
				{Key: "omit_empty", Type: settings.Bool}, missing, failing,
			},
			required: []string{"field", "mappings"}, build: extractArray,
		},
	}
}

// errSkipped is the answer for an array where arrays are not to be decoded.
var errSkipped = errors.New("processing skipped")

func decodeJSON(b builder) (step, error) {
	o := parse.JSONOptions{Overwrite: b.Bool("overwrite_keys"), Expand: b.Bool("expand_keys"), ErrorKey: b.Bool("add_error_key")}
	depth, arrays, idKey := max(1, b.Int("max_depth")), b.Bool("process_array"), b.String("document_id")
	fields, target := b.Strings("fields"), b.node.Get("target")
	return func(e *document.Event) bool {
		for _, f := range fields {
			v, err := e.Get(f)
			text, ok := v.(string)
			if err != nil || !ok {
				continue
			}
			out, err := decodeDeep(text, depth, arrays)
			if err != nil {
				if o.ErrorKey {
					e.Fields["error"] = document.Map{"message": "parsing input as JSON: " + err.Error(), "data": text, "field": f}
				}
				continue
			}
			object, isObject := out.(document.Map)
			if isObject && idKey != "" {
				if id, err := document.Get(object, idKey); err == nil {
					if s, ok := id.(string); ok {
						_ = document.Delete(object, idKey) // just found
						_ = e.Put("@metadata._id", s)      // metadata is an object
					}
				}
			}
			into := f
			if target != nil {
				into, _ = target.Text()
			}
			switch {
			case into != "":
				if err := e.Put(into, out); err != nil {
					fail(e, err.Error())
				}
			case isObject:
				o.WriteRoot(e, object)
			}
		}
		return true
	}, nil
}

func decodeDeep(text string, depth int, arrays bool) (any, error) {
	var v any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("multiple json elements found")
	}
	if _, err := d.Token(); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if m, ok := v.(document.Map); ok {
		v = parse.Numbers(m)
	}
	if depth--; depth == 0 {
		return v, nil
	}
	inner := func(v any) any {
		s, ok := v.(string)
		if !ok || !structured(s) {
			return v
		}
		if decoded, err := decodeDeep(s, depth, arrays); err == nil {
			return decoded
		}
		return v
	}
	switch v := v.(type) {
	case document.Map:
		for k := range v {
			v[k] = inner(v[k])
		}
	case []any:
		if !arrays {
			return nil, errSkipped
		}
		for i := range v {
			v[i] = inner(v[i])
		}
	}
	return v, nil
}

func structured(s string) bool {
	s = strings.TrimSpace(s)
	return len(s) > 1 && (s[0] == '{' && s[len(s)-1] == '}' || s[0] == '[' && s[len(s)-1] == ']')
}

func decodeBase64(b builder) (step, error) {
	from, to := b.String("field.from"), b.String("field.to")
	if from == "" {
		return nil, errors.New("field.from is missing")
	}
	if to == "" {
		to = from
	}
	ignoreMissing := b.Bool("ignore_missing")
	return restoring(b.Bool("fail_on_error"), func(e *document.Event) error {
		v, err := e.Get(from)
		if err != nil {
			if ignoreMissing && errors.Is(err, document.ErrNotFound) {
				return nil
			}
			return fmt.Errorf("failed to decode base64 fields in processor: %w", notFetched(from, err))
		}
		s, ok := v.(string)
		if !ok {
			return fmt.Errorf("failed to decode base64 fields in processor: invalid type for `from`, expecting a string received %T", v)
		}
		decoded, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			if decoded, err = base64.RawStdEncoding.DecodeString(s); err != nil {
				return fmt.Errorf("failed to decode base64 fields in processor: error trying to decode %s: %w", s, err)
			}
		}
		return e.Put(to, string(decoded))
	}), nil
}

func decodeCSV(b builder) (step, error) {
	leaves := map[string]*settings.Node{}
	flatten("", b.node.Get("fields"), leaves)
	separator, size := utf8.DecodeRuneInString(b.String("separator"))
	if size != len(b.String("separator")) || size == 0 {
		return nil, errors.New("separator must be one character")
	}
	overwrite, trim, failOnError, ignoreMissing := b.Bool("overwrite_keys"), b.Bool("trim_leading_space"), b.Bool("fail_on_error"), b.Bool("ignore_missing")
	one := func(e *document.Event, from, to string) error {
		v, err := e.Get(from)
		if err != nil {
			if ignoreMissing {
				return nil
			}
			return err
		}
		s, ok := v.(string)
		if !ok {
			return fmt.Errorf("field %s is no string", from)
		}
		r := csv.NewReader(strings.NewReader(s))
		r.Comma, r.TrimLeadingSpace, r.LazyQuotes = separator, trim, true
		record, err := r.Read()
		if err != nil {
			return err
		}
		if _, err := e.Get(to); err == nil && !overwrite && to != from {
			return fmt.Errorf("target field %s already has a value", to)
		}
		return e.Put(to, record)
	}
	return func(e *document.Event) bool {
		changed := e.Clone()
		for from, n := range leaves {
			to, _ := n.Text()
			if err := one(changed, from, to); err != nil && failOnError {
				return true
			}
		}
		*e = *changed
		return true
	}, nil
}

func extractArray(b builder) (step, error) {
	leaves := map[string]*settings.Node{}
	flatten("", b.node.Get("mappings"), leaves)
	type mapping struct {
		to    string
		index int
	}
	var mappings []mapping
	for to, n := range leaves {
		i, ok := n.Value.(int64)
		if !ok || i < 0 {
			return nil, n.Errorf("mappings.%s should be an index", to)
		}
		mappings = append(mappings, mapping{to, int(i)})
	}
	slices.SortFunc(mappings, func(a, b mapping) int { return a.index - b.index })
	field, overwrite, omit, failOnError := b.String("field"), b.Bool("overwrite_keys"), b.Bool("omit_empty"), b.Bool("fail_on_error")
	return func(e *document.Event) bool {
		v, err := e.Get(field)
		list, ok := v.([]any)
		if err != nil || !ok {
			return true
		}
		changed := e.Clone()
		for _, m := range mappings {
			if m.index >= len(list) {
				if failOnError {
					return true
				}
				continue
			}
			item := list[m.index]
			if omit && empty(item) {
				continue
			}
			if _, err := changed.Get(m.to); err == nil && !overwrite {
				if failOnError {
					return true
				}
				continue
			}
			if err := changed.Put(m.to, document.Clone(item)); err != nil && failOnError {
				return true
			}
		}
		*e = *changed
		return true
	}, nil
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case document.Map:
		return len(v) == 0
	}
	return false
}
