// Package intake takes in the alerts that jobs raise: rows of tables with the
// connector 'alert', which come through a topic.
package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	ckafka "github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/proto"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/ledger"
)

const (
	// Topic is the topic of alerts.
	Topic = "weirflow.alerts"
	// most is how many alerts are taken in at once.
	most = 1000
	// retryEvery is how often alerts that could not be kept are tried again.
	retryEvery = time.Second
	// defaultAfter is for how long an alert goes on whose record does not say.
	defaultAfter = 5 * time.Minute
)

// Config is the configuration of the intake.
type Config struct {
	Kafka kafka.Config
	// Group is the consumer group that remembers how far the topic was read.
	Group string
	// Link is where people find the console.
	Link string
}

// Deps are what the intake is given.
type Deps struct {
	Logger *slog.Logger
	Stage  *ledger.Stage
	// Put keeps alerts: they are not read again when it returns nil.
	Put func(ctx context.Context, alerts ...*alert.Alert) error
	Now func() time.Time
}

// Intake reads the topic of alerts.
type Intake struct {
	cfg Config
	d   Deps
}

// New returns an intake; the topic need not be there yet.
func New(cfg Config, d Deps) *Intake { return &Intake{cfg: cfg, d: d} }

// Run takes alerts in until the context ends.
func (i *Intake) Run(ctx context.Context) error {
	c, err := ckafka.NewConsumer(i.cfg.Kafka.ConfigMap(map[string]string{
		"group.id": i.cfg.Group, "client.id": "weirflow-alerting", "enable.auto.commit": "false", "auto.offset.reset": "earliest",
		"topic.metadata.refresh.interval.ms": "1000", "allow.auto.create.topics": "false", "fetch.wait.max.ms": "100", "session.timeout.ms": "10000",
		"reconnect.backoff.max.ms": "5000", "isolation.level": "read_committed",
	}))
	if err != nil {
		return fmt.Errorf("read alerts: %w", err)
	}
	defer c.Close()
	if err := kafka.MakeTopic(ctx, i.cfg.Kafka, i.d.Logger, Topic, map[string]string{"retention.ms": "604800000"}); err != nil { // else the first job makes it
		i.d.Logger.Debug("make the topic of alerts", "error", err)
	}
	if err := c.Subscribe(Topic, nil); err != nil {
		return fmt.Errorf("read alerts: %w", err)
	}
	for ctx.Err() == nil {
		batch := i.batch(c)
		if len(batch) == 0 {
			continue
		}
		if err := i.take(ctx, batch); err != nil {
			return nil //nolint:nilerr // the context has ended; the alerts come again
		}
		if _, err := c.Commit(); err != nil {
			i.d.Logger.Debug("commit to the consumer group", "error", err)
		}
	}
	return nil
}

// batch waits for a message and takes along what else is there.
func (i *Intake) batch(c *ckafka.Consumer) []*ckafka.Message {
	var all []*ckafka.Message
	wait := 100
	for len(all) < most {
		switch e := c.Poll(wait).(type) {
		case *ckafka.Message:
			all = append(all, e)
			wait = 0
		case ckafka.Error:
			if !e.IsRetriable() && e.Code() != ckafka.ErrUnknownTopicOrPart {
				i.d.Logger.Debug("read alerts", "error", e)
			}
			return all
		case nil:
			return all
		}
	}
	return all
}

// take keeps the alerts of messages, and tries again while that fails.
func (i *Intake) take(ctx context.Context, batch []*ckafka.Message) error {
	i.d.Stage.In(len(batch))
	alerts := make([]*alert.Alert, 0, len(batch))
	for _, m := range batch {
		a, err := i.alert(m)
		if err != nil {
			i.d.Logger.Warn("a record of the topic of alerts is none", "partition", m.TopicPartition.Partition, "offset", int64(m.TopicPartition.Offset), "error", err)
			continue
		}
		alerts = append(alerts, a)
	}
	i.d.Stage.Filtered(len(batch) - len(alerts))
	for {
		err := i.d.Put(ctx, alerts...)
		if err == nil {
			i.d.Stage.Out(len(alerts))
			return nil
		}
		i.d.Logger.Error("alerts of jobs cannot be kept; trying again", "alerts", len(alerts), "error", err)
		select {
		case <-ctx.Done():
			i.d.Stage.Returned(len(alerts))
			return ctx.Err()
		case <-time.After(retryEvery):
		}
	}
}

var errNoLabels = errors.New("it has no labels")

// alert reads a record.
func (i *Intake) alert(m *ckafka.Message) (*alert.Alert, error) {
	r := &alertv1.Alert{}
	if err := proto.Unmarshal(m.Value, r); err != nil {
		return nil, err
	}
	if len(r.GetLabels()) == 0 {
		return nil, errNoLabels
	}
	now := i.d.Now()
	after := r.GetResolveAfter().AsDuration()
	if after <= 0 {
		after = defaultAfter
	}
	a := &alert.Alert{UpdatedAt: now, Timeout: !r.GetResolved()}
	a.Labels, a.Annotations = set(r.GetLabels()), set(r.GetAnnotations())
	a.StartsAt, a.EndsAt = r.GetStartsAt().AsTime(), now.Add(after)
	if r.GetStartsAt() == nil || a.StartsAt.After(now) {
		a.StartsAt = now
	}
	if r.GetResolved() {
		a.EndsAt = now
	}
	a.GeneratorURL = i.cfg.Link + "/jobs/" + r.GetJob()
	return a, a.Validate()
}

func set(m map[string]string) model.LabelSet {
	out := make(model.LabelSet, len(m))
	for k, v := range m {
		out[model.LabelName(k)] = model.LabelValue(v)
	}
	return out
}
