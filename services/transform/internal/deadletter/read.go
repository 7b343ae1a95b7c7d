package deadletter

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	deadletterv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
)

// leap is how many records may lie between two letters that are read in one go.
const leap = 500

// silence is how long nothing may come before reading is given up.
const silence = 20 * time.Second

// read gives letters to take in the order of their offsets. Those that have expired
// meanwhile are left out.
func (k *Keeper) read(ctx context.Context, job string, letters []note, take func(n note, l *deadletterv1.DeadLetter) error) error {
	if len(letters) == 0 {
		return nil
	}
	c, err := kafka.NewConsumer(k.cfg.Kafka, kafka.ConsumerOptions{Logger: k.d.Logger, MaxRecords: 1024, Ends: true, Properties: map[string]string{
		"auto.offset.reset": "earliest", "queued.max.messages.kbytes": "16384", "fetch.wait.max.ms": "50",
	}})
	if err != nil {
		return err
	}
	defer c.Close()
	sorted := slices.SortedFunc(slices.Values(letters), func(a, b note) int {
		return cmp.Or(cmp.Compare(a.partition, b.partition), cmp.Compare(a.offset, b.offset))
	})
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && sorted[n].partition == sorted[0].partition && sorted[n].offset-sorted[n-1].offset <= leap {
			n++
		}
		if err := k.readRun(ctx, c, connector.LetterPrefix+job, sorted[:n], take); err != nil {
			return err
		}
		sorted = sorted[n:]
	}
	return nil
}

// readRun reads letters of one partition that lie close together.
func (k *Keeper) readRun(ctx context.Context, c *kafka.Consumer, topic string, run []note, take func(n note, l *deadletterv1.DeadLetter) error) error {
	partition := run[0].partition
	if err := c.Assign([]kafka.Position{{Topic: topic, Partition: partition, Offset: run[0].offset}}); err != nil {
		return fmt.Errorf("read %s: %w", topic, err)
	}
	until := time.Now().Add(silence)
	for len(run) > 0 {
		b, err := c.Poll(ctx, 100*time.Millisecond)
		if ctx.Err() != nil {
			return fmt.Errorf("read %s: %w", topic, ctx.Err())
		}
		if err != nil {
			k.d.Logger.Debug("reading dead letters", "error", err)
		}
		if b == nil && time.Now().After(until) {
			return fmt.Errorf("read %s: nothing came for %s: %w", topic, silence, context.DeadlineExceeded)
		}
		if b != nil {
			until = time.Now().Add(silence)
			run, err = pick(b, run, take)
			b.Release()
			if err != nil {
				return err
			}
		}
		if end, ok := c.End(topic, partition); ok && len(run) > 0 && run[0].offset >= end {
			return nil // they are gone
		}
	}
	return nil
}

// pick takes those letters that a batch holds, and returns those behind it.
func pick(b *kafka.Batch, run []note, take func(n note, l *deadletterv1.DeadLetter) error) ([]note, error) {
	for i := 0; i < b.Len() && len(run) > 0; i++ {
		r := b.Record(i)
		for len(run) > 0 && run[0].offset < r.Offset {
			run = run[1:] // it has expired
		}
		if len(run) == 0 || run[0].offset != r.Offset {
			continue
		}
		l := &deadletterv1.DeadLetter{}
		if err := proto.Unmarshal(r.Value, l); err != nil {
			return nil, fmt.Errorf("decode dead letter %s: %w", run[0].ref, err)
		}
		if err := take(run[0], l); err != nil {
			return nil, err
		}
		run = run[1:]
	}
	return run, nil
}
