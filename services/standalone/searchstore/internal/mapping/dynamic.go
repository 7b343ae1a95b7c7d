package mapping

import (
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/dates"
	"github.com/weirflow/weirflow/services/standalone/searchstore/internal/jsondoc"
)

// keywordText is what a new string field becomes.
const keywordText = `{"type":"text","fields":{"keyword":{"type":"keyword","ignore_above":256}}}`

// detect returns the dynamic type of the value at b[i] ("string", "long",
// "double", "boolean", "date", "object") or "" when it has none: null, [].
func (m *Mapping) detect(b []byte, i int) string {
	for arrays := 0; ; { // the first value that has a type, in an array or arrays of arrays
		i = jsondoc.Space(b, i)
		if i >= len(b) {
			return ""
		}
		switch c := b[i]; {
		case c == '[':
			arrays++
			i++
			continue
		case c == ']':
			arrays--
			i++
		case c == ',' && arrays > 0:
			i++
			continue
		case c == 'n':
			i += 4
		case c == '{':
			return "object"
		case c == 't' || c == 'f':
			return "boolean"
		case c == '"':
			return m.detectString(b, i)
		case c == '-' || c >= '0' && c <= '9':
			if _, integer, err := jsondoc.Number(b, i); err == nil && integer {
				return "long"
			}
			return "double"
		default:
			return ""
		}
		if arrays <= 0 {
			return ""
		}
	}
}

func (m *Mapping) detectString(b []byte, i int) string {
	raw, esc, _, err := jsondoc.String(b, i)
	if err != nil || esc {
		return "string"
	}
	s := string(raw)
	if m.DateDetection && len(s) >= 4 && len(s) < 64 && strings.ContainsAny(s, ":-/") {
		if _, ok := m.dynamicDate(s); ok {
			return "date"
		}
	}
	if m.NumericDetection {
		if next, integer, err := jsondoc.Number(raw, 0); err == nil && next == len(raw) {
			if integer {
				return "long"
			}
			return "double"
		}
	}
	return "string"
}

// dynamicDate finds the format that a new date field gets; "" is the default.
func (m *Mapping) dynamicDate(s string) (format string, ok bool) {
	if m.DynamicFormats != nil {
		_, err := m.DynamicFormats.Parse(s, time.UTC, false)
		return m.DynamicFormats.String(), err == nil
	}
	if s[0] >= '0' && s[0] <= '9' {
		for _, f := range [...]string{"strict_date_optional_time", "yyyy/MM/dd HH:mm:ss", "yyyy/MM/dd"} {
			df, err := dates.ParseFormat(f)
			if err != nil {
				continue
			}
			if _, err := df.Parse(s, time.UTC, false); err == nil {
				if f[0] == 'y' {
					return "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis", true
				}
				return "", true
			}
		}
	}
	return "", false
}

// definition returns the mapping that a new field of a dynamic type gets.
func (m *Mapping) definition(path, name, dynamicType string, b []byte, i int) *jsondoc.Value {
	if def := m.template(path, name, dynamicType); def != nil {
		return def
	}
	switch dynamicType {
	case "string":
		def, err := jsondoc.Parse([]byte(keywordText))
		if err != nil {
			return jsondoc.Obj("type", "text")
		}
		return def
	case "double":
		return jsondoc.Obj("type", "float")
	case "date":
		def := jsondoc.Obj("type", "date")
		for i < len(b) && b[i] != '"' {
			i++
		}
		if raw, _, _, err := jsondoc.String(b, i); err == nil {
			if f, ok := m.dynamicDate(string(raw)); ok && f != "" {
				def.Set("format", jsondoc.Str(f))
			}
		}
		return def
	case "object":
		return jsondoc.Obj("type", "object")
	}
	return jsondoc.Obj("type", dynamicType)
}

// template applies the first dynamic template that fits.
func (m *Mapping) template(path, name, dynamicType string) *jsondoc.Value {
	for _, t := range m.Templates {
		if mt := t.Get("match_mapping_type").Texts(); len(mt) > 0 && !anyGlob(mt, dynamicType) {
			continue
		}
		if !fits(t, "match", "unmatch", name) || !fits(t, "path_match", "path_unmatch", path) {
			continue
		}
		def := t.Get("mapping")
		if !def.Is(jsondoc.Object) {
			continue
		}
		def = substitute(def, name, dynamicType)
		if def.Get("type") == nil {
			typ := dynamicType
			switch dynamicType {
			case "string":
				typ = "text"
			case "double":
				typ = "float"
			}
			def.Set("type", jsondoc.Str(typ))
		}
		return def
	}
	return nil
}

func fits(t *jsondoc.Value, match, unmatch, s string) bool {
	if p := t.Get(match).Texts(); len(p) > 0 && !anyGlob(p, s) {
		return false
	}
	return !anyGlob(t.Get(unmatch).Texts(), s)
}

func anyGlob(patterns []string, s string) bool {
	for _, p := range patterns {
		if Glob(p, s) {
			return true
		}
	}
	return false
}

func substitute(v *jsondoc.Value, name, dynamicType string) *jsondoc.Value {
	c := *v
	c.S = strings.NewReplacer("{name}", name, "{dynamic_type}", dynamicType).Replace(v.S)
	c.Keys = append([]string(nil), v.Keys...)
	c.Items = nil
	for _, x := range v.Items {
		c.Items = append(c.Items, substitute(x, name, dynamicType))
	}
	return &c
}
