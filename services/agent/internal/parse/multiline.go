package parse

import (
	"regexp"
	"slices"
	"time"

	"github.com/weirflow/weirflow/services/agent/internal/document"
)

// MultilineKind says how lines are recognised as belonging together.
type MultilineKind int

// The kinds of multiline.
const (
	ByPattern MultilineKind = iota
	ByCount
	WhilePattern
)

// MultilineOptions are the settings of a multiline parser.
type MultilineOptions struct {
	Kind     MultilineKind
	Pattern  *regexp.Regexp
	Negate   bool
	Before   bool // match: before
	Flush    *regexp.Regexp
	MaxLines int
	MaxBytes int // 0: no limit here
	Count    int
	Timeout  time.Duration
	// Separator stands between the lines.
	Separator string
	// LastOffset makes the offset of the last line that is not empty that of the message.
	LastOffset bool
}

// multiline joins lines.
type multiline struct {
	o MultilineOptions

	open      bool
	msg       Message
	content   []byte
	last      []byte
	lines     int
	truncated bool
	touched   time.Time
	now       func() time.Time
}

// NewMultiline makes a stage that joins lines.
func NewMultiline(o MultilineOptions) Stage { return &multiline{o: o, now: time.Now} }

func (m *multiline) matches(line []byte) bool { return m.o.Pattern.Match(line) != m.o.Negate }

func (m *multiline) Feed(in Message, emit Emit) {
	switch m.o.Kind {
	case ByCount:
		m.add(in)
		if m.lines >= m.o.Count {
			m.finish(emit)
		}
	case WhilePattern:
		if m.matches(in.Content) {
			m.add(in)
			return
		}
		m.finish(emit)
		m.add(in)
		m.finish(emit)
	default:
		m.byPattern(in, emit)
	}
}

func (m *multiline) byPattern(in Message, emit Emit) {
	if !m.open {
		m.add(in)
		return
	}
	if m.o.Flush != nil && m.o.Flush.Match(in.Content) {
		m.add(in)
		m.finish(emit)
		return
	}
	subject := in.Content
	if m.o.Before {
		subject = m.last
	}
	if !m.matches(subject) {
		m.finish(emit)
	}
	m.add(in)
}

func (m *multiline) add(in Message) {
	m.touched = m.now()
	if !m.open {
		m.open = true
		m.msg = in
		m.msg.Flags = slices.Clone(in.Flags)
		m.content, m.lines, m.truncated = m.content[:0], 0, false
	} else {
		m.msg.End = in.End
		if m.o.LastOffset && len(in.Content) > 0 {
			m.msg.Offset = in.Offset
		}
		if in.Fields != nil {
			if m.msg.Fields == nil {
				m.msg.Fields = document.Map{}
			}
			document.Merge(m.msg.Fields, in.Fields, true)
		}
	}
	m.last = append(m.last[:0], in.Content...)
	separator := ""
	if len(m.content) > 0 {
		separator = m.o.Separator
	}
	space := len(in.Content)
	if m.o.MaxBytes > 0 {
		space = min(space, m.o.MaxBytes-len(m.content)-len(separator))
	}
	if m.o.MaxLines > 0 && m.lines >= m.o.MaxLines || m.o.MaxBytes > 0 && m.o.MaxBytes-len(m.content)-len(separator) <= 0 {
		m.truncated = m.truncated || len(in.Content) > 0
		if m.o.Kind == ByCount {
			m.lines++
		}
		return
	}
	m.truncated = m.truncated || space < len(in.Content)
	m.content = append(m.content, separator...)
	m.content = append(m.content, in.Content[:space]...)
	m.lines++
}

func (m *multiline) finish(emit Emit) {
	if !m.open {
		return
	}
	m.open = false
	m.msg.Content = m.content
	if m.truncated {
		m.msg.Flags = append(m.msg.Flags, "truncated")
	}
	if m.lines > 1 {
		m.msg.Flags = append(m.msg.Flags, "multiline")
	}
	emit(m.msg)
}

func (m *multiline) Pending() (int64, bool) { return m.msg.Start, m.open }

func (m *multiline) Deadline() time.Time {
	if !m.open || m.o.Kind == ByCount {
		return time.Time{}
	}
	return m.touched.Add(m.o.Timeout)
}

func (m *multiline) Expire(now time.Time, final bool, emit Emit) {
	if final || m.open && m.o.Kind != ByCount && !now.Before(m.touched.Add(m.o.Timeout)) {
		m.finish(emit)
	}
}

func (m *multiline) Reset() { m.open = false }
