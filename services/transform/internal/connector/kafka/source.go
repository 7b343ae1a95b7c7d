package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/weirflow/weirflow/services/platform/fault"
	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

const (
	pollWait      = 100 * time.Millisecond
	slots         = 2 // batches that may be on their way at once
	retryInterval = time.Second
	askTimeout    = 5 * time.Second
	endsInterval  = 2 * time.Second
)

// source reads the partitions of topics.
type source struct {
	env     connector.Env
	scan    *plan.Scan
	o       *connector.Options
	cfg     kafka.Config
	group   string
	log     *slog.Logger
	c       *kafka.Consumer
	admin   *kafka.Admin
	numbers map[part]int
	limits  map[part]int64 // where a bounded scan ends
	free    chan *slot
	broken  *broken // nil: a record that cannot be decoded ends the job

	mu      sync.Mutex
	lag     map[part]*connector.PartitionLag
	waiting string
}

// slot is the memory of one batch on its way.
type slot struct {
	decode *decoding
	batch  *kafka.Batch
	origin origin
	out    column.Batch
}

func newSource(env connector.Env, scan *plan.Scan, o *connector.Options) (connector.Source, error) {
	cfg, groupID := cluster(o)
	s := &source{env: env, scan: scan, o: o, cfg: cfg, group: groupID, numbers: make(map[part]int), lag: make(map[part]*connector.PartitionLag),
		log: env.Logger.With("table", scan.Table.Name), free: make(chan *slot, slots)}
	for range slots {
		d, err := newDecoding(scan, o)
		if err != nil {
			return nil, err
		}
		s.free <- &slot{decode: d}
	}
	return s, nil
}

// Run reads until the context ends, or all partitions have reached their bound.
func (s *source) Run(ctx context.Context, from []connector.Position, emit func(connector.Chunk) error) (err error) {
	if err := s.open(); err != nil { //nolint:contextcheck // what it opens is closed by close
		s.broken.close() //nolint:contextcheck // what is on its way is finished though the run has ended
		return err
	}
	defer s.close() //nolint:contextcheck // what is on its way is finished though the run has ended
	start, err := s.begin(ctx, from)
	if err != nil {
		return err
	}
	if err := s.c.Assign(start); err != nil {
		return fmt.Errorf("assign partitions: %w", err)
	}
	watch, stop := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { s.watchEnds(watch, start) })
	defer watching.Wait()
	defer stop()
	if err := s.announce(ctx, start, emit); err != nil {
		return err
	}
	next := time.Now().Add(s.discovery())
	for !s.reached() {
		if err := s.poll(ctx, emit); err != nil {
			return err
		}
		if d := s.discovery(); d > 0 && time.Now().After(next) {
			next = time.Now().Add(d)
			if fresh := s.discover(ctx); len(fresh) > 0 {
				if err := s.announce(ctx, fresh, emit); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (s *source) open() error {
	bad, err := newBroken(s.env, s.scan.Table.Name, s.o.Enum("error-handling.mode"), s.o, s.log)
	if err != nil {
		return fault.Permanent(err)
	}
	s.mu.Lock()
	s.broken = bad
	s.mu.Unlock()
	props := map[string]string{"auto.offset.reset": "earliest", "queued.max.messages.kbytes": "32768",
		// An answer of the broker is held whole, and becomes several times as large when it is unpacked.
		"fetch.message.max.bytes": "2097152", "queued.min.messages": "100000"}
	s.c, err = kafka.NewConsumer(s.cfg, kafka.ConsumerOptions{GroupID: s.group, Header: EventID, Logger: s.log, Properties: props})
	if err != nil {
		return fault.Permanent(fmt.Errorf("table %q: %w", s.scan.Table.Name, err))
	}
	if s.admin, err = kafka.NewAdmin(s.cfg, s.log); err != nil {
		s.c.Close()
		return fault.Permanent(fmt.Errorf("table %q: %w", s.scan.Table.Name, err))
	}
	return nil
}

// close waits for the batches on their way: their memory is the consumer's.
func (s *source) close() {
	for range slots {
		sl := <-s.free
		if sl.batch != nil {
			sl.batch.Release()
			sl.batch = nil
		}
	}
	s.broken.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.c.Close()
	s.c = nil
	s.admin.Close()
}

func (s *source) poll(ctx context.Context, emit func(connector.Chunk) error) error {
	var sl *slot
	select {
	case sl = <-s.free:
	case <-ctx.Done():
		return ctx.Err()
	}
	if sl.batch != nil {
		sl.batch.Release()
		sl.batch = nil
	}
	b, err := s.c.Poll(ctx, pollWait)
	if err != nil {
		if b != nil {
			b.Release()
			b = nil
		}
		if err := s.trouble(ctx, err); err != nil {
			s.free <- sl
			return err
		}
	}
	if b == nil {
		s.free <- sl
		return ctx.Err()
	}
	sl.batch = b
	chunk, err := s.chunk(sl, b)
	if err != nil {
		s.free <- sl
		return err
	}
	if chunk.Records == 0 {
		s.free <- sl
		return nil
	}
	chunk.Release = func() { s.free <- sl }
	if err := emit(chunk); err != nil {
		s.free <- sl
		return err
	}
	return nil
}

// Abort makes a wait for room for dead letters return.
func (s *source) Abort() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken.abort()
}

// trouble decides about an error of reading: what may pass is waited for.
func (s *source) trouble(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var pe *kafka.PartitionError
	if errors.As(err, &pe) && kafka.HasCode(err, kafka.CodeOffsetOutOfRange, kafka.CodeAutoOffsetReset) {
		return fault.Permanent(fmt.Errorf("table %q: the records to go on with are gone, the topic no longer keeps them: %w; start the job from scratch", s.scan.Table.Name, err))
	}
	s.log.Debug("reading", "error", err)
	return nil
}

// chunk decodes a batch.
func (s *source) chunk(sl *slot, b *kafka.Batch) (connector.Chunk, error) {
	n := s.within(b)
	sl.origin = origin{batch: b, index: s.numbers}
	cols, rows, err := sl.decode.batch(b, n, &sl.origin, s.broken)
	if err != nil {
		return connector.Chunk{}, fault.Permanent(fmt.Errorf("table %q: %w", s.scan.Table.Name, err))
	}
	sl.out = column.Batch{Len: len(rows), Cols: cols, Origin: &sl.origin, Rows: rows}
	if sl.decode.upsert {
		sl.out.Kinds = sl.decode.kinds
	}
	chunk := connector.Chunk{Batch: &sl.out, Records: n, Positions: s.positions(b, n)}
	if s.broken != nil {
		if err := s.broken.judge(n); err != nil {
			return connector.Chunk{}, fault.Permanent(fmt.Errorf("table %q: %w", s.scan.Table.Name, err))
		}
		if chunk.Dead = sl.decode.letters.Len(); chunk.Dead > 0 {
			chunk.Keep = func(done func(error)) { s.broken.keep(&sl.decode.letters, done) }
		}
		if s.broken.producer != nil {
			chunk.KeepLate = func(records []int32, done func(error)) { s.broken.keepLate(b, records, done) }
		}
	}
	return chunk, nil
}

// within returns how many records of the batch are before the bounds. A batch
// that crosses a bound is cut there: records behind it are read by nobody.
func (s *source) within(b *kafka.Batch) int {
	if s.limits == nil {
		return b.Len()
	}
	var last part
	end := int64(-1)
	n := 0
	for n < b.Len() {
		r := b.Record(n)
		if p := (part{r.Topic, r.Partition}); n == 0 || p != last {
			last, end = p, s.limits[p]
		}
		if r.Offset >= end {
			break
		}
		n++
	}
	return n
}

// positions notes how far each partition has been read.
func (s *source) positions(b *kafka.Batch, n int) []connector.Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []connector.Position
	var last part
	for i := n - 1; i >= 0; i-- {
		r := b.Record(i)
		p := part{r.Topic, r.Partition}
		if p == last && len(out) > 0 {
			continue
		}
		last = p
		seen := false
		for _, o := range out {
			seen = seen || o.Topic == p.topic && o.Partition == p.partition
		}
		if seen {
			continue
		}
		pos := connector.Position{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset + 1}
		out = append(out, pos)
		l := s.lag[p]
		if l == nil {
			l = &connector.PartitionLag{}
			s.lag[p] = l
		}
		l.Position, l.LastMillis = pos, r.TimestampMillis
		l.End = max(l.End, pos.Offset)
	}
	return out
}

// reached reports whether every partition of a bounded scan is at its end.
func (s *source) reached() bool {
	if s.limits == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for p, end := range s.limits {
		if l := s.lag[p]; l == nil || l.Offset < end {
			return false
		}
	}
	return true
}

// Lag returns how far each partition has been read and how much is left.
func (s *source) Lag() []connector.PartitionLag {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]connector.PartitionLag, 0, len(s.lag))
	for _, l := range s.lag {
		out = append(out, *l)
	}
	return out
}

// Commit writes positions to the consumer group, for those who watch it.
func (s *source) Commit(positions []connector.Position) error {
	if s.group == "" {
		return nil
	}
	ps := make([]kafka.Position, 0, len(positions))
	for _, p := range positions {
		ps = append(ps, kafka.Position{Topic: p.Topic, Partition: p.Partition, Offset: p.Offset})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c == nil {
		return nil
	}
	return s.c.Commit(ps)
}
