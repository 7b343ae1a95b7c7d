package kafka

import (
	"context"
	"fmt"

	ckafka "github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// GroupMember is a consumer in a group.
type GroupMember struct {
	// Instance is its static name; empty without one.
	Instance string
	ClientID string
	// Partitions are those that it was given, of all topics.
	Partitions []Position
}

// Group returns the members of a consumer group. settled is false while partitions
// are being given out: what the members have is not known then.
func (a *Admin) Group(ctx context.Context, group string) (members []GroupMember, settled bool, err error) {
	res, err := a.c.DescribeConsumerGroups(ctx, []string{group}, ckafka.SetAdminRequestTimeout(within(ctx)))
	if err != nil {
		return nil, false, fmt.Errorf("describe group %q: %w", group, err)
	}
	for _, g := range res.ConsumerGroupDescriptions {
		if g.Error.Code() != ckafka.ErrNoError {
			return nil, false, fmt.Errorf("describe group %q: %w", group, g.Error)
		}
		settled = g.State == ckafka.ConsumerGroupStateStable
		for _, m := range g.Members {
			x := GroupMember{Instance: m.GroupInstanceID, ClientID: m.ClientID}
			for _, p := range m.Assignment.TopicPartitions {
				if p.Topic != nil {
					x.Partitions = append(x.Partitions, Position{Topic: *p.Topic, Partition: p.Partition, Offset: OffsetInvalid})
				}
			}
			members = append(members, x)
		}
	}
	return members, settled, nil
}
