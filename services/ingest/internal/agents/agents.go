// Package agents keeps what agents report of themselves, in a compacted topic, and
// answers AgentService from it.
package agents

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	agentv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/agent/v1"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/table"
)

// Topic holds the last report of each agent.
const Topic = "weirflow.agents"

const (
	// MaxFiles is how many files of an agent are kept.
	MaxFiles = 1000
	// forgetAfter is for how long an agent that is silent is remembered.
	forgetAfter = 7 * 24 * time.Hour
	sweepEvery  = 10 * time.Minute
	writeWithin = 10 * time.Second
	// writers is how many reports are written at once.
	writers = 4
	maxText = 4096
)

// Keeper keeps reports. Of those that wait to be written only the last of each agent counts.
type Keeper struct {
	table  *table.Table[*agentv1.Agent]
	log    *slog.Logger
	now    func() time.Time
	wake   chan struct{}
	mu     sync.Mutex
	queued map[string]*agentv1.Agent
	busy   map[string]bool // being written
	said   time.Time
}

// New prepares a keeper; Kafka need not be there yet.
func New(cfg kafka.Config, log *slog.Logger, now func() time.Time) (*Keeper, error) {
	t, err := table.New(table.Config{Kafka: cfg, Topic: Topic, Logger: log}, func() *agentv1.Agent { return &agentv1.Agent{} })
	if err != nil {
		return nil, err
	}
	return &Keeper{table: t, log: log, now: now, wake: make(chan struct{}, 1), queued: make(map[string]*agentv1.Agent), busy: make(map[string]bool)}, nil
}

// Offer takes a report; it does not wait.
func (k *Keeper) Offer(a *agentv1.Agent) {
	if a.GetId() == "" || len(a.GetId()) > maxText {
		return
	}
	a.ReportedAt, a.State = timestamppb.New(k.now()), agentv1.AgentState_AGENT_STATE_UNSPECIFIED
	if len(a.GetFiles()) > MaxFiles {
		a.Files = a.GetFiles()[:MaxFiles]
	}
	k.mu.Lock()
	k.queued[a.GetId()] = a
	k.mu.Unlock()
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Run writes reports until the context ends.
func (k *Keeper) Run(ctx context.Context) error {
	var writing sync.WaitGroup
	defer writing.Wait()
	slots := make(chan struct{}, writers)
	writing.Go(func() { k.sweep(ctx) })
	writing.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-k.wake:
			}
			for a := k.next(); a != nil; a = k.next() {
				select {
				case slots <- struct{}{}:
				case <-ctx.Done():
					return
				}
				writing.Go(func() {
					k.write(ctx, a)
					<-slots
				})
			}
		}
	})
	return k.table.Run(ctx)
}

// next takes a report of an agent of which none is being written.
func (k *Keeper) next() *agentv1.Agent {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, a := range k.queued {
		if !k.busy[id] {
			delete(k.queued, id)
			k.busy[id] = true
			return a
		}
	}
	return nil
}

func (k *Keeper) write(ctx context.Context, a *agentv1.Agent) {
	try, cancel := context.WithTimeout(ctx, writeWithin)
	err := k.table.Put(try, a.GetId(), a)
	cancel()
	k.mu.Lock()
	delete(k.busy, a.GetId())
	waiting := k.queued[a.GetId()] != nil
	say := err != nil && ctx.Err() == nil && k.now().Sub(k.said) > time.Minute
	if say {
		k.said = k.now()
	}
	k.mu.Unlock()
	if say {
		k.log.Warn("reports of agents are not kept at the moment; the next ones will be", "topic", Topic, "error", err)
	}
	if waiting {
		select {
		case k.wake <- struct{}{}:
		default:
		}
	}
}

// sweep forgets agents that have been silent for long.
func (k *Keeper) sweep(ctx context.Context) {
	every := time.NewTicker(sweepEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		for id, a := range k.table.All() {
			if k.now().Sub(a.GetReportedAt().AsTime()) > forgetAfter {
				try, cancel := context.WithTimeout(ctx, writeWithin)
				_ = k.table.Delete(try, id) // the next round tries again
				cancel()
			}
		}
	}
}

// shown is an agent as of now.
func (k *Keeper) shown(a *agentv1.Agent, files bool) *agentv1.Agent {
	c, _ := proto.Clone(a).(*agentv1.Agent)
	silence := max(3*time.Duration(a.GetIntervalMillis())*time.Millisecond, 3*time.Second)
	switch {
	case a.GetStopping():
		c.State = agentv1.AgentState_AGENT_STATE_STOPPED
	case k.now().Sub(a.GetReportedAt().AsTime()) > silence:
		c.State = agentv1.AgentState_AGENT_STATE_SILENT
	default:
		c.State = agentv1.AgentState_AGENT_STATE_ONLINE
	}
	if !files {
		c.Files = nil
	}
	return c
}
