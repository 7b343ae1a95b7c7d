package indexer

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	deadletterv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"
	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"
	"github.com/weirflow/weirflow/services/indexer/internal/bulk"
	"github.com/weirflow/weirflow/services/platform/kafka"
)

// maxLetter bounds a dead letter: the longest document that transform makes fits in.
const maxLetter = 33 << 20

// State writes where a sink stands to the status topic. States of one sink are
// written in order, and only the newest of those that wait.
func (s *Service) State(spec *indexv1.Sink, state indexv1.SinkState, item bulk.Item) {
	key := sinkKey(spec.GetJob(), spec.GetSink())
	m := &indexv1.SinkStatus{
		Job: spec.GetJob(), Sink: spec.GetSink(), Epoch: spec.GetEpoch(), State: state,
		ErrorType: item.Type, ErrorMessage: item.Reason, At: timestamppb.Now(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.byName[key]; k != nil {
		m.Written, m.DeadLettered = k.Counts()
	}
	c := s.states[key]
	if c == nil {
		c = make(chan *indexv1.SinkStatus, 1)
		s.states[key] = c
		s.reports.Go(func() { s.tell(key, c) })
	}
	select {
	case <-c: // overtaken
	default:
	}
	c <- m
}

// tell writes the states of one sink until the service ends.
func (s *Service) tell(key string, states <-chan *indexv1.SinkStatus) {
	for {
		select {
		case <-s.ctx.Done():
			return
		case m := <-states:
			if err := s.statuses.Put(s.ctx, key, m); err != nil && s.ctx.Err() == nil {
				s.d.Logger.Warn("state of a sink could not be told", "sink", key, "error", err)
			}
		}
	}
}

// SetAside writes a document that the store refused to the job's dead letters.
func (s *Service) SetAside(ctx context.Context, spec *indexv1.Sink, a bulk.Action, item bulk.Item) error {
	topic := DeadLetterPrefix + spec.GetJob()
	if err := s.ensure(ctx, topic); err != nil {
		return err
	}
	b, err := proto.Marshal(&deadletterv1.DeadLetter{
		RawPayload: a.Lines, SourceTable: spec.GetSink(), ErrorType: item.Type, ErrorMessage: item.Reason,
		IngestionTs: timestamppb.Now(), Job: spec.GetJob(), Stage: "indexer", Partition: -1, Offset: -1, ReplayOf: a.ReplayOf,
	})
	if err != nil {
		return fmt.Errorf("encode dead letter: %w", err)
	}
	var r kafka.Records
	// The same document refused again after a restart has the same key.
	r.Append(kafka.PartitionByKey, a.Target(), b)
	answer := make(chan error, 1)
	_ = s.letters.Produce(ctx, topic, &r, func(err error, _ []kafka.Failure) { answer <- err })
	select {
	case err := <-answer:
		if err != nil {
			return fmt.Errorf("write dead letter: %w", err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Service) ensure(ctx context.Context, topic string) error {
	s.mu.Lock()
	made := s.made[topic]
	s.mu.Unlock()
	if made {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	// One partition: what becomes of letters is noted behind them.
	settings := map[string]string{"cleanup.policy": "delete", "max.message.bytes": strconv.Itoa(maxLetter),
		"retention.ms": strconv.FormatInt(s.cfg.DeadLetterRetention.Milliseconds(), 10)}
	if err := s.admin.EnsureTopic(ctx, topic, 1, settings); err != nil {
		return err
	}
	s.mu.Lock()
	s.made[topic] = true
	s.mu.Unlock()
	return nil
}
