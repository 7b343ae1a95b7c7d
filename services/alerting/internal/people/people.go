// Package people keeps what people do about alerts: who acknowledged one, whose it
// is, and what was said.
package people

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/table"
)

const (
	// Topic is the compacted topic of what people did.
	Topic = "weirflow.alert-handling"
	// forgotten is after what time the handling of an alert that is over goes.
	forgotten = 30 * 24 * time.Hour
	// tidyEvery is how often such ones are looked for.
	tidyEvery = time.Hour
	// maxComments bounds the comments of one alert, maxText each of them.
	maxComments = 1000
	maxText     = 10_000
)

// ErrInput is wrapped by what is wrong with a request.
var ErrInput = errors.New("the request is not right")

// People keeps the handling of alerts.
type People struct {
	log     *slog.Logger
	now     func() time.Time
	records *table.Table[*alertv1.Handling]
	write   sync.Mutex
}

// New prepares it; the cluster need not be there yet.
func New(cfg kafka.Config, now func() time.Time, log *slog.Logger) (*People, error) {
	t, err := table.New(table.Config{Kafka: cfg, Topic: Topic, Logger: log}, func() *alertv1.Handling { return &alertv1.Handling{} })
	return &People{log: log, now: now, records: t}, err
}

// Ready is closed when all is known.
func (p *People) Ready() <-chan struct{} { return p.records.Ready() }

// Run reads the topic until the context ends.
func (p *People) Run(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- p.records.Run(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-p.records.Ready():
	}
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		p.tidy(ctx)
		select {
		case err := <-ended:
			return err
		case <-tick.C:
		}
	}
}

func (p *People) tidy(ctx context.Context) {
	for key, h := range p.records.All() {
		if p.now().Sub(h.GetUpdatedAt().AsTime()) < forgotten {
			continue
		}
		if err := p.records.Delete(ctx, key); err != nil {
			p.log.Debug("forget the handling of an old alert", "error", err)
			return
		}
	}
}

// Handling returns what was done about an alert; nil for nothing.
func (p *People) Handling(a *alert.Alert) *alertv1.Handling {
	h, ok := p.records.Get(a.Fingerprint().String())
	if !ok || !h.GetStartsAt().AsTime().Equal(a.StartsAt) {
		return nil
	}
	return h
}

// Acknowledged reports whether someone deals with an alert.
func (p *People) Acknowledged(a *alert.Alert) bool { return p.Handling(a).GetAcknowledgedAt() != nil }

// Acknowledge notes that someone deals with an alert, or takes that back.
func (p *People) Acknowledge(ctx context.Context, a *alert.Alert, by, comment string, undo bool) (*alertv1.Handling, error) {
	if by == "" {
		return nil, fmt.Errorf("%w: by says who it is that deals with the alert", ErrInput)
	}
	return p.change(ctx, a, func(h *alertv1.Handling) error {
		h.AcknowledgedBy, h.AcknowledgedAt = by, timestamppb.New(p.now())
		if undo {
			h.AcknowledgedBy, h.AcknowledgedAt = "", nil
		}
		if comment == "" {
			return nil
		}
		return p.comment(h, by, comment)
	})
}

// Assign notes whose matter an alert is.
func (p *People) Assign(ctx context.Context, a *alert.Alert, to string) (*alertv1.Handling, error) {
	return p.change(ctx, a, func(h *alertv1.Handling) error { h.Assignee = to; return nil })
}

// Comment notes what someone says about an alert.
func (p *People) Comment(ctx context.Context, a *alert.Alert, by, text string) (*alertv1.Handling, error) {
	if by == "" || text == "" {
		return nil, fmt.Errorf("%w: by and text are needed", ErrInput)
	}
	return p.change(ctx, a, func(h *alertv1.Handling) error { return p.comment(h, by, text) })
}

func (p *People) comment(h *alertv1.Handling, by, text string) error {
	if len(text) > maxText || len(h.GetComments()) >= maxComments {
		return fmt.Errorf("%w: a comment has at most %d bytes, an alert %d comments", ErrInput, maxText, maxComments)
	}
	h.Comments = append(h.Comments, &alertv1.Comment{By: by, At: timestamppb.New(p.now()), Text: text})
	return nil
}

func (p *People) change(ctx context.Context, a *alert.Alert, f func(h *alertv1.Handling) error) (*alertv1.Handling, error) {
	p.write.Lock()
	defer p.write.Unlock()
	h := &alertv1.Handling{Fingerprint: a.Fingerprint().String(), StartsAt: timestamppb.New(a.StartsAt)}
	if old := p.Handling(a); old != nil {
		h, _ = proto.Clone(old).(*alertv1.Handling)
	}
	if err := f(h); err != nil {
		return nil, err
	}
	h.UpdatedAt = timestamppb.New(p.now())
	return h, p.records.Put(ctx, h.GetFingerprint(), h)
}
