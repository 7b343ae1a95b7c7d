// Package broker embeds a Kafka broker, for trial and for small sites. It speaks
// Kafka's protocol on a real port, so that the services, kcat and any shipper
// use it as they would a cluster; it keeps its data on disk, and what it has
// acknowledged survives the end of the process. It is one node without replicas:
// for more, configure a real cluster.
package broker

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Config is the configuration of the broker.
type Config struct {
	// Listen is host:port.
	Listen string
	// DataDir keeps topics and groups.
	DataDir string
	// Partitions is how many a topic gets for which no one said.
	Partitions int
	// RetentionBytes bounds each partition of a topic for which no one said;
	// the oldest segments go first.
	RetentionBytes int64
	// RetentionTime is how long records are kept.
	RetentionTime time.Duration
}

// Broker is a running broker.
type Broker struct {
	cluster *kfake.Cluster
	log     *slog.Logger
}

// clusterID tells clients which broker answers.
const clusterID = "weirflow-embedded"

// Start opens the data and takes the port.
func Start(cfg Config, log *slog.Logger) (*Broker, error) {
	host, portText, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("kafka listen address %q is not host:port", cfg.Listen)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, fmt.Errorf("kafka listen address %q: %q is not a port number", cfg.Listen, portText)
	}
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the broker's data directory: %w", err)
	}
	c, err := kfake.NewCluster(
		kfake.NumBrokers(1), kfake.Ports(port), kfake.ClusterID(clusterID),
		kfake.DataDir(cfg.DataDir), kfake.DefaultNumPartitions(cfg.Partitions), kfake.AllowAutoTopicCreation(),
		kfake.ListenFn(func(network, _ string) (net.Listener, error) {
			return (&net.ListenConfig{}).Listen(context.Background(), network, net.JoinHostPort(host, portText))
		}),
		kfake.BrokerConfigs(map[string]string{
			"log.retention.bytes": strconv.FormatInt(cfg.RetentionBytes, 10),
			"log.retention.ms":    strconv.FormatInt(cfg.RetentionTime.Milliseconds(), 10),
			"log.segment.bytes":   strconv.Itoa(16 << 20),
			"message.max.bytes":   strconv.Itoa(32 << 20),
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("start the embedded broker on %s with the data in %s: %w", cfg.Listen, cfg.DataDir, err)
	}
	return &Broker{cluster: c, log: log}, nil
}

// Addr is where the broker listens.
func (b *Broker) Addr() string { return b.cluster.ListenAddrs()[0] }

// Run applies retention and compaction until the context ends, then closes the
// broker, which writes what it has to disk.
func (b *Broker) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			b.Close()
			return nil
		case <-tick.C:
			b.Maintain()
		}
	}
}

// Maintain drops what is older or larger than is kept, and compacts.
func (b *Broker) Maintain() {
	b.cluster.ApplyRetention()
	b.cluster.Compact()
}

// Close ends a broker that was not run; Run does it by itself.
func (b *Broker) Close() { b.cluster.Close() }
