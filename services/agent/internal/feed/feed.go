// Package feed makes events of lines: it filters them, runs parsers and
// processors where there are any, and groups the events for the pipeline.
//
// Where nothing looks into the events, a line is copied into the group as it is,
// and the rest of the event, the envelope, is stated once.
package feed

import (
	"context"
	"regexp"
	"slices"
	"time"

	eventv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/event/v1"
	"github.com/weirflow/weirflow/services/agent/internal/document"
	"github.com/weirflow/weirflow/services/agent/internal/parse"
	"github.com/weirflow/weirflow/services/agent/internal/pipeline"
	"github.com/weirflow/weirflow/services/agent/internal/process"
	"github.com/weirflow/weirflow/services/agent/internal/registry"
	"github.com/weirflow/weirflow/services/agent/internal/tail"
)

// maxGroupBytes ends a group within one look at a file.
const maxGroupBytes = 1 << 20

// Router names the topic and key of an event.
type Router interface {
	// Static gives them where they are the same for all events of a second;
	// false if they depend on more than the envelope.
	Static(envelope *document.Event, at time.Time) (topic string, key []byte, ok bool)
	// Route gives them for one event.
	Route(e *document.Event) (topic string, key []byte)
}

// Plan is what the feeds of an input have in common.
type Plan struct {
	Include, Exclude []*regexp.Regexp
	MaxBytes         int
	// Base has the fields and metadata that each event begins with.
	Base document.Event
	// Stages makes the parsers of one file.
	Stages func() []parse.Stage
	// Finish completes an event from what the parsers found; nil if nothing is to do.
	Finish     func(e *document.Event, m *parse.Message)
	Processors process.Chain
	Router     Router
	Header     document.Header
	// KeepNull keeps members that are null.
	KeepNull bool
	// KeepEmpty makes events of empty lines, as parsers may ask for.
	KeepEmpty bool
}

// Feed is the consumer of one file.
type Feed struct {
	plan  *Plan
	pipe  *pipeline.Pipeline
	chain *parse.Chain
	plain bool // nothing looks into the events

	entry    *registry.Entry
	path     string
	template *document.Event // with the path, before processors
	sources  map[string]*pipeline.Source
	line     *pipeline.Source // of plain lines
	lineKey  []byte
	routed   int64 // the second for which line holds

	item     pipeline.Item
	group    *pipeline.Group
	now      time.Time
	nowMilli int64
}

// New makes the feed of one file.
func New(plan *Plan, pipe *pipeline.Pipeline) *Feed {
	f := &Feed{plan: plan, pipe: pipe, plain: plan.Plain()}
	if stages := plan.Stages(); len(stages) > 0 {
		f.chain, f.plain = parse.NewChain(stages, f.message), false
	}
	return f
}

// Plain says whether lines need not be looked into.
func (p *Plan) Plain() bool {
	if p.Base.Meta != nil || p.Finish != nil || !p.Processors.Static() {
		return false
	}
	for _, reserved := range []string{"message", "log", "@timestamp", "@metadata"} {
		if _, ok := p.Base.Fields[reserved]; ok {
			return false
		}
	}
	_, _, ok := p.Router.Static(&p.Base, time.Now())
	return ok
}

// Begin implements tail.Consumer.
func (f *Feed) Begin(e *registry.Entry, path string) {
	f.entry, f.path = e, path
	f.sources, f.line = map[string]*pipeline.Source{}, nil
	f.template = f.plan.Base.Clone()
	if f.chain != nil {
		f.chain.Reset()
	}
}

// Line implements tail.Consumer.
func (f *Feed) Line(l tail.Line) {
	f.clock()
	if f.chain != nil {
		m := parse.Message{Content: l.Text, Offset: l.Offset, Start: l.Offset, End: l.End}
		if l.Cut {
			m.Flags = []string{"truncated"}
		}
		f.chain.Feed(m)
		return
	}
	if len(l.Text) == 0 || !f.wanted(l.Text) {
		f.item.Filtered++
		return
	}
	if f.plain && !l.Cut && len(l.Text) <= f.plan.MaxBytes {
		f.plainGroup().Add(f.nowMilli, l.Offset, l.Text)
		return
	}
	m := parse.Message{Content: l.Text, Offset: l.Offset, Start: l.Offset, End: l.End}
	if l.Cut || len(l.Text) > f.plan.MaxBytes {
		m.Content, m.Flags = l.Text[:min(len(l.Text), f.plan.MaxBytes)], []string{"truncated"}
	}
	f.event(&m)
}

func (f *Feed) clock() {
	if f.nowMilli == 0 {
		f.now = time.Now()
		f.nowMilli = f.now.UnixMilli()
	}
}

// message takes what the parsers emit.
func (f *Feed) message(m parse.Message) {
	f.clock()
	if len(m.Content) > f.plan.MaxBytes {
		m.Content = m.Content[:f.plan.MaxBytes]
		m.Flags = append(slices.Clip(m.Flags), "truncated")
	}
	empty := len(m.Content) == 0 && (!f.plan.KeepEmpty || len(m.Fields) == 0)
	if empty || !f.wanted(m.Content) {
		f.item.Filtered++
		return
	}
	f.event(&m)
}

func (f *Feed) wanted(text []byte) bool {
	if len(f.plan.Include) > 0 && !matchesAny(f.plan.Include, text) {
		return false
	}
	return !matchesAny(f.plan.Exclude, text)
}

func matchesAny(patterns []*regexp.Regexp, text []byte) bool {
	for _, p := range patterns {
		if p.Match(text) {
			return true
		}
	}
	return false
}

// event renders one event on its own.
func (f *Feed) event(m *parse.Message) {
	e := f.template.Clone()
	e.Timestamp = f.now
	if !m.Time.IsZero() {
		e.Timestamp = m.Time
	}
	log := document.Map{"offset": m.Offset, "file": document.Map{"path": f.path}}
	if len(m.Flags) > 0 {
		log["flags"] = m.Flags
	}
	lineFields := document.Map{"log": log}
	if m.Fields != nil {
		document.Merge(lineFields, m.Fields, true)
	}
	if f.plan.Finish == nil {
		lineFields["message"] = string(m.Content)
	}
	if m.Meta != nil {
		if e.Meta == nil {
			e.Meta = document.Map{}
		}
		document.Merge(e.Meta, m.Meta, true)
	}
	over := e.Fields
	e.Fields = lineFields
	if f.plan.Finish != nil {
		f.plan.Finish(e, m)
	}
	own := e.Fields["tags"]
	document.Merge(e.Fields, over, true)
	if tags, ok := over["tags"].([]any); ok && own != nil {
		joinTags(e, own, tags)
	}
	if !f.plan.KeepNull {
		document.DropNulls(e.Fields)
	}
	if !f.plan.Processors.Run(e) {
		f.item.Filtered++
		return
	}
	topic, key := f.plan.Router.Route(e)
	g := f.jsonGroup(topic, key)
	g.AddFunc(e.Timestamp.UnixMilli(), m.Offset, func(b []byte) []byte { return e.AppendJSON(b, f.plan.Header) })
}

// joinTags appends the input's tags to those that the line brought itself.
func joinTags(e *document.Event, own any, tags []any) {
	texts := make([]string, 0, len(tags))
	for _, t := range tags {
		if s, ok := t.(string); ok {
			texts = append(texts, s)
		}
	}
	e.Fields["tags"] = own
	_ = document.AddTags(e.Fields, "tags", texts) // what is no list stays
}

func (f *Feed) jsonGroup(topic string, key []byte) *pipeline.Group {
	s := f.sources[topic]
	if s == nil {
		s = &pipeline.Source{FileID: f.entry.FileID, Path: f.path, Topic: topic}
		f.sources[topic] = s
	}
	return f.groupOf(s, eventv1.Encoding_ENCODING_JSON, key)
}

// plainGroup is where lines go; a new one begins when the topic changes with the
// date.
func (f *Feed) plainGroup() *pipeline.Group {
	if second := f.nowMilli / 1000; f.line == nil || second != f.routed {
		f.routeLines(second)
	}
	if g := f.group; g != nil && g.Source == f.line && len(g.PB.Payload) < maxGroupBytes {
		return g
	}
	return f.groupOf(f.line, eventv1.Encoding_ENCODING_LINE, f.lineKey)
}

func (f *Feed) routeLines(second int64) {
	f.routed = second
	envelope := f.template.Clone()
	f.plan.Processors.Run(envelope)
	envelope.Timestamp = f.now
	topic, key, _ := f.plan.Router.Static(envelope, f.now)
	if f.line == nil || f.line.Topic != topic || string(f.lineKey) != string(key) {
		f.line = &pipeline.Source{
			FileID: f.entry.FileID, Path: f.path, Topic: topic,
			Envelope: document.AppendValue(nil, envelope.Fields),
		}
		f.lineKey = key
	}
}

func (f *Feed) groupOf(s *pipeline.Source, encoding eventv1.Encoding, key []byte) *pipeline.Group {
	if g := f.group; g != nil && g.Source == s && g.PB.Encoding == encoding && string(g.PB.Key) == string(key) && len(g.PB.Payload) < maxGroupBytes {
		return g
	}
	g := f.pipe.Group(s, encoding)
	g.PB.Key = key
	f.group = g
	f.item.Groups = append(f.item.Groups, g)
	return g
}

// Safe implements tail.Consumer.
func (f *Feed) Safe(end int64) int64 {
	if f.chain != nil {
		if at, ok := f.chain.Pending(); ok {
			return at
		}
	}
	return end
}

// Commit implements tail.Consumer.
func (f *Feed) Commit(ctx context.Context, at registry.Position) error {
	f.nowMilli = 0
	it := f.item
	f.item, f.group = pipeline.Item{}, nil
	if len(it.Groups) == 0 && it.Filtered == 0 {
		return nil
	}
	it.Entry, it.At = f.entry, at
	return f.pipe.Push(ctx, it)
}

// Deadline implements tail.Consumer.
func (f *Feed) Deadline() time.Time {
	if f.chain == nil {
		return time.Time{}
	}
	return f.chain.Deadline()
}

// Expire implements tail.Consumer.
func (f *Feed) Expire(now time.Time, final bool) {
	if f.chain != nil && f.entry != nil {
		f.chain.Expire(now, final)
	}
}

// Drop implements tail.Consumer.
func (f *Feed) Drop() {
	if f.chain != nil {
		f.chain.Reset()
	}
}
