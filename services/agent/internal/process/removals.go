package process

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/weirflow/weirflow/services/agent/internal/document"
	"github.com/weirflow/weirflow/services/agent/internal/settings"
)

// removals are the processors that take something away.
func removals() map[string]kind {
	fields := settings.Option{Key: "fields", Type: settings.Strings}
	return map[string]kind{
		"drop_event": {build: func(builder) (step, error) { return func(*document.Event) bool { return false }, nil }},
		"drop_fields": {
			options:  settings.Table{fields, {Key: "ignore_missing", Type: settings.Bool}},
			required: []string{"fields"}, staticIf: onlyStanding, build: dropFields,
		},
		"include_fields": {options: settings.Table{fields}, required: []string{"fields"}, build: includeFields},
		"truncate_fields": {
			options: settings.Table{
				fields, {Key: "max_bytes", Type: settings.Int}, {Key: "max_characters", Type: settings.Int},
				{Key: "ignore_missing", Type: settings.Bool}, {Key: "fail_on_error", Type: settings.Bool, Default: "true"},
			},
			required: []string{"fields"}, build: truncateFields,
		},
	}
}

// onlyStanding says whether all fields are of those that a file's events share.
func onlyStanding(b builder) bool {
	for _, f := range b.Strings("fields") {
		root, _, _ := strings.Cut(f, ".")
		switch root {
		case "host", "agent", "input", "ecs", "fields":
		default:
			return false
		}
	}
	return true
}

func dropFields(b builder) (step, error) {
	var patterns []*regexp.Regexp
	var names []string
	for _, f := range b.Strings("fields") {
		if len(f) > 2 && strings.HasPrefix(f, "/") && strings.HasSuffix(f, "/") {
			re, err := regexp.Compile(f[1 : len(f)-1])
			if err != nil {
				return nil, err
			}
			patterns = append(patterns, re)
			continue
		}
		names = append(names, f)
	}
	return func(e *document.Event) bool {
		for _, f := range names {
			_ = e.Delete(f) // what is missing is gone already
		}
		for _, re := range patterns {
			dropMatching(e.Fields, "", re)
		}
		return true
	}, nil
}

func dropMatching(m document.Map, prefix string, re *regexp.Regexp) {
	for k, v := range m {
		if re.MatchString(prefix + k) {
			delete(m, k)
			continue
		}
		if inner, ok := v.(document.Map); ok {
			dropMatching(inner, prefix+k+".", re)
		}
	}
}

func includeFields(b builder) (step, error) {
	fields := b.Strings("fields")
	return func(e *document.Event) bool {
		kept := document.Map{}
		for _, f := range fields {
			if v, err := document.Get(e.Fields, f); err == nil {
				_ = document.Put(kept, f, v) // into what is empty
			}
		}
		e.Fields = kept
		return true
	}, nil
}

func truncateFields(b builder) (step, error) {
	fields, bytes, chars := b.Strings("fields"), b.Int("max_bytes"), b.Int("max_characters")
	if (bytes > 0) == (chars > 0) {
		return nil, errors.New("give either max_bytes or max_characters")
	}
	return func(e *document.Event) bool {
		for _, f := range fields {
			v, err := e.Get(f)
			s, ok := v.(string)
			if err != nil || !ok {
				continue
			}
			short := s
			if bytes > 0 && len(s) > bytes {
				short = s[:bytes]
			} else if chars > 0 && utf8.RuneCountInString(s) > chars {
				short = string([]rune(s)[:chars])
			}
			if short == s {
				continue
			}
			if err := e.Put(f, short); err == nil {
				_ = document.AddTags(e.Fields, "log.flags", []string{"truncated"})
			}
		}
		return true
	}, nil
}

// restoring runs a change; where it fails and should not, the event is as before
// and tells why.
func restoring(failOnError bool, change func(e *document.Event) error) step {
	return func(e *document.Event) bool {
		var backup *document.Event
		if failOnError {
			backup = e.Clone()
		}
		if err := change(e); err != nil && failOnError {
			*e = *backup
			fail(e, err.Error())
		}
		return true
	}
}

func notFetched(field string, err error) error {
	return fmt.Errorf("could not fetch value for key: %s, Error: %w", field, err)
}
