// Package report tells how far an agent's files are read, for whoever watches it.
package report

import (
	"cmp"
	"context"
	"os"
	"slices"
	"syscall"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	agentv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/agent/v1"
	ledgerv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
	"github.com/weirflow/weirflow/services/agent/internal/registry"
)

// Interval is how often an agent reports.
const Interval = 5 * time.Second

// maxFiles is how many files are told of: those that moved last.
const maxFiles = 1000

// Source is what a report is made from.
type Source struct {
	// Agent has what does not change.
	Agent *agentv1.Agent
	// Entries are the files that are remembered.
	Entries func() []registry.Entry
	// Taken says whether a file is being watched.
	Taken func(registry.ID) bool
	// Lines is how many lines were acknowledged since the start.
	Lines func() uint64
	// Stages are the lines of the ledger.
	Stages func() []*ledgerv1.Stage
}

// Make returns the report of this moment.
func (s Source) Make() *agentv1.Agent {
	a := &agentv1.Agent{
		Id: s.Agent.GetId(), Name: s.Agent.GetName(), Hostname: s.Agent.GetHostname(), Version: s.Agent.GetVersion(), Output: s.Agent.GetOutput(),
		StartedAt: s.Agent.GetStartedAt(), IntervalMillis: Interval.Milliseconds(), Lines: int64(s.Lines()), Stages: s.Stages(),
	}
	entries := s.Entries()
	slices.SortFunc(entries, func(a, b registry.Entry) int {
		return cmp.Or(b.Updated.Compare(a.Updated), cmp.Compare(a.Path, b.Path))
	})
	for _, e := range entries {
		if len(a.GetFiles()) == maxFiles {
			a.FileCount++ // not looked at: there are too many
			continue
		}
		if f := s.file(e); f != nil {
			a.Files = append(a.Files, f)
			a.FileCount++
			a.LagBytes += f.GetLagBytes()
		}
	}
	return a
}

// file is an entry as a file of now; nil when the file is gone or another has its place.
func (s Source) file(e registry.Entry) *agentv1.File {
	info, err := os.Stat(e.Path)
	if err != nil || info.IsDir() {
		return nil
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && e.ID.Path == "" && (st.Dev != e.ID.Device || st.Ino != e.ID.Inode) {
		return nil
	}
	return &agentv1.File{
		Path: e.Path, Id: e.FileID, Input: e.ID.Input, Size: info.Size(), Offset: e.Offset, LagBytes: max(0, info.Size()-e.Offset),
		ModifiedAt: timestamppb.New(info.ModTime()), Open: s.Taken(e.ID),
	}
}

// Last returns the report of an agent that stops.
func (s Source) Last() *agentv1.Agent {
	a := s.Make()
	a.Stopping = true
	return a
}

// Run reports now and at each interval until the context ends.
func (s Source) Run(ctx context.Context, send func(*agentv1.Agent)) {
	tick := time.NewTicker(Interval)
	defer tick.Stop()
	for {
		send(s.Make())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
