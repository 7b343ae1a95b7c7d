package deadletter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	deadletterv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"
	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/connector/elasticsearch"
)

const (
	// flushLetters and flushBytes bound what is read before it is written.
	flushLetters = 1000
	flushBytes   = 4 << 20
)

// lateType is the kind of letters of rows that came too late.
const lateType = "late"

// replaying is one call of Replay.
type replaying struct {
	k          *Keeper
	job        string
	outlets    *Outlets
	mended     []byte // nil: as it was
	choice     *choice
	res        *deadletterv1.ReplayDeadLettersResponse
	partitions int // of the topic of documents; 0: not asked yet
	late       bool
	documents  bool

	done    []note // what the records are made of
	records kafka.Records
	bulk    kafka.Records
}

// Replay gives letters to the job or the indexer again.
func (k *Keeper) Replay(ctx context.Context, req *deadletterv1.ReplayDeadLettersRequest) (*deadletterv1.ReplayDeadLettersResponse, error) {
	job := req.GetJob()
	mended, err := mendedOf(req)
	if err != nil {
		return nil, err
	}
	act := k.acting(job)
	act.Lock()
	defer act.Unlock()
	letters, missing, c, err := k.selected(ctx, job, req.GetIds(), req.GetFilter())
	if err != nil {
		return nil, err
	}
	outlets, err := k.d.Outlets(job)
	if err != nil {
		return nil, err
	}
	p := &replaying{k: k, job: job, outlets: outlets, mended: mended, choice: c,
		res: &deadletterv1.ReplayDeadLettersResponse{Problems: missing[:min(len(missing), maxProblems)], Failed: int64(len(missing))}}
	var chosen []note
	for _, n := range letters {
		if n.state != open && !req.GetAgain() {
			p.res.Skipped++
			continue
		}
		chosen = append(chosen, n)
	}
	if err := p.ready(ctx, chosen); err != nil {
		return nil, err
	}
	if err := k.read(ctx, job, chosen, func(n note, l *deadletterv1.DeadLetter) error { return p.take(ctx, n, l) }); err != nil {
		return nil, err
	}
	if err := p.flush(ctx); err != nil {
		return nil, err
	}
	p.notes()
	_, err = k.sync(ctx, job)
	return p.res, err
}

// mendedOf returns what is to be replayed instead of a letter's payload; nil for nothing.
func mendedOf(req *deadletterv1.ReplayDeadLettersRequest) ([]byte, error) {
	if req.GetMended() == nil {
		return nil, nil
	}
	if len(req.GetIds()) != 1 {
		return nil, fmt.Errorf("%w: a mended payload is for one letter: name it in 'ids'", ErrRequest)
	}
	if x, ok := req.GetMended().(*deadletterv1.ReplayDeadLettersRequest_Text); ok {
		return []byte(x.Text), nil
	}
	return append([]byte{}, req.GetPayload()...), nil
}

// ready makes the topic of replays, if source records are among the letters.
func (p *replaying) ready(ctx context.Context, letters []note) error {
	p.k.mu.Lock()
	kinds := p.k.box(p.job).kinds
	p.k.mu.Unlock()
	if !slices.ContainsFunc(letters, func(n note) bool { return kinds[n.kind].stage == "transform" }) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if err := p.k.admin.EnsureTopic(ctx, connector.ReplayPrefix+p.job, 1, connector.LetterSettings(p.k.cfg.Retention)); err != nil {
		return err
	}
	p.k.lookNow()
	return nil
}

// take adds a letter to what is written next.
func (p *replaying) take(ctx context.Context, n note, l *deadletterv1.DeadLetter) error {
	if !p.choice.has(l) {
		return nil
	}
	var err error
	switch l.GetStage() {
	case "transform":
		err = p.record(n, l)
	case "indexer":
		err = p.document(ctx, n, l)
	default:
		err = fmt.Errorf("letters of stage %q cannot be replayed", l.GetStage())
	}
	if err != nil {
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		p.res.Failed++
		if len(p.res.GetProblems()) < maxProblems {
			p.res.Problems = append(p.res.Problems, &deadletterv1.LetterProblem{Id: n.String(), Message: err.Error()})
		}
		return nil
	}
	p.done = append(p.done, n)
	p.late = p.late || l.GetErrorType() == lateType
	if len(p.done) >= flushLetters || p.records.Size()+p.bulk.Size() >= flushBytes {
		return p.flush(ctx)
	}
	return nil
}

// record adds a source's record.
func (p *replaying) record(n note, l *deadletterv1.DeadLetter) error {
	l.Input = cmp.Or(l.GetInput(), l.GetSourceTable())
	takes, reads := p.outlets.Inputs[l.GetInput()]
	switch {
	case !reads:
		return fmt.Errorf("the job no longer reads table %q", l.GetInput())
	case !takes:
		return fmt.Errorf("table %q takes no replays: only unbounded tables of Kafka do", l.GetInput())
	}
	l.ReplayOf = n.String()
	if p.mended != nil {
		l.RawPayload, l.NullPayload = p.mended, false
	}
	value, err := proto.Marshal(l)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	p.records.Append(0, []byte(l.GetReplayOf()), value)
	return nil
}

// document adds a document that the store refused, behind all that was written
// about it.
func (p *replaying) document(ctx context.Context, n note, l *deadletterv1.DeadLetter) error {
	if !p.outlets.Sinks[l.GetSourceTable()] {
		return fmt.Errorf("the job no longer writes documents of table %q", l.GetSourceTable())
	}
	a, err := mendAction(l.GetRawPayload(), p.mended)
	if err != nil {
		return err
	}
	if p.partitions == 0 {
		info, err := p.k.admin.Topic(ctx, elasticsearch.TopicPrefix+p.job)
		if err != nil {
			return err
		}
		p.partitions = max(1, len(info.Partitions))
	}
	value, err := proto.Marshal(&indexv1.IndexBatch{Job: p.job, Sink: l.GetSourceTable(), Body: a.lines, Lengths: []uint32{uint32(len(a.lines))}, ReplayOf: n.String()})
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	p.bulk.Append(int32(elasticsearch.PartitionOf([]byte(a.id), p.partitions)), nil, value)
	p.documents = true
	return nil
}

// flush writes what was taken, and then that it was. When the process dies in
// between, a source's record is known to be replayed because it is in the topic; a
// document may be replayed once more, which writes the same again. What was discarded
// is open again first: the job, which may read a replay at once, leaves discarded ones out.
func (p *replaying) flush(ctx context.Context) error {
	var back []note
	for _, n := range p.done {
		if n.state == discarded {
			back = append(back, n)
		}
	}
	if err := p.k.decide(ctx, p.job, back, open); err != nil {
		return err
	}
	if err := p.k.produce(ctx, connector.ReplayPrefix+p.job, &p.records); err != nil {
		return err
	}
	if err := p.k.produce(ctx, elasticsearch.TopicPrefix+p.job, &p.bulk); err != nil {
		return err
	}
	if err := p.k.decide(ctx, p.job, p.done, replayed); err != nil {
		return err
	}
	p.res.Replayed += int64(len(p.done))
	p.done = p.done[:0]
	p.records.Reset()
	p.bulk.Reset()
	return nil
}

// notes says what to know about what was replayed.
func (p *replaying) notes() {
	if p.res.GetReplayed() == 0 {
		return
	}
	if !p.outlets.Running {
		p.res.Notes = append(p.res.Notes, "the job does not run; it takes what was replayed when it is started, unless it is started from scratch")
	}
	if p.late && p.outlets.Stateful {
		p.res.Notes = append(p.res.Notes, "rows that came too late for their window still do while the watermark stands behind it: they become new dead letters")
	}
	if p.documents {
		p.res.Notes = append(p.res.Notes, "a replayed document takes the place of what is in the index under its id by now")
	}
}
