// Package parse turns lines into messages: it joins lines, decodes JSON and
// container logs, as the parsers of Filebeat's inputs do.
package parse

import (
	"time"

	"github.com/weirflow/weirflow/services/agent/internal/document"
)

// Message is a line, or several, and what a parser found in them.
type Message struct {
	Content []byte
	Fields  document.Map
	Meta    document.Map
	// Offset is where the message is said to begin, Start where it does, End
	// where the next one begins.
	Offset, Start, End int64
	// Time is zero where no parser found one.
	Time  time.Time
	Flags []string
}

// Emit takes a message on. The content is valid until it returns.
type Emit func(Message)

// Stage is a parser.
type Stage interface {
	// Feed takes a message and emits what is complete.
	Feed(m Message, emit Emit)
	// Pending is where the first message begins that is not complete; false if
	// there is none.
	Pending() (int64, bool)
	// Deadline is when the incomplete message has waited long enough; zero for never.
	Deadline() time.Time
	// Expire emits what has waited long enough or, if final, what there is.
	Expire(now time.Time, final bool, emit Emit)
	// Reset forgets what is not complete.
	Reset()
}

// stateless is embedded by stages that keep nothing.
type stateless struct{}

func (stateless) Pending() (int64, bool)       { return 0, false }
func (stateless) Deadline() time.Time          { return time.Time{} }
func (stateless) Expire(time.Time, bool, Emit) {}
func (stateless) Reset()                       {}

// Chain is a row of stages.
type Chain struct {
	stages []Stage
	emits  []Emit
}

// NewChain connects stages; the last one's messages go to emit.
func NewChain(stages []Stage, emit Emit) *Chain {
	c := &Chain{stages: stages, emits: make([]Emit, len(stages)+1)}
	c.emits[len(stages)] = emit
	for i := len(stages) - 1; i >= 0; i-- {
		next := c.emits[i+1]
		c.emits[i] = func(m Message) { stages[i].Feed(m, next) }
	}
	return c
}

// Feed takes a message.
func (c *Chain) Feed(m Message) { c.emits[0](m) }

// Pending is where the first incomplete message begins.
func (c *Chain) Pending() (int64, bool) {
	first, found := int64(0), false
	for _, s := range c.stages {
		if at, ok := s.Pending(); ok && (!found || at < first) {
			first, found = at, true
		}
	}
	return first, found
}

// Deadline is when Expire is due.
func (c *Chain) Deadline() time.Time {
	var first time.Time
	for _, s := range c.stages {
		if d := s.Deadline(); !d.IsZero() && (first.IsZero() || d.Before(first)) {
			first = d
		}
	}
	return first
}

// Expire completes what has waited long enough.
func (c *Chain) Expire(now time.Time, final bool) {
	for i, s := range c.stages {
		s.Expire(now, final, c.emits[i+1])
	}
}

// Reset forgets what is not complete.
func (c *Chain) Reset() {
	for _, s := range c.stages {
		s.Reset()
	}
}
