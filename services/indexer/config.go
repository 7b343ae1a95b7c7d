package indexer

import (
	"errors"
	"time"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/ports"
	"github.com/weirflow/weirflow/services/platform/rpc"
	"github.com/weirflow/weirflow/services/platform/secret"
)

// Config is the configuration of the service.
type Config struct {
	// RPC is the port for the gateway.
	RPC rpc.ServerConfig `yaml:"rpc"`
	// Kafka is the cluster that results are read from.
	Kafka kafka.Config `yaml:"kafka"`
	// Search is the user of a store, for sinks that name the store and no user.
	Search Search `yaml:"search"`
	// Group is the consumer group that instances share.
	Group string `yaml:"group" help:"consumer group that instances share"`
	// CheckpointInterval is how often sinks that flush on checkpoints are
	// flushed, and how often offsets are committed.
	CheckpointInterval time.Duration `yaml:"checkpoint_interval" help:"how often sinks are flushed and offsets committed"`
	// DeadLetterRetention is for how long new topics of dead letters keep them.
	DeadLetterRetention time.Duration `yaml:"dead_letter_retention" help:"for how long dead letters are kept, in topics made from now on"`
	// QueueBytes bounds what waits in memory for each partition.
	QueueBytes int `yaml:"queue_bytes" help:"what waits in memory for each partition"`
}

// Search is a store and who writes to it.
type Search struct {
	URL      string        `yaml:"url" help:"store whose sinks need no user of their own; empty: none"`
	Username string        `yaml:"username" help:"user for them"`
	Password secret.String `yaml:"password" help:"its password"`
}

// DefaultConfig reads from a Kafka on this machine.
func DefaultConfig() Config {
	return Config{
		RPC:   rpc.ServerConfig{Listen: ports.Loopback(ports.IndexerGRPC)},
		Kafka: kafka.Config{Brokers: []string{ports.Loopback(ports.Kafka)}},
		Group: "weirflow-indexer", CheckpointInterval: 200 * time.Millisecond, QueueBytes: 32 << 20,
		DeadLetterRetention: 14 * 24 * time.Hour, Search: Search{Username: "elastic"},
	}
}

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	err := c.Kafka.Validate()
	if c.Group == "" {
		err = errors.Join(err, errors.New("indexer.group is empty"))
	}
	if c.CheckpointInterval <= 0 {
		err = errors.Join(err, errors.New("indexer.checkpoint_interval must be more than 0"))
	}
	if c.DeadLetterRetention < time.Minute {
		err = errors.Join(err, errors.New("indexer.dead_letter_retention must be at least 1m"))
	}
	if c.QueueBytes < 1<<16 {
		err = errors.Join(err, errors.New("indexer.queue_bytes must be at least 65536"))
	}
	return err
}
