package deadletter

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	deadletterv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
)

// maxProblems is how many problems an answer names.
const maxProblems = 100

// Discard notes that letters need nothing more.
func (k *Keeper) Discard(ctx context.Context, req *deadletterv1.DiscardDeadLettersRequest) (*deadletterv1.DiscardDeadLettersResponse, error) {
	job := req.GetJob()
	act := k.acting(job)
	act.Lock()
	defer act.Unlock()
	letters, missing, c, err := k.selected(ctx, job, req.GetIds(), req.GetFilter())
	if err != nil {
		return nil, err
	}
	res := &deadletterv1.DiscardDeadLettersResponse{Problems: missing[:min(len(missing), maxProblems)], Failed: int64(len(missing))}
	var chosen []note
	for _, n := range letters {
		if n.state == discarded {
			res.Skipped++
			continue
		}
		chosen = append(chosen, n)
	}
	if c.text != "" {
		if chosen, err = k.withText(ctx, job, chosen, c); err != nil {
			return nil, err
		}
	}
	if err := k.decide(ctx, job, chosen, discarded); err != nil {
		return nil, err
	}
	res.Discarded = int64(len(chosen))
	_, err = k.sync(ctx, job)
	return res, err
}

// withText keeps the letters that have the text that is looked for.
func (k *Keeper) withText(ctx context.Context, job string, letters []note, c *choice) ([]note, error) {
	var out []note
	err := k.read(ctx, job, letters, func(n note, l *deadletterv1.DeadLetter) error {
		if c.has(l) {
			out = append(out, n)
		}
		return nil
	})
	return out, err
}

func (k *Keeper) acting(job string) interface {
	Lock()
	Unlock()
} {
	k.mu.Lock()
	defer k.mu.Unlock()
	return &k.box(job).act
}

// decide writes what became of letters behind them, and returns when the cluster has it.
func (k *Keeper) decide(ctx context.Context, job string, letters []note, state deadletterv1.DeadLetterState) error {
	const perRecord = 50_000 // of ranges: a record is then at most some hundred kilobytes
	var r kafka.Records
	byPart := make(map[int32]*deadletterv1.Fate)
	now := timestamppb.New(k.d.Now())
	write := func(partition int32, f *deadletterv1.Fate) error {
		value, err := proto.Marshal(&deadletterv1.DeadLetter{Job: job, Fate: f})
		if err != nil {
			return fmt.Errorf("encode the fate of dead letters: %w", err)
		}
		r.Append(partition, nil, value)
		return nil
	}
	sorted := slices.SortedFunc(slices.Values(letters), func(a, b note) int {
		return cmp.Or(cmp.Compare(a.partition, b.partition), cmp.Compare(a.offset, b.offset))
	})
	for _, n := range sorted {
		f := byPart[n.partition]
		if f == nil {
			f = &deadletterv1.Fate{State: state, At: now}
			byPart[n.partition] = f
		}
		if m := len(f.GetLetters()); m > 0 && f.GetLetters()[m-1].GetLast() == n.offset-1 {
			f.GetLetters()[m-1].Last = n.offset
			continue
		}
		f.Letters = append(f.Letters, &deadletterv1.OffsetRange{First: n.offset, Last: n.offset})
		if len(f.GetLetters()) >= perRecord {
			if err := write(n.partition, f); err != nil {
				return err
			}
			delete(byPart, n.partition)
		}
	}
	for partition, f := range byPart {
		if err := write(partition, f); err != nil {
			return err
		}
	}
	return k.produce(ctx, connector.LetterPrefix+job, &r)
}

// produce writes records and returns when the cluster has them.
func (k *Keeper) produce(ctx context.Context, topic string, r *kafka.Records) error {
	if r.Len() == 0 {
		return nil
	}
	answer := make(chan error, 1)
	_ = k.producer.Produce(ctx, topic, r, func(err error, _ []kafka.Failure) { answer <- err }) // answer hears of it
	select {
	case err := <-answer:
		if err != nil {
			return fmt.Errorf("write to %s: %w", topic, err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("write to %s: %w", topic, ctx.Err())
	}
}
