package transform

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"time"

	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/ports"
	"github.com/weirflow/weirflow/services/platform/rpc"
)

var instanceName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,200}$`)

// Config is the configuration of the service.
type Config struct {
	// RPC is the port for the gateway.
	RPC rpc.ServerConfig `yaml:"rpc"`
	// Kafka is the cluster of the service's own topics: jobs, state, documents.
	// The tables of a job name their clusters themselves.
	Kafka kafka.Config `yaml:"kafka"`
	// Instance names this process among those that share the jobs. It must be its own,
	// and should stay the same over a restart: then it has its jobs back at once.
	Instance string `yaml:"instance" help:"name of this process among the instances; default: host and gRPC port"`
	// SessionTimeout is how long an instance may be silent before the others take its jobs.
	SessionTimeout time.Duration `yaml:"session_timeout" help:"silence after which the other instances take the jobs of one"`
	// Advertise is where other instances reach this one's gRPC API. Empty: where it
	// listens; if that is every address, the one from which Kafka is reached.
	Advertise string `yaml:"advertise" help:"address at which other instances reach this one; default: found out"`
	// Exclusive runs all jobs here, without a group: there is no other instance.
	Exclusive bool `yaml:"exclusive" help:"there is one instance only, which has all jobs"`
	// IndexPartitions is how many partitions the topic of a job's documents gets.
	IndexPartitions int `yaml:"index_partitions" help:"partitions of the topic of a job's documents"`
	// CheckpointInterval is how often jobs note where they are, unless a job says
	// otherwise with execution.checkpointing.interval.
	CheckpointInterval time.Duration `yaml:"checkpoint_interval" help:"how often jobs note where they are"`
	// RestartMin and RestartMax bound the pause before a failed job is tried again;
	// it doubles each time.
	RestartMin time.Duration `yaml:"restart_min" help:"pause before a failed job is tried again"`
	RestartMax time.Duration `yaml:"restart_max" help:"to which it doubles"`
	// DeadLetterRetention is for how long new topics of dead letters keep them.
	DeadLetterRetention time.Duration `yaml:"dead_letter_retention" help:"for how long dead letters are kept, in topics made from now on"`
	// FunctionsFolder holds the WebAssembly modules that jobs may use.
	FunctionsFolder string `yaml:"functions_folder" help:"folder of the WebAssembly modules that jobs may use; empty: none"`
}

// DefaultConfig works with a Kafka on this machine.
func DefaultConfig() Config {
	return Config{
		RPC:             rpc.ServerConfig{Listen: ports.Loopback(ports.TransformGRPC)},
		Kafka:           kafka.Config{Brokers: []string{ports.Loopback(ports.Kafka)}},
		SessionTimeout:  10 * time.Second,
		IndexPartitions: 1, CheckpointInterval: time.Second, RestartMin: time.Second, RestartMax: time.Minute,
		DeadLetterRetention: 14 * 24 * time.Hour,
	}
}

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	err := c.Kafka.Validate()
	if c.Instance != "" && !instanceName.MatchString(c.Instance) {
		err = errors.Join(err, fmt.Errorf("transform.instance %q: a name is 1 to 200 letters, digits, '-', '_' and '.'", c.Instance))
	}
	if !c.Exclusive && c.SessionTimeout < time.Second {
		err = errors.Join(err, errors.New("transform.session_timeout must be at least 1s; brokers take 6s to 30m unless told otherwise"))
	}
	if c.Advertise != "" {
		if _, _, e := net.SplitHostPort(c.Advertise); e != nil {
			err = errors.Join(err, fmt.Errorf("transform.advertise %q is not host:port", c.Advertise))
		}
	}
	if c.IndexPartitions < 1 {
		err = errors.Join(err, errors.New("transform.index_partitions must be at least 1"))
	}
	if c.CheckpointInterval <= 0 {
		err = errors.Join(err, errors.New("transform.checkpoint_interval must be more than 0"))
	}
	if c.DeadLetterRetention < time.Minute {
		err = errors.Join(err, errors.New("transform.dead_letter_retention must be at least 1m"))
	}
	if c.RestartMin <= 0 || c.RestartMax < c.RestartMin {
		err = errors.Join(err, errors.New("transform.restart_min must be more than 0 and at most restart_max"))
	}
	return err
}
