package kafka

import (
	"context"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
)

// announce tells which partitions are read, and from where: so that a checkpoint
// knows of those without records, and that watermarks wait for those with some.
func (s *source) announce(ctx context.Context, start []kafka.Position, emit func(connector.Chunk) error) error {
	c := connector.Chunk{Batch: &column.Batch{}, Release: func() {}}
	for _, p := range start {
		ask, cancel := context.WithTimeout(ctx, askTimeout)
		low, high, err := s.c.Bounds(ask, p.Topic, p.Partition)
		cancel()
		if err != nil {
			s.log.Debug("asking for the bounds of a partition", "topic", p.Topic, "partition", p.Partition, "error", err)
			continue
		}
		at := p.Offset
		switch at {
		case kafka.OffsetBeginning:
			at = low
		case kafka.OffsetEnd:
			at = high
		}
		if at < 0 {
			continue // the group knows
		}
		c.Positions = append(c.Positions, connector.Position{Topic: p.Topic, Partition: p.Partition, Offset: at})
		c.Partitions = append(c.Partitions, connector.Partition{Name: part{p.Topic, p.Partition}.name(), Empty: max(at, low) >= high})
	}
	return emit(c)
}
