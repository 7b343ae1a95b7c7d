package ingest

import (
	"errors"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/ports"
	"github.com/weirflow/weirflow/services/platform/rpc"
)

// Config is the configuration of the service.
type Config struct {
	// RPC is the port for agents and SDK clients.
	RPC rpc.ServerConfig `yaml:"rpc"`
	// Kafka is the cluster that events go to.
	Kafka kafka.Config `yaml:"kafka"`
	// DefaultTopic takes the events of sources that name no topic.
	DefaultTopic string `yaml:"default_topic" help:"topic of sources that name none"`
	// TopicPartitions is how many partitions a topic gets that is made on first use.
	TopicPartitions int `yaml:"topic_partitions" help:"partitions of a topic that is made on first use"`
	// Window is how many batches a client may have unacknowledged.
	Window int `yaml:"window" help:"batches a client may have unacknowledged"`
	// MaxEventBytes is the longest event that is written; a longer one is set
	// aside as a dead letter.
	MaxEventBytes int `yaml:"max_event_bytes" help:"longer events are set aside"`
	// DeadLetterTopic keeps events that could not be written.
	DeadLetterTopic string `yaml:"dead_letter_topic" help:"topic of events that could not be written"`
}

// DefaultConfig writes to a Kafka on this machine.
func DefaultConfig() Config {
	return Config{
		RPC:          rpc.ServerConfig{Listen: ports.Loopback(ports.IngestGRPC)},
		Kafka:        kafka.Config{Brokers: []string{ports.Loopback(ports.Kafka)}},
		DefaultTopic: "topic-app-info", TopicPartitions: 1, Window: 4,
		MaxEventBytes: 11 << 20, DeadLetterTopic: "weirflow.deadletters.ingest",
	}
}

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	var errs []error
	errs = append(errs, c.Kafka.Validate())
	if c.DefaultTopic == "" {
		errs = append(errs, errors.New("ingest.default_topic is empty"))
	}
	if c.Window < 1 {
		errs = append(errs, errors.New("ingest.window must be at least 1"))
	}
	return errors.Join(errs...)
}
