// Package history keeps what was sent to whom, in a topic, and finds it again.
package history

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/notify"
	"github.com/weirflow/weirflow/services/platform/kafka"
)

const (
	// Topic is the topic of deliveries.
	Topic = "weirflow.deliveries"
	// retention is for how long they are kept, in milliseconds: 30 days.
	retention = "2592000000"
	// remembered is how many are known in memory, and can be found.
	remembered = 20_000
	// retryEvery is how often a cluster that is away is asked again.
	retryEvery = time.Second
)

// ErrToken says that a page's token is none of ours.
var ErrToken = errors.New("page_token is not one that ListDeliveries gave")

// History keeps deliveries.
type History struct {
	cfg      kafka.Config
	log      *slog.Logger
	producer *kafka.Producer

	mu    sync.Mutex
	first int64 // offset of all[0], of what came later by one each
	all   []*alertv1.Delivery
	said  receipts
}

// New prepares a history; the cluster need not be there yet.
func New(cfg kafka.Config, log *slog.Logger) (*History, error) {
	p, err := kafka.NewProducer(cfg, kafka.ProducerOptions{Logger: log})
	return &History{cfg: cfg, log: log, producer: p, said: newReceipts()}, err
}

// Add keeps a delivery. That it could not be kept is logged: what was sent was sent.
func (h *History) Add(d notify.Delivery) {
	value, err := proto.Marshal(record(d))
	if err == nil {
		var r kafka.Records
		r.Append(0, nil, value)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		err = h.producer.Produce(ctx, Topic, &r, func(err error, _ []kafka.Failure) {
			if err != nil {
				h.log.Warn("a delivery is missing in the history", "receiver", d.Receiver, "error", err)
			}
		})
	}
	if err != nil {
		h.log.Warn("a delivery is missing in the history", "receiver", d.Receiver, "error", err)
	}
}

func record(d notify.Delivery) *alertv1.Delivery {
	out := &alertv1.Delivery{At: timestamppb.New(d.At), Took: durationpb.New(d.Took), Receiver: d.Receiver, Channel: d.Channel, Group: d.Group, Again: d.Again, Test: d.Test}
	if d.Err != nil {
		out.Error = strings.ToValidUTF8(d.Err.Error(), "\uFFFD")
	}
	for _, a := range d.Alerts {
		out.Alerts = append(out.Alerts, &alertv1.DeliveredAlert{Fingerprint: a.Fingerprint().String(), Labels: notify.Plain(a.Labels), Summary: summary(a), Resolved: a.Resolved()})
	}
	for _, t := range d.Taken {
		out.Recipients = append(out.Recipients, &alertv1.Recipient{Number: t.Number, Provider: t.Provider, Id: t.ID, State: alertv1.RecipientState_RECIPIENT_STATE_PENDING, UpdatedAt: out.GetAt()})
	}
	return out
}

func summary(a *alert.Alert) string {
	if s := a.Annotations["summary"]; s != "" {
		return string(s)
	}
	return string(a.Annotations["description"])
}

// Run reads the topic, where it finds the deliveries of this process as well.
func (h *History) Run(ctx context.Context) error {
	defer h.producer.Close()
	for ctx.Err() == nil {
		if err := h.follow(ctx); err != nil && ctx.Err() == nil {
			h.log.Debug("read the history of deliveries", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryEvery):
		}
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if err := h.producer.Flush(end); err != nil {
		h.log.Warn("deliveries are missing in the history", "error", err)
	}
	return nil
}

func (h *History) follow(ctx context.Context) error {
	for _, topic := range []string{Topic, ReceiptsTopic} {
		if err := kafka.MakeTopic(ctx, h.cfg, h.log, topic, map[string]string{"retention.ms": retention}); err != nil {
			return err
		}
	}
	c, err := kafka.NewConsumer(h.cfg, kafka.ConsumerOptions{Logger: h.log})
	if err != nil {
		return err
	}
	defer c.Close()
	ask, cancel := context.WithTimeout(ctx, 10*time.Second)
	low, high, err := c.Bounds(ask, Topic, 0)
	if err != nil {
		cancel()
		return err
	}
	early, late, err := c.Bounds(ask, ReceiptsTopic, 0)
	cancel()
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.all, h.first = nil, max(low, high-remembered)
	from := h.first
	h.mu.Unlock()
	if err := c.Assign([]kafka.Position{{Topic: Topic, Offset: from}, {Topic: ReceiptsTopic, Offset: max(early, late-remembered)}}); err != nil {
		return err
	}
	for ctx.Err() == nil {
		b, err := c.Poll(ctx, 500*time.Millisecond)
		if b != nil {
			h.take(b)
			b.Release()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (h *History) take(b *kafka.Batch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range b.Len() {
		r := b.Record(i)
		if r.Topic == ReceiptsTopic {
			h.said.take(r.Value)
			continue
		}
		d := &alertv1.Delivery{}
		if err := proto.Unmarshal(r.Value, d); err != nil {
			d = &alertv1.Delivery{Error: "this record of the history cannot be read"}
		}
		for h.first+int64(len(h.all)) < r.Offset { // offsets may have gaps
			h.all = append(h.all, nil)
		}
		h.all = append(h.all, d)
	}
	if over := len(h.all) - remembered; over > remembered/10 {
		h.all = slices.Clone(h.all[over:])
		h.first += int64(over)
	}
}

// Query says which deliveries are wanted.
type Query struct {
	// Text is contained in the receiver, channel, error, labels or summaries; case
	// does not matter.
	Text   string
	Failed bool
	Since  time.Time
	Size   int
	Token  string
}

// Find returns deliveries, newest first, and the token of the next page.
func (h *History) Find(q Query) ([]*alertv1.Delivery, string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := h.first + int64(len(h.all)) - 1
	if q.Token != "" {
		text, err := base64.RawURLEncoding.DecodeString(q.Token)
		if err != nil {
			return nil, "", ErrToken
		}
		if at, err = strconv.ParseInt(string(text), 10, 64); err != nil {
			return nil, "", ErrToken
		}
		at = min(at, h.first+int64(len(h.all))-1)
	}
	var out []*alertv1.Delivery
	want := strings.ToLower(q.Text)
	for ; at >= h.first; at-- {
		d := h.all[at-h.first]
		if d == nil || q.Failed && d.GetError() == "" || !contains(d, want) {
			continue
		}
		if d.GetAt().AsTime().Before(q.Since) {
			continue
		}
		if len(out) == q.Size {
			return out, base64.RawURLEncoding.EncodeToString(fmt.Append(nil, at)), nil
		}
		out = append(out, h.said.known(d))
	}
	return out, "", nil
}

func contains(d *alertv1.Delivery, want string) bool {
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), want) }
	if want == "" || has(d.GetReceiver()) || has(d.GetChannel()) || has(d.GetError()) {
		return true
	}
	for _, a := range d.GetAlerts() {
		if has(a.GetSummary()) {
			return true
		}
		for _, v := range a.GetLabels() {
			if has(v) {
				return true
			}
		}
	}
	return false
}
