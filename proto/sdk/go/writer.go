package sdk

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	eventv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/event/v1"
	ingestv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ingest/v1"
)

const (
	// maxItems and maxBytes bound a batch.
	maxItems = 2000
	maxBytes = 4 << 20
	// firstWait and longestWait are the pauses before a batch is sent again.
	firstWait   = 100 * time.Millisecond
	longestWait = 5 * time.Second
)

// Source says where events come from.
type Source struct {
	// Topic takes the events; empty: the service's default topic.
	Topic string
	// Agent is the sender's identity, such as the name of the program and its host.
	Agent string
	// Path is log.file.path of events that are lines.
	Path string
	// Envelope is a JSON object with what all lines have, such as {"host":{"name":"web-1"}}.
	Envelope string
}

// Writer sends events and waits until Kafka holds them. Each event has an identity, and
// one that was sent twice, since an acknowledgement got lost, is one document in an index.
// It may be used from several goroutines.
type Writer struct {
	client ingestv1.IngestServiceClient
	source *eventv1.Source

	mu   sync.Mutex
	next int64
}

// NewWriter prepares a writer on a connection to ingest, or to a gateway.
func NewWriter(conn grpc.ClientConnInterface, s Source) *Writer {
	return &Writer{client: ingestv1.NewIngestServiceClient(conn), source: &eventv1.Source{
		Id: 1, AgentId: s.Agent, FileId: rand.Text(), Path: s.Path, Topic: s.Topic, EnvelopeJson: s.Envelope,
	}}
}

// Rejected says that some events can't be taken, and won't be when they are sent again.
// The others of the call were written.
type Rejected struct {
	// Count is how many, Reason why the first of them.
	Count  int
	Reason string
}

func (r *Rejected) Error() string {
	return fmt.Sprintf("%d events were rejected: %s", r.Count, r.Reason)
}

// Lines sends lines of text, each of which becomes an event as Filebeat writes it. It
// tries again until the service has taken them or the context ends.
func (w *Writer) Lines(ctx context.Context, lines ...string) error {
	return w.send(ctx, eventv1.Encoding_ENCODING_LINE, lines)
}

// Events sends whole events, each a JSON object, which are written as they are.
func (w *Writer) Events(ctx context.Context, events ...string) error {
	return w.send(ctx, eventv1.Encoding_ENCODING_JSON, events)
}

func (w *Writer) send(ctx context.Context, e eventv1.Encoding, items []string) error {
	var rejected *Rejected
	for len(items) > 0 {
		n, size := 0, 0
		for n < len(items) && n < maxItems && (n == 0 || size+len(items[n]) <= maxBytes) {
			size += len(items[n])
			n++
		}
		res, err := w.push(ctx, w.batch(e, items[:n]))
		if err != nil {
			return fmt.Errorf("send events: %w", err)
		}
		for _, r := range res.GetRejections() {
			if rejected == nil {
				rejected = &Rejected{Reason: r.GetReason()}
			}
			rejected.Count += int(r.GetCount())
		}
		items = items[n:]
	}
	if rejected != nil {
		return rejected
	}
	return nil
}

// batch makes one batch; no two events of a writer have the same offset.
func (w *Writer) batch(e eventv1.Encoding, items []string) *eventv1.EventBatch {
	w.mu.Lock()
	first := w.next
	w.next += int64(len(items))
	w.mu.Unlock()
	g := &eventv1.EventGroup{
		SourceId: w.source.GetId(), Encoding: e, Lengths: make([]uint32, len(items)), Timestamps: make([]int64, len(items)), Offsets: make([]int64, len(items)),
	}
	for i, item := range items {
		g.Payload = append(g.Payload, item...)
		g.Lengths[i], g.Offsets[i] = uint32(len(item)), 1 // differences
	}
	g.Timestamps[0], g.Offsets[0] = time.Now().UnixMilli(), first
	return &eventv1.EventBatch{Sequence: 1, Sources: []*eventv1.Source{w.source}, Groups: []*eventv1.EventGroup{g}}
}

// push sends a batch until it is taken: what is sent again has the identity it had.
func (w *Writer) push(ctx context.Context, b *eventv1.EventBatch) (*ingestv1.PushBatchResponse, error) {
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		res, err := w.client.PushBatch(ctx, &ingestv1.PushBatchRequest{Batch: b})
		if c := status.Code(err); c != codes.Unavailable && c != codes.ResourceExhausted {
			return res, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(jitter(wait)):
		}
	}
}

// jitter is a time between half of d and d, so that many clients don't come back at once.
func jitter(d time.Duration) time.Duration {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(d/2)))
	if err != nil {
		return d
	}
	return d/2 + time.Duration(n.Int64())
}
