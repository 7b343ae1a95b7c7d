package parse

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/agent/internal/document"
)

// JSONOptions are the settings of json.* and of the ndjson parser.
type JSONOptions struct {
	MessageKey string
	DocumentID string
	Overwrite  bool
	Expand     bool
	ErrorKey   bool
	// Root puts the keys at the event's root.
	Root bool
	// Target is the key that they go under otherwise; ndjson only.
	Target string
}

// jsonKey is where the log input keeps what it decoded until the event is made.
const jsonKey = "json"

// DecodeObject decodes the first JSON value of a text, an object. Integers stay
// exact where they fit; what fits no number becomes a string.
func DecodeObject(text []byte) (document.Map, error) {
	var m document.Map
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		return nil, err
	}
	for k, v := range m {
		m[k] = Numbers(v)
	}
	return m, nil
}

// Numbers turns the number literals in a decoded value into numbers.
func Numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
		return v.String()
	case document.Map:
		for k, inner := range v {
			v[k] = Numbers(inner)
		}
	case []any:
		for i := range v {
			v[i] = Numbers(v[i])
		}
	}
	return v
}

func jsonError(format string, args ...any) document.Map {
	return document.Map{"message": fmt.Sprintf(format, args...), "type": "json"}
}

// decode decodes a line: its text, as the message key has it, and its fields,
// which are nil where it is no object.
func (o *JSONOptions) decode(text []byte) ([]byte, document.Map) {
	fields, err := DecodeObject(text)
	if err != nil || fields == nil {
		if o.ErrorKey {
			return text, document.Map{"error": jsonError("Error decoding JSON: %v", err)}
		}
		return text, nil
	}
	if o.MessageKey == "" {
		return nil, fields
	}
	switch v := fields[o.MessageKey].(type) {
	case string:
		return []byte(v), fields
	default:
		if _, there := fields[o.MessageKey]; o.ErrorKey && !there {
			fields["error"] = jsonError("Key '%s' not found", o.MessageKey)
		} else if o.ErrorKey {
			fields["error"] = jsonError("Value of key '%s' is not a string", o.MessageKey)
		}
		return nil, fields
	}
}

// documentID takes the id out of the fields.
func (o *JSONOptions) documentID(fields document.Map) (string, bool) {
	if o.DocumentID == "" {
		return "", false
	}
	v, err := document.Get(fields, o.DocumentID)
	if err != nil {
		return "", false
	}
	id, ok := v.(string)
	if ok {
		_ = document.Delete(fields, o.DocumentID) // just found
	}
	return id, ok
}

// logJSON is the json.* of the log input: it decodes before lines are joined;
// the event is completed by finishJSON.
type logJSON struct {
	stateless
	o JSONOptions
}

func (p *logJSON) Feed(m Message, emit Emit) {
	var fields document.Map
	m.Content, fields = p.o.decode(m.Content)
	if fields == nil {
		fields = document.Map{}
	}
	m.Fields = withField(m.Fields, jsonKey, fields)
	emit(m)
}

func withField(fields document.Map, key string, v any) document.Map {
	if fields == nil {
		fields = document.Map{}
	}
	fields[key] = v
	return fields
}

// finishJSON puts what logJSON found into the event.
func finishJSON(o JSONOptions) func(e *document.Event, m *Message) {
	return func(e *document.Event, m *Message) {
		fields, _ := e.Fields[jsonKey].(document.Map)
		if len(fields) == 0 {
			e.Fields["message"] = string(m.Content)
			return
		}
		if o.MessageKey != "" {
			fields[o.MessageKey] = string(m.Content)
		}
		if len(fields) == 1 && fields["error"] != nil {
			e.Fields["message"] = string(m.Content)
		}
		if id, ok := o.documentID(fields); ok {
			e.Meta = withField(e.Meta, "_id", id)
		}
		if o.Root {
			delete(e.Fields, jsonKey)
			root := &document.Event{Timestamp: e.Timestamp, Fields: e.Fields} // the log input takes no metadata from lines
			o.WriteRoot(root, fields)
			e.Timestamp = root.Timestamp
		}
	}
}

// ndjson is the parser of the filestream input.
type ndjson struct {
	stateless
	o JSONOptions
}

func (p *ndjson) Feed(m Message, emit Emit) {
	var fields document.Map
	m.Content, fields = p.o.decode(m.Content)
	if len(fields) == 0 {
		if fields != nil && m.Fields == nil {
			m.Fields = document.Map{} // an event without message
			m.Fields[emptyObject] = nil
		}
		emit(m)
		return
	}
	if p.o.MessageKey != "" && len(m.Content) == 0 {
		fields[p.o.MessageKey] = ""
	}
	if id, ok := p.o.documentID(fields); ok {
		m.Meta = withField(m.Meta, "_id", id)
	}
	if !p.o.Root && p.o.Target != "" {
		m.Fields = withField(m.Fields, p.o.Target, fields)
		emit(m)
		return
	}
	e := &document.Event{Timestamp: m.Time, Meta: m.Meta, Fields: m.Fields}
	if e.Fields == nil {
		e.Fields = document.Map{}
	}
	p.o.WriteRoot(e, fields)
	m.Time, m.Meta, m.Fields = e.Timestamp, e.Meta, e.Fields
	emit(m)
}

// emptyObject marks a message that is an event although it has neither text nor
// fields: its line was `{}`. The finisher removes it.
const emptyObject = "\x00empty"

// WriteRoot puts decoded keys at the root of an event.
func (o *JSONOptions) WriteRoot(e *document.Event, fields document.Map) {
	if o.Expand {
		expanded, err := expandKeys(fields)
		if err != nil {
			o.fail(e, "%v", err)
			return
		}
		fields = expanded
	}
	if !o.Overwrite {
		delete(fields, "@timestamp")
		delete(fields, "@metadata")
		document.Merge(e.Fields, fields, false)
		return
	}
	for k, v := range fields {
		switch k {
		case "@timestamp":
			o.writeTime(e, v)
		case "@metadata":
			if m, ok := v.(document.Map); ok {
				if e.Meta == nil {
					e.Meta = document.Map{}
				}
				document.Merge(e.Meta, m, true)
			} else {
				o.fail(e, "failed to update @metadata")
			}
		case "type":
			switch s, ok := v.(string); {
			case !ok:
				o.fail(e, "type not overwritten (not string)")
			case s == "" || s[0] == '_':
				o.fail(e, "type not overwritten (invalid value [%s])", s)
			default:
				e.Fields[k] = s
			}
		default:
			document.Merge(e.Fields, document.Map{k: v}, true)
		}
	}
}

func (o *JSONOptions) fail(e *document.Event, format string, args ...any) {
	if o.ErrorKey {
		e.Fields["error"] = jsonError(format, args...)
	}
}

func (o *JSONOptions) writeTime(e *document.Event, v any) {
	s, ok := v.(string)
	if !ok {
		o.fail(e, "@timestamp not overwritten (not string)")
		return
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			e.Timestamp = t
			return
		}
	}
	o.fail(e, "@timestamp not overwritten (parse error on %s)", s)
}

// expandKeys takes dotted keys apart at every level.
func expandKeys(m document.Map) (document.Map, error) {
	out := document.Map{}
	for _, k := range document.Keys(m) {
		v := m[k]
		if inner, ok := v.(document.Map); ok {
			expanded, err := expandKeys(inner)
			if err != nil {
				return nil, err
			}
			v = expanded
		}
		holder, last := out, k
		for {
			head, rest, dotted := strings.Cut(last, ".")
			if !dotted || head == "" || rest == "" {
				break
			}
			next, ok := holder[head].(document.Map)
			if !ok {
				if _, taken := holder[head]; taken {
					return nil, fmt.Errorf("cannot expand %s: found conflicting key", strconv.Quote(k))
				}
				next = document.Map{}
				holder[head] = next
			}
			holder, last = next, rest
		}
		old, taken := holder[last]
		oldMap, isMap := old.(document.Map)
		newMap, newIsMap := v.(document.Map)
		switch {
		case !taken:
			holder[last] = v
		case isMap && newIsMap:
			document.Merge(oldMap, newMap, true)
		default:
			return nil, fmt.Errorf("cannot expand %s: found conflicting key", strconv.Quote(k))
		}
	}
	return out, nil
}

// finishMessage is how filestream sets the message: only if there is text and no
// parser has set it.
func finishMessage(e *document.Event, m *Message) {
	delete(e.Fields, emptyObject)
	if _, set := e.Fields["message"]; !set && len(m.Content) > 0 {
		e.Fields["message"] = string(m.Content)
	}
}
