package connector

import (
	"context"

	"github.com/weirflow/weirflow/services/platform/kafka"

	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"
)

// Handoff is how documents get to the indexer.
type Handoff struct {
	Kafka kafka.Config
	// Partitions of a job's topic of IndexBatch records; 0 means 1.
	Partitions int
	// Announce writes a job's sink to the topic that the indexer reads.
	Announce func(ctx context.Context, s *indexv1.Sink) error
}
