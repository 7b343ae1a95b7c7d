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
		told := connector.Partition{Name: part{p.Topic, p.Partition}.name()}
		at := p.Offset
		if at <= 0 { // nothing is known of the partition, or it may be an empty one
			ask, cancel := context.WithTimeout(ctx, askTimeout)
			low, high, err := s.c.Bounds(ask, p.Topic, p.Partition)
			cancel()
			if err != nil {
				s.log.Debug("asking for the bounds of a partition", "topic", p.Topic, "partition", p.Partition, "error", err)
			} else {
				told.Empty = high == 0
				at = resolve(at, low, high)
			}
		}
		c.Partitions = append(c.Partitions, told)
		if at >= 0 {
			c.Positions = append(c.Positions, connector.Position{Topic: p.Topic, Partition: p.Partition, Offset: at})
		}
	}
	return emit(c)
}

// resolve returns the offset that stands for the beginning or the end; others, such
// as that of the group, stay as they are.
func resolve(at, low, high int64) int64 {
	switch at {
	case kafka.OffsetBeginning:
		return low
	case kafka.OffsetEnd:
		return high
	default:
		return at
	}
}
