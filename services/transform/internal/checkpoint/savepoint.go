package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	statev1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/state/v1"
)

// What can be wrong about a savepoint.
var (
	ErrNoState     = errors.New("there is no checkpoint yet")
	ErrNoSavepoint = errors.New("there is no savepoint of this name")
	ErrTaken       = errors.New("there is a savepoint of this name already")
)

func savepointKey(name string) string { return "savepoint/" + name }

// Savepoints lists what the topic holds, oldest first.
func (s *Store) Savepoints() []*statev1.Savepoint {
	var all []*statev1.Savepoint
	for _, r := range s.t.All() {
		if p := r.GetSavepoint(); p != nil {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b *statev1.Savepoint) int {
		if d := a.GetAt().AsTime().Compare(b.GetAt().AsTime()); d != 0 {
			return d
		}
		return strings.Compare(a.GetName(), b.GetName())
	})
	return all
}

// Savepoint returns the one of a name.
func (s *Store) Savepoint(name string) (*statev1.Savepoint, error) {
	for _, p := range s.Savepoints() {
		if p.GetName() == name {
			return p, nil
		}
	}
	return nil, fmt.Errorf("%q: %w", name, ErrNoSavepoint)
}

// Save copies the last checkpoint of another store, with its state, to this one.
// p says its name and what the job was. The other store may go on meanwhile.
func (s *Store) Save(ctx context.Context, from *Store, p *statev1.Savepoint) error {
	if _, err := s.Savepoint(p.GetName()); err == nil {
		return fmt.Errorf("%q: %w", p.GetName(), ErrTaken)
	}
	from.Keep(true)
	defer from.Keep(false)
	last := from.Last()
	if last == nil {
		return ErrNoState
	}
	c, _ := proto.Clone(last).(*statev1.Checkpoint)
	var err error
	// The time tells the chunks of two savepoints apart.
	if c.Segments, err = s.copy(ctx, from, last.GetSegments(), time.Now().UnixNano(), 0); err != nil {
		return err
	}
	p.Checkpoint, p.At = c, timestamppb.Now()
	return s.t.Put(ctx, savepointKey(p.GetName()), &statev1.Record{Record: &statev1.Record_Savepoint{Savepoint: p}})
}

// copy writes the chunks of segments of another store under a generation and
// numbers that go down from first.
func (s *Store) copy(ctx context.Context, from *Store, segments []*statev1.Segment, generation, first int64) ([]*statev1.Segment, error) {
	chunks, err := from.readChunks(ctx, segments, nil)
	if err != nil {
		return nil, err
	}
	var all []*statev1.Segment
	for i, old := range segments {
		g, _ := proto.Clone(old).(*statev1.Segment)
		g.Generation, g.Checkpoint = generation, first-int64(i)
		var list [][]byte
		for n := range int(old.GetChunks()) {
			list = append(list, chunks[chunkKey(old, n)])
		}
		if err := s.WriteChunks(ctx, g, list); err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	return all, nil
}

// Adopt makes a savepoint of another store the checkpoint to go on from.
func (s *Store) Adopt(ctx context.Context, from *Store, p *statev1.Savepoint) error {
	c, _ := proto.Clone(p.GetCheckpoint()).(*statev1.Checkpoint)
	var err error
	// Checkpoints of this run are numbered from 1 up: these go down from 0.
	if c.Segments, err = s.copy(ctx, from, p.GetCheckpoint().GetSegments(), s.Generation(), 0); err != nil {
		return err
	}
	c.Id = s.Last().GetId() + 1
	return s.Commit(ctx, c, nil)
}

// Remove deletes a savepoint.
func (s *Store) Remove(ctx context.Context, name string) error {
	p, err := s.Savepoint(name)
	if err != nil {
		return err
	}
	if err := s.t.Delete(ctx, savepointKey(name)); err != nil {
		return err
	}
	s.Tidy(ctx, p.GetCheckpoint().GetSegments())
	return nil
}
