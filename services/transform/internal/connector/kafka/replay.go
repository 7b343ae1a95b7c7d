package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	deadletterv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"

	"github.com/weirflow/weirflow/services/platform/fault"
	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// replayed are dead letters that enter the job again, as the records that they were.
type replayed struct{ letters []*deadletterv1.DeadLetter }

// Len is the number of records.
func (r *replayed) Len() int { return len(r.letters) }

// Record returns the record that a letter was made of, with the payload to replay.
func (r *replayed) Record(i int) kafka.Record {
	l := r.letters[i]
	k := kafka.Record{Topic: l.GetTopic(), Partition: l.GetPartition(), Offset: l.GetOffset(), TimestampMillis: l.GetTimestampMillis(),
		LogAppendTime: l.GetLogAppendTime(), Key: l.GetKey(), Value: l.GetRawPayload(), Header: []byte(l.GetEventId())}
	for _, h := range l.GetHeaders() {
		if h.GetKey() == EventID && len(h.GetValue()) > 0 {
			k.Header = h.GetValue() // as it was, whatever its bytes
			break
		}
	}
	if k.Value == nil && !l.GetNullPayload() {
		k.Value = []byte{}
	}
	return k
}

// Headers returns the headers that the record had.
func (r *replayed) Headers(i int) []kafka.Header {
	var all []kafka.Header
	for _, h := range r.letters[i].GetHeaders() {
		all = append(all, kafka.Header{Key: h.GetKey(), Value: h.GetValue()})
	}
	return all
}

// replays reads the letters of one input of a job that are replayed, from a topic
// of the job's own.
type replays struct {
	env    connector.Env
	scan   *plan.Scan
	o      *connector.Options
	log    *slog.Logger
	topic  string
	decode *decoding
	free   chan struct{} // holds what decode's memory may be used with

	mu     sync.Mutex
	broken *broken
}

// Replays returns the source of the table's replayed letters.
func (s *source) Replays() (connector.Source, error) {
	if s.env.Job == "" || s.env.Handoff.Replays == nil || s.o.Enum("scan.bounded.mode") != unbounded {
		return nil, nil //nolint:nilnil // there is nothing to replay
	}
	d, err := newDecoding(s.scan, s.o)
	if err != nil {
		return nil, err
	}
	return &replays{env: s.env, scan: s.scan, o: s.o, log: s.log, topic: connector.ReplayPrefix + s.env.Job, decode: d, free: make(chan struct{}, 1)}, nil
}

// Run reads from the position given, or all that is there, until the context ends.
// It costs nothing until there is a topic of replays.
func (r *replays) Run(ctx context.Context, from []connector.Position, emit func(connector.Chunk) error) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-r.env.Handoff.Replays:
	}
	// What fails again is kept again, whatever the table says by now: it must not
	// end the job.
	bad, err := newBroken(r.env, r.scan.Table.Name, handleKeep, r.o, r.log) //nolint:contextcheck // it is closed below
	if err != nil {
		return fault.Permanent(err)
	}
	r.mu.Lock()
	r.broken = bad
	r.mu.Unlock()
	defer bad.close() //nolint:contextcheck // what is on its way is finished though the run has ended
	c, err := kafka.NewConsumer(r.env.Handoff.Kafka, kafka.ConsumerOptions{Logger: r.log, MaxRecords: 1024, Properties: map[string]string{
		"auto.offset.reset": "earliest", "queued.max.messages.kbytes": "4096", "fetch.wait.max.ms": "500"}})
	if err != nil {
		return fault.Permanent(fmt.Errorf("table %q: read replays: %w", r.scan.Table.Name, err))
	}
	defer c.Close()
	start := kafka.Position{Topic: r.topic, Offset: kafka.OffsetBeginning}
	for _, p := range from {
		if p.Topic == r.topic && p.Partition == 0 {
			start.Offset = p.Offset
		}
	}
	if err := c.Assign([]kafka.Position{start}); err != nil {
		return fmt.Errorf("read %s: %w", r.topic, err)
	}
	r.free <- struct{}{}
	err = r.read(ctx, c, emit)
	<-r.free // the chunk on its way has been released
	return err
}

func (r *replays) read(ctx context.Context, c *kafka.Consumer, emit func(connector.Chunk) error) error {
	for {
		b, err := c.Poll(ctx, time.Second)
		if err != nil && ctx.Err() == nil {
			r.log.Debug("reading replays", "error", err)
		}
		if b != nil {
			select {
			case <-r.free:
			case <-ctx.Done():
				b.Release()
				return ctx.Err()
			}
			chunk, err := r.chunk(ctx, b)
			b.Release()
			if err == nil {
				err = emit(chunk)
			}
			if err != nil {
				r.free <- struct{}{}
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// chunk makes rows of those letters of a batch that are of the input. The others
// are nobody's records here: they are not counted.
func (r *replays) chunk(ctx context.Context, b *kafka.Batch) (connector.Chunk, error) {
	discarded, err := r.discarded(ctx, b)
	if err != nil {
		return connector.Chunk{}, err
	}
	again := &replayed{}
	var next int64
	for i := range b.Len() {
		rec := b.Record(i)
		next = rec.Offset + 1
		l := &deadletterv1.DeadLetter{}
		if err := proto.Unmarshal(rec.Value, l); err != nil {
			r.log.Error("a replay cannot be read and is left out", "topic", rec.Topic, "offset", rec.Offset, "error", err)
			continue
		}
		if l.GetInput() == r.env.Input && !discarded[string(rec.Key)] {
			again.letters = append(again.letters, l)
		}
	}
	n := again.Len()
	from := &origin{batch: again}
	cols, rows, err := r.decode.batch(again, n, from, r.broken)
	if err != nil {
		return connector.Chunk{}, fault.Permanent(fmt.Errorf("table %q: replay: %w", r.scan.Table.Name, err))
	}
	out := &column.Batch{Len: len(rows), Cols: cols, Origin: from, Rows: rows}
	if r.decode.upsert {
		out.Kinds = r.decode.kinds
	}
	chunk := connector.Chunk{Batch: out, Records: n, Positions: []connector.Position{{Topic: r.topic, Offset: next}}}
	if chunk.Dead = r.decode.letters.Len(); chunk.Dead > 0 {
		chunk.Keep = func(done func(error)) { r.broken.keep(&r.decode.letters, done) }
	}
	chunk.KeepLate = func(records []int32, done func(error)) { r.broken.keepLate(again, records, done) }
	chunk.Release = func() { r.free <- struct{}{} }
	return chunk, nil
}

// discarded returns the letters of a batch that were discarded after they were
// replayed: so one that ends the job can be taken back.
func (r *replays) discarded(ctx context.Context, b *kafka.Batch) (map[string]bool, error) {
	if r.env.Handoff.Discarded == nil {
		return nil, nil
	}
	var ids []string
	for i := range b.Len() {
		ids = append(ids, string(b.Record(i).Key))
	}
	for {
		out, err := r.env.Handoff.Discarded(ctx, ids)
		if err == nil || ctx.Err() != nil {
			return out, ctx.Err()
		}
		r.log.Debug("asking what became of replayed letters", "error", err)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(retryInterval):
		}
	}
}

// Abort makes a wait for room for dead letters return.
func (r *replays) Abort() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken.abort()
}
