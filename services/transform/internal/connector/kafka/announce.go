package kafka

import (
	"context"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
)

// announce tells which partitions are read, and from where: so that a checkpoint
// knows of those without records, and that watermarks wait for all.
func (s *source) announce(ctx context.Context, start []kafka.Position, emit func(connector.Chunk) error) error {
	c := connector.Chunk{Batch: &column.Batch{}, Release: func() {}}
	for _, p := range start {
		c.Partitions = append(c.Partitions, part{p.Topic, p.Partition}.name())
		if p.Offset >= 0 {
			c.Positions = append(c.Positions, connector.Position{Topic: p.Topic, Partition: p.Partition, Offset: p.Offset})
			continue
		}
		ask, cancel := context.WithTimeout(ctx, askTimeout)
		low, high, err := s.c.Bounds(ask, p.Topic, p.Partition)
		cancel()
		if err != nil {
			s.log.Debug("asking for the bounds of a partition", "topic", p.Topic, "partition", p.Partition, "error", err)
			continue
		}
		var at int64
		switch p.Offset {
		case kafka.OffsetBeginning:
			at = low
		case kafka.OffsetEnd:
			at = high
		default:
			continue // the group knows
		}
		c.Positions = append(c.Positions, connector.Position{Topic: p.Topic, Partition: p.Partition, Offset: at})
	}
	return emit(c)
}
