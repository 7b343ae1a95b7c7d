// Package render turns batches of events into Kafka records.
package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	eventv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/event/v1"
	ingestv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ingest/v1"
	"github.com/weirflow/weirflow/services/ingest/internal/topic"
	"github.com/weirflow/weirflow/services/platform/event"
	"github.com/weirflow/weirflow/services/platform/kafka"
)

const (
	// maxRendered bounds what a batch becomes: the envelope comes with each event,
	// so that a small message may describe far more than memory can hold.
	maxRendered = 512 << 20
	// growLimit is up to which size memory is asked for in advance.
	growLimit = 16 << 20
	// maxOffset is what an offset and the frame of a header take.
	maxOffset = 32
	// maxAhead is how far in the future a record's time may be. Brokers refuse one
	// that is an hour ahead, with all that is sent beside it.
	maxAhead = 50 * time.Minute
)

// EventIDHeader is the record header that names an event for ever.
const EventIDHeader = "event-id"

// source is a declared source with what its events have in common.
type source struct {
	decl     *eventv1.Source
	topic    string
	template *event.Template
	err      error // why no event of it can be rendered
}

// Stream renders the batches of one client; it remembers the sources that the
// client declared. Not safe for use by several goroutines.
type Stream struct {
	defaultTopic string
	maxEvent     int
	limit        int64 // of what a batch becomes
	sources      map[uint32]*source
}

// NewStream makes the renderer of a client that has declared no source yet.
func NewStream(defaultTopic string, maxEvent int) *Stream {
	return &Stream{defaultTopic: defaultTopic, maxEvent: maxEvent, limit: maxRendered, sources: map[uint32]*source{}}
}

// Oversize is an event that is too long to be written.
type Oversize struct {
	Topic, EventID string
	Value          []byte
}

// Output is what a batch became. It is reused: Reset empties it.
type Output struct {
	// Records are the events by topic.
	Records map[string]*kafka.Records
	// Accepted counts the events in Records.
	Accepted int
	// Rejections name events that could not be rendered.
	Rejections []*ingestv1.Rejection
	// Oversize events are rejected too and kept as dead letters.
	Oversize []Oversize

	size int64 // of Records, about
}

// Reset empties the output and keeps its memory.
func (o *Output) Reset() {
	for _, r := range o.Records {
		r.Reset()
	}
	o.Accepted, o.Rejections, o.Oversize, o.size = 0, nil, nil, 0
}

// Large reports whether the output holds more memory than is worth keeping.
func (o *Output) Large() bool {
	const most, topics = 8 << 20, 16
	n := 0
	for _, r := range o.Records {
		n += r.Capacity()
	}
	return n > most || len(o.Records) > topics
}

func (o *Output) records(name string) *kafka.Records {
	if o.Records == nil {
		o.Records = map[string]*kafka.Records{}
	}
	r := o.Records[name]
	if r == nil {
		r = &kafka.Records{}
		o.Records[name] = r
	}
	return r
}

// Batch renders a batch into out. Events that can't be rendered are rejected;
// their neighbours are not affected.
func (s *Stream) Batch(b *eventv1.EventBatch, out *Output) {
	for _, d := range b.GetSources() {
		s.declare(d)
	}
	for i, g := range b.GetGroups() {
		src := s.sources[g.GetSourceId()]
		var err error
		switch {
		case src != nil && src.err != nil:
			err = src.err
		case src == nil:
			err = fmt.Errorf("source %d has not been declared on this stream", g.GetSourceId())
		default:
			err = check(g)
		}
		if err != nil {
			out.Rejections = append(out.Rejections, &ingestv1.Rejection{Group: uint32(i), Count: uint32(len(g.GetLengths())), Reason: err.Error()})
			continue
		}
		s.group(uint32(i), src, g, out)
	}
}

// declare remembers a source. One that is wrong is remembered with the reason,
// for all its events are refused with it.
func (s *Stream) declare(d *eventv1.Source) {
	src := &source{decl: d, topic: d.GetTopic()}
	s.sources[d.GetId()] = src
	if src.topic == "" {
		src.topic = s.defaultTopic
	}
	switch {
	case !topic.ValidName(src.topic):
		src.err = fmt.Errorf("source %d (%s): topic %q: up to 249 letters, digits, '.', '_' and '-' are allowed", d.GetId(), d.GetPath(), src.topic)
	case kafka.Internal(src.topic):
		src.err = fmt.Errorf("source %d (%s): topic %q is kept by Weirflow or Kafka itself", d.GetId(), d.GetPath(), src.topic)
	default:
		src.template, src.err = event.NewTemplate(event.Source{Beat: d.GetBeat(), Version: d.GetBeatVersion(), Path: d.GetPath(), Envelope: []byte(d.GetEnvelopeJson())})
		if src.err != nil {
			src.err = fmt.Errorf("source %d (%s): %w", d.GetId(), d.GetPath(), src.err)
		}
	}
}

// check makes sure that the columns of a group fit together.
func check(g *eventv1.EventGroup) error {
	n := len(g.GetLengths())
	if len(g.GetTimestamps()) != n || len(g.GetOffsets()) != n {
		return fmt.Errorf("%d lengths, %d timestamps and %d offsets: a group needs one of each per event", n, len(g.GetTimestamps()), len(g.GetOffsets()))
	}
	var sum uint64
	for _, l := range g.GetLengths() {
		sum += uint64(l)
	}
	if sum != uint64(len(g.GetPayload())) {
		return fmt.Errorf("lengths add up to %d bytes, the payload has %d", sum, len(g.GetPayload()))
	}
	if e := g.GetEncoding(); e != eventv1.Encoding_ENCODING_LINE && e != eventv1.Encoding_ENCODING_JSON {
		return errors.New("encoding is neither ENCODING_LINE nor ENCODING_JSON")
	}
	return nil
}

func (s *Stream) group(index uint32, src *source, g *eventv1.EventGroup, out *Output) {
	var (
		r         = out.records(src.topic)
		payload   = g.GetPayload()
		whole     = g.GetEncoding() == eventv1.Encoding_ENCODING_JSON
		timestamp int64
		offset    int64
		times     = g.GetTimestamps()
		offsets   = g.GetOffsets()
		key       = g.GetKey()
	)
	if len(key) == 0 {
		key = nil
	}
	n := len(g.GetLengths())
	identity := len(EventIDHeader) + len(src.decl.GetAgentId()) + len(src.decl.GetFileId()) + maxOffset
	if size := int64(len(payload)+len(payload)/16) + int64(n)*int64(src.template.Overhead()+len(key)+identity); size < growLimit {
		r.Grow(n, int(size)) // by what it will be about: doubling leaves twice as much behind
	}
	latest := time.Now().Add(maxAhead).UnixMilli()
	for i, n := range g.GetLengths() {
		item := payload[:n]
		payload = payload[n:]
		timestamp += times[i]
		offset += offsets[i]
		if whole && !json.Valid(item) {
			out.reject(index, i, "not a JSON document")
			continue
		}
		if len(item) > s.maxEvent {
			out.reject(index, i, fmt.Sprintf("%d bytes are more than the %d that an event may have", len(item), s.maxEvent))
			out.Oversize = append(out.Oversize, Oversize{
				Topic: src.topic, EventID: string(event.AppendID(nil, src.decl.GetAgentId(), src.decl.GetFileId(), offset)), Value: item,
			})
			continue
		}
		if out.size += int64(len(item) + src.template.Overhead()); out.size > s.limit {
			out.reject(index, i, fmt.Sprintf("the batch becomes more than %d bytes with what its events have in common: send fewer events at a time", s.limit))
			continue
		}
		buf := r.Open(kafka.PartitionByKey, key)
		if whole {
			buf = append(buf, item...)
		} else {
			buf = src.template.AppendLine(buf, timestamp, offset, item)
		}
		r.Close(buf)
		if timestamp > 0 && timestamp < latest {
			r.SetTime(timestamp) // the event's own, as Filebeat does
		}
		if src.decl.GetFileId() != "" { // without one, the record's place in the topic is its name
			r.CloseHeader(event.AppendID(r.OpenHeader(EventIDHeader), src.decl.GetAgentId(), src.decl.GetFileId(), offset))
		}
		out.Accepted++
	}
}

// reject notes that an event is refused; neighbours with the same reason are
// told in one.
func (o *Output) reject(group uint32, item int, reason string) {
	if n := len(o.Rejections); n > 0 {
		last := o.Rejections[n-1]
		if last.GetGroup() == group && last.GetFirst()+last.GetCount() == uint32(item) && last.GetReason() == reason {
			last.Count++
			return
		}
	}
	o.Rejections = append(o.Rejections, &ingestv1.Rejection{Group: group, First: uint32(item), Count: 1, Reason: reason})
}
