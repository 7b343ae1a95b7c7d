package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	statev1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/state/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"
)

// together is how many chunks are handed to the producer at once.
const together = 16

// WriteChunks writes the chunks of a segment and returns when the cluster has
// them. Written again, they replace themselves.
func (s *Store) WriteChunks(ctx context.Context, g *statev1.Segment, chunks [][]byte) error {
	var r kafka.Records
	for n, c := range chunks {
		r.Append(s.part, []byte(chunkKey(g, n)), c)
		if r.Len() < together && n < len(chunks)-1 {
			continue
		}
		if err := s.produce(ctx, &r); err != nil {
			return fmt.Errorf("write state to %s: %w", s.cfg.Topic, err)
		}
		r.Reset()
	}
	return nil
}

func (s *Store) produce(ctx context.Context, r *kafka.Records) error {
	if r.Len() == 0 {
		return nil
	}
	if s.chunks == nil {
		p, err := kafka.NewProducer(s.cfg.Kafka, kafka.ProducerOptions{Logger: s.cfg.Logger, Properties: map[string]string{
			"linger.ms": "0", "compression.type": "none", "queue.buffering.max.kbytes": "65536", // chunks are compressed already
		}})
		if err != nil {
			return err
		}
		s.chunks = p
	}
	answer := make(chan error, 1)
	_ = s.chunks.Produce(ctx, s.cfg.Topic, r, func(err error, _ []kafka.Failure) { answer <- err })
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// readChunks reads the chunks of segments. The keys of others are noted in garbage,
// unless it is nil.
func (s *Store) readChunks(ctx context.Context, segments []*statev1.Segment, garbage map[string]bool) (map[string][]byte, error) {
	want := make(map[string][]byte)
	for _, g := range segments {
		for n := range int(g.GetChunks()) {
			want[chunkKey(g, n)] = nil
		}
	}
	err := s.each(ctx, func(key string, value []byte) {
		_, wanted := want[key]
		switch {
		case wanted:
			want[key] = bytes.Clone(value)
		case value == nil:
			delete(garbage, key)
		case garbage != nil && strings.HasPrefix(key, "chunk/"):
			garbage[key] = true
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read state from %s: %w", s.cfg.Topic, err)
	}
	for k, v := range want {
		if v == nil {
			return nil, fmt.Errorf("%w: %s is missing in topic %s", ErrDamaged, k, s.cfg.Topic)
		}
	}
	return want, nil
}

// each reads the partition of chunks to its end.
func (s *Store) each(ctx context.Context, f func(key string, value []byte)) error {
	ends, err := s.admin.EndOffsets(ctx, s.cfg.Topic)
	if err != nil {
		return err
	}
	end := ends[s.part]
	if end == 0 {
		return nil
	}
	c, err := kafka.NewConsumer(s.cfg.Kafka, kafka.ConsumerOptions{Logger: s.cfg.Logger, Ends: true, MaxRecords: 64, Properties: map[string]string{
		"auto.offset.reset": "earliest", "queued.max.messages.kbytes": "32768",
	}})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Assign([]kafka.Position{{Topic: s.cfg.Topic, Partition: s.part, Offset: kafka.OffsetBeginning}}); err != nil {
		return err
	}
	var trouble error
	for last := time.Now(); ; {
		b, err := c.Poll(ctx, time.Second)
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), trouble)
		}
		if err != nil {
			trouble = err
		}
		if b != nil {
			last = time.Now()
			for i := range b.Len() {
				r := b.Record(i)
				f(string(r.Key), r.Value)
			}
			b.Release()
		}
		if at, ok := c.End(s.cfg.Topic, s.part); ok && at >= end {
			return nil
		}
		if trouble != nil && time.Since(last) > time.Minute {
			return trouble
		}
	}
}

// Load reads the state that a checkpoint names. It is called before this run writes
// any: what else is there, nobody will need, and Tidy removes it.
func (s *Store) Load(ctx context.Context, c *statev1.Checkpoint) (*Image, error) {
	garbage := make(map[string]bool)
	chunks, err := s.readChunks(ctx, c.GetSegments(), garbage)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.prunable = s.prunable[:0]
	for k := range garbage {
		s.prunable = append(s.prunable, k)
	}
	s.mu.Unlock()
	m := &Image{}
	round := -1
	for i, g := range c.GetSegments() {
		if g.GetRound() {
			round = i
		}
		var list [][]byte
		for n := range int(g.GetChunks()) {
			list = append(list, chunks[chunkKey(g, n)])
		}
		if err := m.add(i, list); err != nil {
			return nil, fmt.Errorf("checkpoint %d of %s: %w", c.GetId(), s.cfg.Topic, err)
		}
	}
	m.swept(round)
	return m, nil
}
