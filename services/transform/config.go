package transform

import (
	"errors"
	"time"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/ports"
	"github.com/weirflow/weirflow/services/platform/rpc"
)

// Config is the configuration of the service.
type Config struct {
	// RPC is the port for the gateway.
	RPC rpc.ServerConfig `yaml:"rpc"`
	// Kafka is the cluster of the service's own topics: jobs, state, documents.
	// The tables of a job name their clusters themselves.
	Kafka kafka.Config `yaml:"kafka"`
	// IndexPartitions is how many partitions the topic of a job's documents gets.
	IndexPartitions int `yaml:"index_partitions" help:"partitions of the topic of a job's documents"`
	// CheckpointInterval is how often jobs note where they are, unless a job says
	// otherwise with execution.checkpointing.interval.
	CheckpointInterval time.Duration `yaml:"checkpoint_interval" help:"how often jobs note where they are"`
	// RestartMin and RestartMax bound the pause before a failed job is tried again;
	// it doubles each time.
	RestartMin time.Duration `yaml:"restart_min" help:"pause before a failed job is tried again"`
	RestartMax time.Duration `yaml:"restart_max" help:"to which it doubles"`
	// FunctionsFolder holds the WebAssembly modules that jobs may use.
	FunctionsFolder string `yaml:"functions_folder" help:"folder of the WebAssembly modules that jobs may use; empty: none"`
}

// DefaultConfig works with a Kafka on this machine.
func DefaultConfig() Config {
	return Config{
		RPC:             rpc.ServerConfig{Listen: ports.Loopback(ports.TransformGRPC)},
		Kafka:           kafka.Config{Brokers: []string{ports.Loopback(ports.Kafka)}},
		IndexPartitions: 1, CheckpointInterval: time.Second, RestartMin: time.Second, RestartMax: time.Minute,
	}
}

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	err := c.Kafka.Validate()
	if c.IndexPartitions < 1 {
		err = errors.Join(err, errors.New("transform.index_partitions must be at least 1"))
	}
	if c.CheckpointInterval <= 0 {
		err = errors.Join(err, errors.New("transform.checkpoint_interval must be more than 0"))
	}
	if c.RestartMin <= 0 || c.RestartMax < c.RestartMin {
		err = errors.Join(err, errors.New("transform.restart_min must be more than 0 and at most restart_max"))
	}
	return err
}
