// Package kafkatest starts a Kafka cluster inside a test.
package kafkatest

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/weirflow/weirflow/services/platform/kafka"
)

// Start runs a broker on a free loopback port until the test ends and makes the
// topics, of one partition each.
func Start(t testing.TB, topics ...string) kafka.Config {
	t.Helper()
	opts := []kfake.Opt{kfake.NumBrokers(1), kfake.DefaultNumPartitions(1), kfake.AllowAutoTopicCreation()}
	if len(topics) > 0 {
		opts = append(opts, kfake.SeedTopics(1, topics...))
	}
	c, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatalf("start a kafka cluster: %v", err)
	}
	t.Cleanup(c.Close)
	return kafka.Config{Brokers: c.ListenAddrs()}
}
