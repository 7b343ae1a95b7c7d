// Package pipeline carries groups of events from the files to the output, within
// a budget of bytes, and acknowledgements back to the registry.
package pipeline

import (
	"fmt"

	eventv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/event/v1"
	"github.com/weirflow/weirflow/services/agent/internal/registry"
	"github.com/weirflow/weirflow/services/platform/event"
)

// Source is what the events of a group have in common.
type Source struct {
	FileID   string
	Path     string
	Topic    string
	Envelope []byte

	tmpl *event.Template
}

// Template renders the source's lines; only outputs that render use it.
func (s *Source) Template(version string) (*event.Template, error) {
	if s.tmpl == nil {
		t, err := event.NewTemplate(event.Source{Version: version, Path: s.Path, Envelope: s.Envelope})
		if err != nil {
			return nil, fmt.Errorf("events of %s: %w", s.Path, err)
		}
		s.tmpl = t
	}
	return s.tmpl, nil
}

// Group is a run of events of one source, in the form in which it is sent.
type Group struct {
	Source *Source
	PB     eventv1.EventGroup

	timestamp, offset int64
}

// Add appends an event: a line, or a rendered event, as the group's encoding says.
func (g *Group) Add(timestamp, offset int64, item []byte) {
	g.PB.Payload = append(g.PB.Payload, item...)
	g.mark(timestamp, offset, len(item))
}

// AddFunc appends what render appends.
func (g *Group) AddFunc(timestamp, offset int64, render func([]byte) []byte) {
	before := len(g.PB.Payload)
	g.PB.Payload = render(g.PB.Payload)
	g.mark(timestamp, offset, len(g.PB.Payload)-before)
}

func (g *Group) mark(timestamp, offset int64, length int) {
	g.PB.Lengths = append(g.PB.Lengths, uint32(length))
	g.PB.Timestamps = append(g.PB.Timestamps, timestamp-g.timestamp)
	g.PB.Offsets = append(g.PB.Offsets, offset-g.offset)
	g.timestamp, g.offset = timestamp, offset
}

// Len counts the group's events.
func (g *Group) Len() int { return len(g.PB.Lengths) }

// Each calls f with every event.
func (g *Group) Each(f func(timestamp, offset int64, item []byte) error) error {
	var ts, off int64
	at := 0
	for i, n := range g.PB.Lengths {
		ts += g.PB.Timestamps[i]
		off += g.PB.Offsets[i]
		if err := f(ts, off, g.PB.Payload[at:at+int(n)]); err != nil {
			return err
		}
		at += int(n)
	}
	return nil
}

// EachRendered calls f with every event as JSON. The slice is valid until f returns.
func (g *Group) EachRendered(version string, buf []byte, f func(timestamp, offset int64, rendered []byte) error) ([]byte, error) {
	if g.PB.Encoding == eventv1.Encoding_ENCODING_JSON {
		return buf, g.Each(f)
	}
	t, err := g.Source.Template(version)
	if err != nil {
		return buf, err
	}
	err = g.Each(func(ts, off int64, line []byte) error {
		buf = t.AppendLine(buf[:0], ts, off, line)
		return f(ts, off, buf)
	})
	return buf, err
}

func (g *Group) reset() {
	g.Source, g.timestamp, g.offset = nil, 0, 0
	g.PB.SourceId, g.PB.Key = 0, nil
	g.PB.Payload, g.PB.Lengths = g.PB.Payload[:0], g.PB.Lengths[:0]
	g.PB.Timestamps, g.PB.Offsets = g.PB.Timestamps[:0], g.PB.Offsets[:0]
}

// Item is what one look at a file has brought.
type Item struct {
	Groups []*Group
	Entry  *registry.Entry
	At     registry.Position
	// Filtered counts lines that are not sent because the configuration says so.
	Filtered int

	size int64
}

// Batch is what is sent and acknowledged as one.
type Batch struct {
	Groups []*Group
	Events int
	Bytes  int64

	items []Item
	done  bool
	p     *Pipeline
}

// Ack says that the events of the batch are safe, but for those that the other
// side has refused for good and kept or counted.
func (b *Batch) Ack(refused int) { b.p.acknowledge(b, refused) }
