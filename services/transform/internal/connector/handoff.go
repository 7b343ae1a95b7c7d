package connector

import (
	"context"
	"strconv"
	"time"

	"github.com/weirflow/weirflow/services/platform/kafka"

	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"
)

// The topics of what jobs set aside.
const (
	// LetterPrefix begins the name of the topic of a job's dead letters.
	LetterPrefix = "weirflow.deadletters."
	// ReplayPrefix begins the name of the topic through which dead letters enter a
	// job again.
	ReplayPrefix = "weirflow.replay."
)

// Handoff is how documents get to the indexer, and dead letters to who mends them
// and back.
type Handoff struct {
	Kafka kafka.Config
	// Partitions of a job's topic of IndexBatch records; 0 means 1.
	Partitions int
	// Announce writes a job's sink to the topic that the indexer reads.
	Announce func(ctx context.Context, s *indexv1.Sink) error
	// Letters is for how long dead letters are kept; 0: as the cluster has it.
	Letters time.Duration
	// Replays is closed when there is a topic of the job's replays; nil: there will be none.
	Replays <-chan struct{}
	// Discarded says which of these letters were discarded: they are not replayed.
	Discarded func(ctx context.Context, letters []string) (map[string]bool, error)
}

// LetterSettings are the settings of the topics of dead letters and replays: they
// hold any record that can be read.
func LetterSettings(retention time.Duration) map[string]string {
	const maxMessage = 33 << 20
	s := map[string]string{"cleanup.policy": "delete", "max.message.bytes": strconv.Itoa(maxMessage)}
	if retention > 0 {
		s["retention.ms"] = strconv.FormatInt(retention.Milliseconds(), 10)
	}
	return s
}
