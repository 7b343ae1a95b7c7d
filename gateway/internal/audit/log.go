package audit

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	accessv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/access/v1"
	"github.com/weirflow/weirflow/services/platform/kafka"
)

// Topic holds the entries.
const Topic = "weirflow.audit"

const (
	// retention is for how long entries are kept.
	retention = 90 * 24 * time.Hour
	// maxWaiting bounds the entries that wait for Kafka.
	maxWaiting = 10_000
	// finish is for how long Run waits at its end for what has not been written.
	finish = 3 * time.Second
)

// Bounds of an entry's texts.
const (
	maxText    = 200
	maxMessage = 500
)

// Log writes entries. Without a Kafka they go to the process's log.
type Log struct {
	cfg      kafka.Config
	log      *slog.Logger
	now      func() time.Time
	producer *kafka.Producer // nil without a Kafka
	entries  metric.Int64Counter
	reading  chan struct{}

	mu       sync.Mutex
	inFlight sync.WaitGroup
	waiting  int
	made     bool                   // the topic is there
	held     []*accessv1.AuditEntry // until it is: the cluster would make it with other settings
	closed   bool
}

// New prepares a log; without brokers, entries go to the process's log only.
func New(cfg kafka.Config, log *slog.Logger, meters metric.MeterProvider, now func() time.Time) (*Log, error) {
	l := &Log{cfg: cfg, log: log, now: now, reading: make(chan struct{}, maxReaders)}
	m := meters.Meter("github.com/weirflow/weirflow/gateway")
	var errs [3]error
	l.entries, errs[0] = m.Int64Counter("weirflow_gateway_audit_entries", metric.WithDescription("Entries of the audit log, by what became of them: written or lost."))
	_, errs[1] = m.Int64ObservableGauge("weirflow_gateway_audit_waiting", metric.WithDescription("Entries of the audit log that wait for Kafka."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			o.Observe(int64(l.waiting))
			return nil
		}))
	if len(cfg.Brokers) > 0 {
		l.producer, errs[2] = kafka.NewProducer(cfg, kafka.ProducerOptions{Logger: log})
	}
	return l, errors.Join(errs[:]...)
}

// Write hands an entry over; it does not wait for Kafka. An entry that there is no room
// for goes to the process's log and is counted.
func (l *Log) Write(e *accessv1.AuditEntry) {
	if e.GetAt() == nil {
		e.At = timestamppb.New(l.now())
	}
	e.User, e.Token, e.Address = cut(e.GetUser(), maxText), cut(e.GetToken(), maxText), cut(e.GetAddress(), maxText)
	e.Method, e.Target, e.Message = cut(e.GetMethod(), maxText), cut(e.GetTarget(), maxText), cut(e.GetMessage(), maxMessage)
	if l.producer == nil {
		l.say("audit", e)
		return
	}
	hold, err := l.room(e)
	switch {
	case err != nil:
		l.lose(e, err)
	case !hold:
		l.produce(e)
	}
}

// produce hands an entry for which there is room to the producer.
func (l *Log) produce(e *accessv1.AuditEntry) {
	value, err := proto.Marshal(e)
	if err != nil {
		l.done(e, err)
		return
	}
	var r kafka.Records
	r.Append(0, nil, value)
	r.SetTime(e.GetAt().AsTime().UnixMilli())
	// librdkafka's queue is far longer than ours: this does not wait.
	_ = l.producer.Produce(context.Background(), Topic, &r, func(err error, _ []kafka.Failure) { l.done(e, err) })
}

// done hears what became of an entry.
func (l *Log) done(e *accessv1.AuditEntry, err error) {
	l.mu.Lock()
	l.waiting--
	l.mu.Unlock()
	if err != nil {
		l.lose(e, err)
	} else {
		l.count("written")
	}
	l.inFlight.Done()
}

var (
	errFull    = errors.New("too many entries wait for Kafka")
	errNoTopic = errors.New("the topic could not be made")
)

// room takes a place for an entry; hold says that the entry is kept until there is a topic.
func (l *Log) room(e *accessv1.AuditEntry) (hold bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return false, kafka.ErrClosed
	case l.waiting >= maxWaiting:
		return false, errFull
	}
	l.waiting++
	l.inFlight.Add(1)
	if !l.made {
		l.held = append(l.held, e)
	}
	return !l.made, nil
}

// release hands over what was held back, in its order: new entries are held as well
// until nothing is left.
func (l *Log) release(use func(*accessv1.AuditEntry)) {
	for {
		l.mu.Lock()
		held := l.held
		l.held = nil
		l.made = len(held) == 0
		l.mu.Unlock()
		if len(held) == 0 {
			return
		}
		for _, e := range held {
			use(e)
		}
	}
}

func (l *Log) count(result string) {
	l.entries.Add(context.Background(), 1, metric.WithAttributes(attribute.String("result", result)))
}

func (l *Log) lose(e *accessv1.AuditEntry, err error) {
	l.count("lost")
	l.say("an entry of the audit log could not be written to Kafka; this line is what is left of it: "+err.Error(), e)
}

func (l *Log) say(what string, e *accessv1.AuditEntry) {
	l.log.LogAttrs(context.Background(), slog.LevelWarn, what, //nolint:sloglint // one of two texts of this file
		slog.Time("at", e.GetAt().AsTime()), slog.String("user", e.GetUser()), slog.String("token", e.GetToken()),
		slog.String("address", e.GetAddress()), slog.String("method", e.GetMethod()), slog.String("target", e.GetTarget()), slog.String("code", e.GetCode()))
}

// cut bounds a text to so many bytes, at a character.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xC0 == 0x80 {
		most--
	}
	return s[:most] + "…"
}

// Run makes the topic, and at the end of the context waits a moment for what has not
// been written.
func (l *Log) Run(ctx context.Context) error {
	if l.producer == nil {
		<-ctx.Done()
		return nil
	}
	making := make(chan struct{})
	go func() {
		defer close(making)
		l.makeTopic(ctx)
	}()
	<-ctx.Done()
	<-making
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.release(func(e *accessv1.AuditEntry) { l.done(e, errNoTopic) }) //nolint:contextcheck // what is counted outlives the context
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), finish)
	defer cancel()
	if err := l.producer.Flush(end); err != nil {
		l.log.Warn("the last entries of the audit log were not all written", "error", err)
	}
	l.producer.Close()
	l.inFlight.Wait()
	return nil
}

func (l *Log) makeTopic(ctx context.Context) {
	settings := map[string]string{"cleanup.policy": "delete", "retention.ms": strconv.FormatInt(retention.Milliseconds(), 10)}
	for said := false; ctx.Err() == nil; said = true {
		try, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := kafka.MakeTopic(try, l.cfg, l.log, Topic, settings)
		cancel()
		if err == nil {
			l.release(l.produce)
			return
		}
		if !said && ctx.Err() == nil {
			l.log.Warn("the topic of the audit log can't be made yet; trying on", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}
