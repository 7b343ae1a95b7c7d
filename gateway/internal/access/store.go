package access

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/table"
)

// Topics of access. No statement and no reader of messages may touch them.
const (
	UsersTopic    = "weirflow.users"
	TokensTopic   = "weirflow.tokens"
	SessionsTopic = "weirflow.sessions"
	UsesTopic     = "weirflow.last-uses"
)

// useEvery is how often the last use of something is written down at most.
const useEvery = time.Minute

// store is what all gateways know; nil without a Kafka.
type store struct {
	users    *table.Table[*accessv1.UserRecord]
	tokens   *table.Table[*accessv1.TokenRecord]
	sessions *table.Table[*accessv1.SessionRecord]
	uses     *table.Table[*accessv1.LastUse]

	log *slog.Logger
	now func() time.Time

	mu      sync.Mutex
	used    map[string]time.Time // what this process saw, or wrote, last
	written map[string]time.Time
	marks   chan string
}

// maxMarks bounds the uses that wait to be written; one that is left out comes again.
const maxMarks = 1024

func newStore(cfg kafka.Config, log *slog.Logger, now func() time.Time) (*store, error) {
	s := &store{log: log, now: now, used: map[string]time.Time{}, written: map[string]time.Time{}, marks: make(chan string, maxMarks)}
	var errs [4]error
	s.users, errs[0] = open(cfg, UsersTopic, log, func() *accessv1.UserRecord { return &accessv1.UserRecord{} })
	s.tokens, errs[1] = open(cfg, TokensTopic, log, func() *accessv1.TokenRecord { return &accessv1.TokenRecord{} })
	s.sessions, errs[2] = open(cfg, SessionsTopic, log, func() *accessv1.SessionRecord { return &accessv1.SessionRecord{} })
	s.uses, errs[3] = open(cfg, UsesTopic, log, func() *accessv1.LastUse { return &accessv1.LastUse{} })
	return s, errors.Join(errs[:]...)
}

func open[M proto.Message](cfg kafka.Config, topic string, log *slog.Logger, empty func() M) (*table.Table[M], error) {
	return table.New(table.Config{Kafka: cfg, Topic: topic, Logger: log}, empty)
}

// ready reports whether all is read.
func (s *store) ready() bool {
	for _, c := range []<-chan struct{}{s.users.Ready(), s.tokens.Ready(), s.sessions.Ready(), s.uses.Ready()} {
		select {
		case <-c:
		default:
			return false
		}
	}
	return true
}

// wait returns when all is read.
func (s *store) wait(ctx context.Context) error {
	for _, c := range []<-chan struct{}{s.users.Ready(), s.tokens.Ready(), s.sessions.Ready(), s.uses.Ready()} {
		select {
		case <-c:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// run reads the tables and writes uses until the context ends.
func (s *store) run(ctx context.Context) error {
	var running sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for _, run := range []func(context.Context) error{s.users.Run, s.tokens.Run, s.sessions.Run, s.uses.Run} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		})
	}
	running.Go(func() { s.writeUses(ctx) })
	running.Wait()
	return errors.Join(errs...)
}

// mark notes a use.
func (s *store) mark(key string) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used[key] = now
	if now.Sub(s.written[key]) < useEvery {
		return
	}
	select {
	case s.marks <- key:
		s.written[key] = now
	default: // it is written with a later use
	}
}

// lastUse is when something was used, by whatever gateway; the zero time if never.
func (s *store) lastUse(key string) time.Time {
	s.mu.Lock()
	at := s.used[key]
	s.mu.Unlock()
	if u, ok := s.uses.Get(key); ok && u.GetAt().AsTime().After(at) {
		at = u.GetAt().AsTime()
	}
	return at
}

// forget drops the use of what is gone.
func (s *store) forget(ctx context.Context, key string) {
	s.mu.Lock()
	delete(s.used, key)
	delete(s.written, key)
	s.mu.Unlock()
	if _, ok := s.uses.Get(key); !ok {
		return
	}
	if err := s.uses.Delete(ctx, key); err != nil {
		s.log.Debug("a last use was not deleted; the sweep tries again", "key", key, "error", err)
	}
}

func (s *store) writeUses(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case key := <-s.marks:
			s.mu.Lock()
			at, ok := s.used[key]
			s.mu.Unlock()
			if !ok {
				continue
			}
			try, cancel := context.WithTimeout(ctx, 10*time.Second)
			err := s.uses.Put(try, key, &accessv1.LastUse{At: timestamppb.New(at)})
			cancel()
			if err != nil && ctx.Err() == nil {
				s.log.Warn("the last use of something was not written", "key", key, "error", err)
			}
		}
	}
}

// prune forgets uses before a time, which are in the table.
func (s *store) prune(before time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, at := range s.written {
		if at.Before(before) {
			delete(s.written, key)
			delete(s.used, key)
		}
	}
}
