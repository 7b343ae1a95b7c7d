package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	ckafka "github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// Admin looks at topics and changes them.
type Admin struct {
	c *ckafka.AdminClient
}

// TopicInfo describes a topic.
type TopicInfo struct {
	Name       string
	Partitions []PartitionInfo
}

// PartitionInfo describes a partition of a topic.
type PartitionInfo struct {
	ID       int32
	Leader   int32
	Replicas []int32
	ISR      []int32
}

// NewAdmin connects in the background: a cluster that is not there is no error.
func NewAdmin(cfg Config, log *slog.Logger) (*Admin, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c, err := ckafka.NewAdminClient(cfg.ConfigMap(map[string]string{
		"client.id": "weirflow", "allow.auto.create.topics": "false", "reconnect.backoff.max.ms": "5000",
	}))
	if err != nil {
		return nil, fmt.Errorf("create kafka admin client: %w", err)
	}
	log.Debug("kafka admin client created", "brokers", cfg.Brokers)
	return &Admin{c: c}, nil
}

// Topics lists all topics by name.
func (a *Admin) Topics(ctx context.Context) ([]TopicInfo, error) {
	m, err := a.c.GetMetadata(nil, true, millis(ctx))
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	out := make([]TopicInfo, 0, len(m.Topics))
	for _, name := range slices.Sorted(maps.Keys(m.Topics)) {
		out = append(out, infoOf(m.Topics[name]))
	}
	return out, nil
}

// Topic describes one topic; the error has CodeUnknownTopicOrPartition if there is none.
func (a *Admin) Topic(ctx context.Context, name string) (TopicInfo, error) {
	m, err := a.c.GetMetadata(&name, false, millis(ctx))
	if err != nil {
		return TopicInfo{}, fmt.Errorf("describe topic %q: %w", name, err)
	}
	t, ok := m.Topics[name]
	if !ok {
		return TopicInfo{}, fmt.Errorf("describe topic %q: %w", name, ckafka.NewError(ckafka.ErrUnknownTopicOrPart, "unknown topic", false))
	}
	if t.Error.Code() != ckafka.ErrNoError {
		return TopicInfo{}, fmt.Errorf("describe topic %q: %w", name, t.Error)
	}
	return infoOf(t), nil
}

func infoOf(t ckafka.TopicMetadata) TopicInfo {
	info := TopicInfo{Name: t.Topic}
	for _, p := range t.Partitions {
		info.Partitions = append(info.Partitions, PartitionInfo{ID: p.ID, Leader: p.Leader, Replicas: p.Replicas, ISR: p.Isrs})
	}
	slices.SortFunc(info.Partitions, func(a, b PartitionInfo) int { return int(a.ID - b.ID) })
	return info
}

// Spec says what a new topic is like; zero counts are the cluster's defaults.
type Spec struct {
	Name        string
	Partitions  int
	Replication int
	Config      map[string]string
}

// Create makes a topic.
func (a *Admin) Create(ctx context.Context, s Spec) error {
	if s.Partitions <= 0 {
		s.Partitions = -1
	}
	if s.Replication <= 0 {
		s.Replication = -1
	}
	res, err := a.c.CreateTopics(ctx, []ckafka.TopicSpecification{{
		Topic: s.Name, NumPartitions: s.Partitions, ReplicationFactor: s.Replication, Config: s.Config,
	}}, ckafka.SetAdminRequestTimeout(within(ctx)))
	return firstError(fmt.Sprintf("create topic %q", s.Name), res, err)
}

// EnsureTopic makes a topic unless it is there. Partition counts and settings of
// one that is there are left alone.
func (a *Admin) EnsureTopic(ctx context.Context, name string, partitions int, config map[string]string) error {
	err := a.Create(ctx, Spec{Name: name, Partitions: partitions, Config: config})
	var k ckafka.Error
	if errors.As(err, &k) && k.Code() == ckafka.ErrTopicAlreadyExists {
		return nil
	}
	return err
}

// MakeTopic makes a topic of one partition unless it is there, for those who want
// nothing else of an Admin. It gives up after ten seconds.
func MakeTopic(ctx context.Context, cfg Config, log *slog.Logger, name string, config map[string]string) error {
	a, err := NewAdmin(cfg, log)
	if err != nil {
		return err
	}
	defer a.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return a.EnsureTopic(ctx, name, 1, config)
}

// Widen gives a topic more partitions, if it has fewer. Records stay where they are.
func (a *Admin) Widen(ctx context.Context, topic string, partitions int) error {
	info, err := a.Topic(ctx, topic)
	if err != nil {
		return err
	}
	if len(info.Partitions) >= partitions {
		return nil
	}
	res, err := a.c.CreatePartitions(ctx, []ckafka.PartitionsSpecification{{Topic: topic, IncreaseTo: partitions}}, ckafka.SetAdminRequestTimeout(within(ctx)))
	return firstError(fmt.Sprintf("give topic %q %d partitions", topic, partitions), res, err)
}

// Delete removes a topic and all that is in it.
func (a *Admin) Delete(ctx context.Context, name string) error {
	res, err := a.c.DeleteTopics(ctx, []string{name}, ckafka.SetAdminRequestTimeout(within(ctx)))
	return firstError(fmt.Sprintf("delete topic %q", name), res, err)
}

// TopicConfig returns the settings of a topic that differ from the cluster's.
func (a *Admin) TopicConfig(ctx context.Context, name string) (map[string]string, error) {
	res, err := a.c.DescribeConfigs(ctx, []ckafka.ConfigResource{{Type: ckafka.ResourceTopic, Name: name}}, ckafka.SetAdminRequestTimeout(within(ctx)))
	if err != nil {
		return nil, fmt.Errorf("describe settings of topic %q: %w", name, err)
	}
	out := map[string]string{}
	for _, r := range res {
		for k, e := range r.Config {
			if e.Source == ckafka.ConfigSourceDynamicTopic && !e.IsSensitive {
				out[k] = e.Value
			}
		}
	}
	return out, nil
}

// EndOffsets returns, for each partition of a topic, the offset that the next
// record will get.
func (a *Admin) EndOffsets(ctx context.Context, topic string) (map[int32]int64, error) {
	return a.offsets(ctx, topic, ckafka.LatestOffsetSpec)
}

// StartOffsets returns, for each partition of a topic, the offset of its first record.
func (a *Admin) StartOffsets(ctx context.Context, topic string) (map[int32]int64, error) {
	return a.offsets(ctx, topic, ckafka.EarliestOffsetSpec)
}

func (a *Admin) offsets(ctx context.Context, topic string, spec ckafka.OffsetSpec) (map[int32]int64, error) {
	info, err := a.Topic(ctx, topic)
	if err != nil {
		return nil, err
	}
	ask := map[ckafka.TopicPartition]ckafka.OffsetSpec{}
	for _, p := range info.Partitions {
		ask[ckafka.TopicPartition{Topic: &topic, Partition: p.ID}] = spec
	}
	res, err := a.c.ListOffsets(ctx, ask, ckafka.SetAdminRequestTimeout(within(ctx)))
	if err != nil {
		return nil, fmt.Errorf("list offsets of topic %q: %w", topic, err)
	}
	out := map[int32]int64{}
	for tp, r := range res.ResultInfos {
		if r.Error.Code() != ckafka.ErrNoError {
			return nil, fmt.Errorf("list offsets of %s/%d: %w", topic, tp.Partition, r.Error)
		}
		out[tp.Partition] = int64(r.Offset)
	}
	return out, nil
}

// Ping asks the cluster for an answer.
func (a *Admin) Ping(ctx context.Context) error {
	_, err := a.c.ClusterID(ctx)
	return err
}

// Close frees the client.
func (a *Admin) Close() { a.c.Close() }

func firstError(what string, res []ckafka.TopicResult, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	for _, r := range res {
		if r.Error.Code() != ckafka.ErrNoError {
			return fmt.Errorf("%s: %w", what, r.Error)
		}
	}
	return nil
}

func within(ctx context.Context) time.Duration {
	if d, ok := ctx.Deadline(); ok {
		return max(time.Millisecond, time.Until(d))
	}
	return 10 * time.Second
}

func millis(ctx context.Context) int { return int(within(ctx).Milliseconds()) }
