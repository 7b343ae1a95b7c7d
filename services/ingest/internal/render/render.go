// Package render turns batches of events into Kafka records.
package render

import (
	"encoding/json"
	"errors"
	"fmt"

	eventv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/event/v1"
	ingestv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ingest/v1"
	"github.com/weirflow/weirflow/services/platform/event"
	"github.com/weirflow/weirflow/services/platform/kafka"
)

// EventIDHeader is the record header that names an event for ever.
const EventIDHeader = "event-id"

// source is a declared source with what its events have in common.
type source struct {
	decl     *eventv1.Source
	topic    string
	template *event.Template
}

// Stream renders the batches of one client; it remembers the sources that the
// client declared. Not safe for use by several goroutines.
type Stream struct {
	defaultTopic string
	maxEvent     int
	sources      map[uint32]*source
}

// NewStream makes the renderer of a client that has declared no source yet.
func NewStream(defaultTopic string, maxEvent int) *Stream {
	return &Stream{defaultTopic: defaultTopic, maxEvent: maxEvent, sources: map[uint32]*source{}}
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
}

// Reset empties the output and keeps its memory.
func (o *Output) Reset() {
	for _, r := range o.Records {
		r.Reset()
	}
	o.Accepted, o.Rejections, o.Oversize = 0, nil, nil
}

func (o *Output) records(topic string) *kafka.Records {
	if o.Records == nil {
		o.Records = map[string]*kafka.Records{}
	}
	r := o.Records[topic]
	if r == nil {
		r = &kafka.Records{}
		o.Records[topic] = r
	}
	return r
}

// Batch renders a batch into out. Events that can't be rendered are rejected;
// their neighbours are not affected.
func (s *Stream) Batch(b *eventv1.EventBatch, out *Output) {
	bad := map[uint32]error{}
	for _, d := range b.GetSources() {
		if err := s.declare(d); err != nil {
			bad[d.GetId()] = err
		}
	}
	for i, g := range b.GetGroups() {
		src := s.sources[g.GetSourceId()]
		err := bad[g.GetSourceId()]
		switch {
		case err != nil:
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

func (s *Stream) declare(d *eventv1.Source) error {
	t, err := event.NewTemplate(event.Source{Beat: d.GetBeat(), Version: d.GetBeatVersion(), Path: d.GetPath(), Envelope: []byte(d.GetEnvelopeJson())})
	if err != nil {
		delete(s.sources, d.GetId())
		return fmt.Errorf("source %d (%s): %w", d.GetId(), d.GetPath(), err)
	}
	topic := d.GetTopic()
	if topic == "" {
		topic = s.defaultTopic
	}
	s.sources[d.GetId()] = &source{decl: d, topic: topic, template: t}
	return nil
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
		buf := r.Open(kafka.PartitionByKey, key)
		if whole {
			buf = append(buf, item...)
		} else {
			buf = src.template.AppendLine(buf, timestamp, offset, item)
		}
		r.Close(buf)
		r.SetTime(timestamp) // the event's own, as Filebeat does
		if src.decl.GetFileId() != "" { // without one, the record's place in the topic is its name
			r.CloseHeader(event.AppendID(r.OpenHeader(EventIDHeader), src.decl.GetAgentId(), src.decl.GetFileId(), offset))
		}
		out.Accepted++
	}
}

func (o *Output) reject(group uint32, item int, reason string) {
	o.Rejections = append(o.Rejections, &ingestv1.Rejection{Group: group, First: uint32(item), Count: 1, Reason: reason})
}
