package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Defaults of a Source's empty members.
const (
	DefaultBeat    = "filebeat"
	DefaultVersion = "8.1.3"
)

// timestampLayout is the form of `@timestamp`.
const timestampLayout = "2006-01-02T15:04:05.000Z"

// ErrEnvelope marks an envelope that no event can be made with.
var ErrEnvelope = errors.New("bad envelope")

// Source is what all events of one file have in common.
type Source struct {
	// Beat and Version are the content of `@metadata`.
	Beat    string
	Version string
	// Path is `log.file.path`.
	Path string
	// Envelope is a JSON object, whose members each event has: host, agent,
	// input, ecs, tags, fields. Empty stands for an empty object.
	Envelope []byte
}

// Template renders the lines of one source. It remembers the text of the last
// second, so it must not be used by two goroutines at once.
type Template struct {
	head   []byte // `Z","@metadata":{…},"log":{"offset":`
	middle []byte // `,"file":{"path":"…"}},"message":"`
	tail   []byte // `","host":…}`

	second int64
	clock  [len(timestampLayout)]byte
}

// NewTemplate compiles a source. It refuses an envelope that is not a JSON
// object or that has a member which the event itself has.
func NewTemplate(s Source) (*Template, error) {
	members, err := envelopeMembers(s.Envelope)
	if err != nil {
		return nil, err
	}
	if s.Beat == "" {
		s.Beat = DefaultBeat
	}
	if s.Version == "" {
		s.Version = DefaultVersion
	}
	t := &Template{second: -1 << 62}
	t.head = append(t.head, `","@metadata":{"beat":`...)
	t.head = AppendString(t.head, s.Beat)
	t.head = append(t.head, `,"type":"_doc","version":`...)
	t.head = AppendString(t.head, s.Version)
	t.head = append(t.head, `},"log":{"offset":`...)
	t.middle = append(t.middle, `,"file":{"path":`...)
	t.middle = AppendString(t.middle, s.Path)
	t.middle = append(t.middle, `}},"message":"`...)
	t.tail = append(t.tail, '"')
	if len(members) > 0 {
		t.tail = append(t.tail, ',')
		t.tail = append(t.tail, members...)
	}
	t.tail = append(t.tail, '}')
	return t, nil
}

// AppendLine appends the event of one line: its time in milliseconds since the
// epoch, its place in the file, its text.
func (t *Template) AppendLine(dst []byte, timestampMillis, offset int64, line []byte) []byte {
	dst = append(dst, `{"@timestamp":"`...)
	dst = append(dst, t.timestamp(timestampMillis)...)
	dst = append(dst, t.head...)
	dst = strconv.AppendInt(dst, offset, 10)
	dst = append(dst, t.middle...)
	dst = AppendEscaped(dst, line)
	return append(dst, t.tail...)
}

// Overhead is the size of an event of an empty line, about.
func (t *Template) Overhead() int {
	return len(t.head) + len(t.middle) + len(t.tail) + len(timestampLayout) + 30
}

func (t *Template) timestamp(millis int64) []byte {
	second, rest := millis/1000, millis%1000
	if rest < 0 {
		second, rest = second-1, rest+1000
	}
	if second != t.second {
		// While it formats, AppendFormat may need more room than the result has.
		var room [2 * len(timestampLayout)]byte
		text := AppendTimestamp(room[:0], second*1000)
		if len(text) != len(t.clock) { // a year beyond 9999: never cached
			return AppendTimestamp(nil, millis)
		}
		copy(t.clock[:], text)
		t.second = second
	}
	t.clock[20] = byte('0' + rest/100)
	t.clock[21] = byte('0' + rest/10%10)
	t.clock[22] = byte('0' + rest%10)
	return t.clock[:]
}

// AppendTimestamp appends a time in the form that `@timestamp` has.
func AppendTimestamp(dst []byte, millis int64) []byte {
	return time.UnixMilli(millis).UTC().AppendFormat(dst, timestampLayout)
}

// AppendID appends the content of an event's `event-id` header, which names the
// event for ever: "<agent>:<file>:<offset>".
func AppendID(dst []byte, agentID, fileID string, offset int64) []byte {
	dst = append(dst, agentID...)
	dst = append(dst, ':')
	dst = append(dst, fileID...)
	dst = append(dst, ':')
	return strconv.AppendInt(dst, offset, 10)
}

// IDHeader is the key of the record header that carries an event's id.
const IDHeader = "event-id"

// envelopeMembers checks an envelope and returns what stands between its braces.
func envelopeMembers(envelope []byte) ([]byte, error) {
	envelope = bytes.TrimSpace(envelope)
	if len(envelope) == 0 {
		return nil, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(envelope, &members); err != nil {
		return nil, fmt.Errorf("%w: want a JSON object: %w", ErrEnvelope, err)
	}
	if members == nil {
		return nil, fmt.Errorf("%w: want a JSON object, got null", ErrEnvelope)
	}
	for _, reserved := range []string{"@timestamp", "@metadata", "log", "message"} {
		if _, ok := members[reserved]; ok {
			return nil, fmt.Errorf("%w: member %q belongs to the event", ErrEnvelope, reserved)
		}
	}
	var flat bytes.Buffer
	if err := json.Compact(&flat, envelope); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEnvelope, err)
	}
	text := flat.Bytes()
	return text[1 : len(text)-1], nil
}
