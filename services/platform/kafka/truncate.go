package kafka

import (
	"context"
	"fmt"

	ckafka "github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// Truncate removes all records that a topic holds. Offsets go on where they were.
func (a *Admin) Truncate(ctx context.Context, topic string) error {
	info, err := a.Topic(ctx, topic)
	if err != nil {
		return err
	}
	all := make([]ckafka.TopicPartition, 0, len(info.Partitions))
	for _, p := range info.Partitions {
		all = append(all, ckafka.TopicPartition{Topic: &topic, Partition: p.ID, Offset: ckafka.OffsetEnd})
	}
	if len(all) == 0 {
		return nil
	}
	res, err := a.c.DeleteRecords(ctx, all, ckafka.SetAdminRequestTimeout(within(ctx)))
	if err != nil {
		return fmt.Errorf("truncate topic %q: %w", topic, err)
	}
	for _, r := range res.DeleteRecordsResults {
		if err := r.TopicPartition.Error; err != nil {
			return fmt.Errorf("truncate topic %q: partition %d: %w", topic, r.TopicPartition.Partition, err)
		}
	}
	return nil
}
