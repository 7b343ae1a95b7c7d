package job

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	statev1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/state/v1"

	"github.com/weirflow/weirflow/services/platform/kafka/table"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
)

// checkpointKey is the key of the record that says where a job is.
const checkpointKey = "checkpoint"

// state is a job's compacted topic.
type state struct {
	t      *table.Table[*statev1.Checkpoint]
	last   *statev1.Checkpoint
	cancel context.CancelFunc
	ended  chan error
	log    *slog.Logger
}

// openState reads what a job remembers.
func openState(ctx context.Context, m *Manager, job string) (*state, error) {
	t, err := table.New(table.Config{Kafka: m.cfg.Kafka, Topic: StatePrefix + job, Logger: m.d.Logger}, func() *statev1.Checkpoint { return &statev1.Checkpoint{} })
	if err != nil {
		return nil, err
	}
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &state{t: t, log: m.d.Logger, cancel: cancel, ended: make(chan error, 1)}
	go func() { s.ended <- t.Run(own) }()
	select {
	case <-t.Ready():
	case err := <-s.ended:
		s.ended <- err
		s.close()
		return nil, fmt.Errorf("read the state of job %q: %w", job, err)
	case <-ctx.Done():
		s.close()
		return nil, ctx.Err()
	}
	s.last, _ = t.Get(checkpointKey)
	return s, nil
}

// positions returns the positions of the last checkpoint, by input.
func (s *state) positions() (map[string][]connector.Position, time.Time) {
	all := make(map[string][]connector.Position)
	for _, p := range s.last.GetPositions() {
		all[p.GetTable()] = append(all[p.GetTable()], connector.Position{Topic: p.GetTopic(), Partition: p.GetPartition(), Offset: p.GetOffset()})
	}
	if s.last == nil {
		return all, time.Time{}
	}
	return all, s.last.GetAt().AsTime()
}

// save writes a checkpoint and returns when the cluster holds it.
func (s *state) save(ctx context.Context, epoch int64, positions map[string][]connector.Position) error {
	c := &statev1.Checkpoint{Id: s.last.GetId() + 1, Epoch: epoch, At: timestamppb.Now()}
	for name, list := range positions {
		for _, p := range list {
			c.Positions = append(c.Positions, &statev1.Position{Table: name, Topic: p.Topic, Partition: p.Partition, Offset: p.Offset})
		}
	}
	if err := s.t.Put(ctx, checkpointKey, c); err != nil {
		return err
	}
	s.last = c
	return nil
}

// clear drops the checkpoint.
func (s *state) clear(ctx context.Context) error {
	s.last = nil
	return s.t.Delete(ctx, checkpointKey)
}

func (s *state) close() {
	s.cancel()
	if err := <-s.ended; err != nil {
		s.log.Debug("close the state", "error", err)
	}
}
