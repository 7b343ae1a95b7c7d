package render_test

import (
	"encoding/json"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/event/v1"
	"github.com/weirflow/weirflow/services/ingest/internal/render"
)

const maxEvent = 1000

// batch makes a batch of one group of a source.
func batch(change func(*eventv1.Source, *eventv1.EventGroup), items ...string) *eventv1.EventBatch {
	src := &eventv1.Source{Id: 1, AgentId: "a", FileId: "f", Path: "/p", EnvelopeJson: `{"host":{"name":"h"}}`}
	g := &eventv1.EventGroup{SourceId: 1, Encoding: eventv1.Encoding_ENCODING_LINE}
	for _, x := range items {
		g.Payload = append(g.Payload, x...)
		g.Lengths, g.Timestamps, g.Offsets = append(g.Lengths, uint32(len(x))), append(g.Timestamps, 1), append(g.Offsets, 10)
	}
	if change != nil {
		change(src, g)
	}
	return &eventv1.EventBatch{Sources: []*eventv1.Source{src}, Groups: []*eventv1.EventGroup{g}}
}

func TestWhatIsRefused(t *testing.T) {
	for _, c := range []struct {
		name     string
		change   func(*eventv1.Source, *eventv1.EventGroup)
		items    []string
		accepted int
		reason   string // of the first rejection
		told     int    // rejections
		refused  int    // events
	}{
		{"nothing", nil, []string{"x", "y"}, 2, "", 0, 0},
		{"a topic of Weirflow's", func(s *eventv1.Source, _ *eventv1.EventGroup) { s.Topic = "weirflow.jobs" }, []string{"x", "y"}, 0, "kept by Weirflow", 1, 2},
		{"a topic of Kafka's", func(s *eventv1.Source, _ *eventv1.EventGroup) { s.Topic = "__consumer_offsets" }, []string{"x"}, 0, "kept by Weirflow", 1, 1},
		{"no topic name", func(s *eventv1.Source, _ *eventv1.EventGroup) { s.Topic = "a/b" }, []string{"x"}, 0, "letters, digits", 1, 1},
		{"a broken envelope", func(s *eventv1.Source, _ *eventv1.EventGroup) { s.EnvelopeJson = "{" }, []string{"x"}, 0, "envelope", 1, 1},
		{"an unknown source", func(_ *eventv1.Source, g *eventv1.EventGroup) { g.SourceId = 2 }, []string{"x"}, 0, "not been declared", 1, 1},
		{"a payload that is too short", func(_ *eventv1.Source, g *eventv1.EventGroup) { g.Payload = nil }, []string{"x"}, 0, "add up", 1, 1},
		{"a length that overflows", func(_ *eventv1.Source, g *eventv1.EventGroup) { g.Lengths[0], g.Lengths[1] = 1<<32-1, 3 }, []string{"x", "y"}, 0, "add up", 1, 2},
		{"no offsets", func(_ *eventv1.Source, g *eventv1.EventGroup) { g.Offsets = nil }, []string{"x"}, 0, "one of each", 1, 1},
		{"no encoding", func(_ *eventv1.Source, g *eventv1.EventGroup) { g.Encoding = 0 }, []string{"x"}, 0, "neither", 1, 1},
		{"no JSON among JSON", func(_ *eventv1.Source, g *eventv1.EventGroup) { g.Encoding = eventv1.Encoding_ENCODING_JSON }, []string{"{}", "{", "}", "[1]", "x"}, 2, "not a JSON", 2, 3},
		{"a long event", nil, []string{"x", strings.Repeat("y", maxEvent+1), "z"}, 2, "more than the 1000", 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out render.Output
			render.NewStream("default", maxEvent).Batch(batch(c.change, c.items...), &out)
			refused := 0
			for _, r := range out.Rejections {
				refused += int(r.GetCount())
			}
			if out.Accepted != c.accepted || refused != c.refused || len(out.Rejections) != c.told {
				t.Fatalf("accepted %d, refused %d in %v", out.Accepted, refused, out.Rejections)
			}
			if c.told > 0 && !strings.Contains(out.Rejections[0].GetReason(), c.reason) {
				t.Errorf("reason = %q", out.Rejections[0].GetReason())
			}
		})
	}
}

// The reason is told again for later batches, in which the source is not declared.
func TestWrongSourcesAreRemembered(t *testing.T) {
	s := render.NewStream("default", maxEvent)
	b := batch(func(s *eventv1.Source, _ *eventv1.EventGroup) { s.Topic = "a/b" }, "x")
	for range 2 {
		var out render.Output
		s.Batch(b, &out)
		if len(out.Rejections) != 1 || !strings.Contains(out.Rejections[0].GetReason(), "letters, digits") {
			t.Errorf("rejections = %v", out.Rejections)
		}
		b.Sources = nil
	}
}

// A small message must not become more than memory can hold.
func TestAmplificationIsBounded(t *testing.T) {
	const events, limit = 1000, 8 << 20
	b := batch(func(s *eventv1.Source, g *eventv1.EventGroup) {
		s.EnvelopeJson = `{"fields":"` + strings.Repeat("x", 64<<10) + `"}`
		g.Lengths, g.Timestamps, g.Offsets = make([]uint32, events), make([]int64, events), make([]int64, events)
	})
	var out render.Output
	s := render.NewStream("default", maxEvent)
	s.SetLimit(limit)
	s.Batch(b, &out)
	if size := out.Records["default"].Size(); size > limit {
		t.Errorf("%d bytes were rendered of a message of %d", size, proto.Size(b))
	}
	if n := len(out.Rejections); n != 1 || out.Accepted+int(out.Rejections[0].GetCount()) != events {
		t.Errorf("%d accepted, %d rejections", out.Accepted, n)
	}
	if !out.Large() {
		t.Error("so much memory is not worth keeping")
	}
}

// Whatever a client sends, each event is either accepted or refused, once.
func FuzzBatch(f *testing.F) {
	for _, b := range []*eventv1.EventBatch{batch(nil, "one", "two"), batch(func(_ *eventv1.Source, g *eventv1.EventGroup) { g.Encoding = eventv1.Encoding_ENCODING_JSON }, "{}", "x")} {
		raw, err := proto.Marshal(b)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var b eventv1.EventBatch
		if proto.Unmarshal(raw, &b) != nil {
			return
		}
		var out render.Output
		render.NewStream("default", maxEvent).Batch(&b, &out)
		events, refused, records := 0, 0, 0
		for _, g := range b.GetGroups() {
			events += len(g.GetLengths())
		}
		for _, r := range out.Rejections {
			refused += int(r.GetCount())
		}
		for _, r := range out.Records {
			records += r.Len()
			for i := range r.Len() {
				if v := r.Value(i); !json.Valid(v) {
					t.Errorf("not JSON: %q", v)
				}
			}
		}
		if out.Accepted != records || out.Accepted+refused != events {
			t.Errorf("of %d events %d were accepted, %d refused, %d rendered", events, out.Accepted, refused, records)
		}
	})
}

func BenchmarkBatch(b *testing.B) {
	lines := make([]string, 4000)
	for i := range lines {
		lines[i] = strings.Repeat("x", 120)
	}
	in := batch(nil, lines...)
	s := render.NewStream("default", maxEvent)
	var out render.Output
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		s.Batch(in, &out)
	}
}
