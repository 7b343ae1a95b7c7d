package parse

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/weirflow/weirflow/services/agent/internal/document"
)

// ContainerOptions are the settings of the container parser.
type ContainerOptions struct {
	// Stream is all, stdout or stderr.
	Stream string
	// Format is auto, docker or cri.
	Format string
	// Strip removes the line end that Docker keeps inside the JSON.
	Strip bool
}

// container reads the files that Docker and CRI runtimes write, and joins the
// parts of long lines.
type container struct {
	o    ContainerOptions
	open bool
	msg  Message
	buf  []byte
}

// record is a line of a container's log.
type record struct {
	text    []byte
	stream  string
	at      time.Time
	partial bool
	attrs   map[string]string
}

func (c *container) Feed(m Message, emit Emit) {
	r, ok := c.parse(m.Content)
	if !ok || c.o.Stream != "all" && c.o.Stream != r.stream {
		return
	}
	if !c.open {
		c.open, c.msg, c.buf = true, m, c.buf[:0]
		c.msg.Time = r.at
		c.msg.Fields = withField(c.msg.Fields, "stream", r.stream)
		if len(r.attrs) > 0 {
			attrs := document.Map{}
			for k, v := range r.attrs {
				_ = document.Put(attrs, k, v) // a clash of dotted keys: the first one stays
			}
			c.msg.Fields["docker"] = document.Map{"attrs": attrs}
		}
	}
	c.msg.End = m.End
	c.buf = append(c.buf, r.text...)
	if !r.partial {
		c.flush(emit)
	}
}

func (c *container) flush(emit Emit) {
	if !c.open {
		return
	}
	c.open = false
	c.msg.Content = c.buf
	if c.o.Strip {
		c.msg.Content = bytes.TrimSuffix(bytes.TrimSuffix(c.buf, []byte("\n")), []byte("\r"))
	}
	emit(c.msg)
}

func (c *container) parse(line []byte) (record, bool) {
	if c.o.Format == "docker" || c.o.Format == "auto" && len(line) > 0 && line[0] == '{' {
		return parseDocker(line)
	}
	return parseCRI(line)
}

func parseDocker(line []byte) (record, bool) {
	var l struct {
		Log    string            `json:"log"`
		Stream string            `json:"stream"`
		Time   string            `json:"time"`
		Attrs  map[string]string `json:"attrs"`
	}
	if err := json.Unmarshal(line, &l); err != nil {
		return record{}, false
	}
	at, err := time.Parse(time.RFC3339, l.Time)
	if err != nil {
		return record{}, false
	}
	return record{[]byte(l.Log), l.Stream, at, len(l.Log) == 0 || l.Log[len(l.Log)-1] != '\n', l.Attrs}, true
}

func parseCRI(line []byte) (record, bool) {
	parts := bytes.SplitN(line, []byte(" "), 4)
	if len(parts) < 4 {
		return record{}, false
	}
	at, err := time.Parse(time.RFC3339, string(parts[0]))
	if err != nil {
		return record{}, false
	}
	flag, _, _ := bytes.Cut(parts[2], []byte(":"))
	return record{parts[3], string(parts[1]), at, string(flag) == "P", nil}, true
}

func (c *container) Pending() (int64, bool) { return c.msg.Start, c.open }
func (c *container) Deadline() time.Time    { return time.Time{} }
func (c *container) Reset()                 { c.open = false }

func (c *container) Expire(_ time.Time, final bool, emit Emit) {
	if final {
		c.flush(emit)
	}
}
