package kafka

import (
	"strings"
	"testing"

	deadletterv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"

	"github.com/weirflow/weirflow/services/transform/internal/column"
)

// TestReplayedRecordIsTheOneThatItWas looks at what is easily lost on the way:
// whether key and value are null, and the name of the event.
func TestReplayedRecordIsTheOneThatItWas(t *testing.T) {
	r := &replayed{letters: []*deadletterv1.DeadLetter{
		{RawPayload: []byte("v"), Key: []byte{}, Topic: "t", Partition: 2, Offset: 7, TimestampMillis: 5, EventId: "in-2-7", ReplayOf: "0-1",
			Headers: []*deadletterv1.RecordHeader{{Key: "a"}, {Key: EventID, Value: []byte("\xffraw")}}},
		{NullPayload: true, Topic: "t", EventId: "e"},
		{},
	}}
	if k := r.Record(0); string(k.Value) != "v" || k.Key == nil || string(k.Header) != "\xffraw" || k.Partition != 2 || k.Offset != 7 || k.TimestampMillis != 5 {
		t.Errorf("record %+v", k)
	}
	if k := r.Record(1); k.Value != nil || k.Key != nil || string(k.Header) != "e" {
		t.Errorf("record %+v: neither key nor value", k)
	}
	if k := r.Record(2); k.Value == nil || len(k.Value) != 0 {
		t.Errorf("record %+v: an empty value is one", k)
	}
	if h := r.Headers(0); len(h) != 2 || h[0].Value != nil || string(h[1].Value) != "\xffraw" {
		t.Errorf("headers %v", h)
	}
	o := &origin{batch: r, index: map[part]int{{"t", 2}: 4}}
	if o.Partition(0) != column.NoPartition || string(o.AppendEventID(nil, 0)) != "\xffraw" || !strings.Contains(o.Describe(0), "dead letter 0-1") {
		t.Errorf("origin: partition %d, %q, %s", o.Partition(0), o.AppendEventID(nil, 0), o.Describe(0))
	}
}
