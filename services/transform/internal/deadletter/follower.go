package deadletter

import (
	"context"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
)

// place is a partition of a topic.
type place struct {
	topic     string
	partition int32
}

// follower is what the goroutine of Run knows.
type follower struct {
	k             *Keeper
	c             *kafka.Consumer
	read          map[place]bool
	looked, tidy  time.Time
	complainedYet bool
}

// lookAround finds new topics, and forgets expired letters now and then.
func (f *follower) lookAround(ctx context.Context) {
	select {
	case <-f.k.look:
	default:
		if time.Since(f.looked) < lookEvery {
			return
		}
	}
	f.looked = time.Now()
	ask, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	topics, err := f.k.admin.Topics(ask)
	if err != nil {
		if !f.complainedYet && ctx.Err() == nil {
			f.complainedYet = true
			f.k.d.Logger.Warn("topics of dead letters cannot be listed; trying on", "error", err)
		}
		return
	}
	f.complainedYet = false
	there := make(map[string]bool)
	for _, t := range topics {
		there[t.Name] = true
		job, letters := strings.CutPrefix(t.Name, connector.LetterPrefix)
		if !letters {
			var replays bool
			if job, replays = strings.CutPrefix(t.Name, connector.ReplayPrefix); !replays {
				continue
			}
		}
		f.follow(job, t, letters)
	}
	f.leave(there)
	if time.Since(f.tidy) >= trimEvery {
		f.tidy = time.Now()
		f.trim(ask)
	}
}

// follow begins to read the partitions of a topic that are not read yet.
func (f *follower) follow(job string, t kafka.TopicInfo, letters bool) {
	var fresh []kafka.Position
	for _, p := range t.Partitions {
		if at := (place{t.Name, p.ID}); !f.read[at] {
			fresh = append(fresh, kafka.Position{Topic: t.Name, Partition: p.ID, Offset: kafka.OffsetBeginning})
		}
	}
	if len(fresh) > 0 {
		if err := f.c.AssignMore(fresh); err != nil {
			f.k.d.Logger.Warn("dead letters cannot be read yet", "topic", t.Name, "error", err)
			return
		}
		for _, p := range fresh {
			f.read[place{p.Topic, p.Partition}] = true
		}
	}
	f.k.mu.Lock()
	defer f.k.mu.Unlock()
	b := f.k.box(job)
	if b.seen[t.Name] == nil {
		b.seen[t.Name] = make(map[int32]int64)
	}
	if !letters && len(t.Partitions) > 0 {
		select {
		case <-f.k.replaysOf(job):
		default:
			close(f.k.replaysOf(job))
		}
	}
}

// leave stops reading topics that were deleted; one of the name may come again.
func (f *follower) leave(there map[string]bool) {
	var gone []kafka.Position
	for at := range f.read {
		if !there[at.topic] {
			gone = append(gone, kafka.Position{Topic: at.topic, Partition: at.partition})
			delete(f.read, at)
		}
	}
	if len(gone) == 0 {
		return
	}
	if err := f.c.AssignFewer(gone); err != nil {
		f.k.d.Logger.Debug("leaving topics that were deleted", "error", err)
	}
	f.k.mu.Lock()
	defer f.k.mu.Unlock()
	for _, p := range gone {
		job, letters := jobOf(p.Topic)
		b := f.k.box(job)
		delete(b.seen, p.Topic)
		if letters {
			b.forget()
		} else {
			clear(b.again)
			delete(f.k.replays, job)
		}
	}
}

// trim forgets letters that the topics no longer hold.
func (f *follower) trim(ctx context.Context) {
	f.k.mu.Lock()
	var jobs []string
	for job, b := range f.k.boxes {
		if len(b.parts) > 0 {
			jobs = append(jobs, job)
		}
	}
	f.k.mu.Unlock()
	for _, job := range jobs {
		starts, err := f.k.admin.StartOffsets(ctx, connector.LetterPrefix+job)
		if err != nil {
			continue
		}
		f.k.mu.Lock()
		for p, first := range starts {
			f.k.box(job).trim(p, first)
		}
		f.k.mu.Unlock()
	}
}

// ends notes how far partitions have been read whose last records are gone.
func (f *follower) ends() {
	f.k.mu.Lock()
	defer f.k.mu.Unlock()
	for at := range f.read {
		if end, ok := f.c.End(at.topic, at.partition); ok {
			f.k.reached(at.topic, at.partition, end)
		}
	}
}
