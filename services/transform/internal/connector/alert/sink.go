package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/zeebo/xxh3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	formatjson "github.com/weirflow/weirflow/services/transform/internal/format/json"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

var errScript = errors.New("connector 'alert' works in jobs: a script in a terminal has no alerting service; use 'print' there")

// sink writes rows to the topic of alerts.
type sink struct {
	job, table string
	name       string // alertname
	severity   string
	after      time.Duration
	roles      []role
	text       *formatjson.Encoder
	ids        connector.RowIDs
	now        func() time.Time

	producer *kafka.Producer
	records  kafka.Records
	scratch  []byte
	ctx      context.Context //nolint:containedctx // Abort ends what waits for the cluster
	cancel   context.CancelFunc
}

func newSink(env connector.Env, s *plan.Sink, o *connector.Options) (connector.Sink, error) {
	if env.Job == "" || len(env.Handoff.Kafka.Brokers) == 0 {
		return nil, errScript
	}
	k := &sink{job: env.Job, table: s.Table.Name, name: o.Text(nameLabel), severity: o.Text("severity"), after: o.Duration("resolve-after"), roles: roles(s.Table, o),
		text: formatjson.NewEncoder(s.Table.Physical, formatjson.Options{PlainDecimals: true, TimestampStandard: "ISO-8601"}),
		ids:  connector.RowIDs{Lane: env.Lane}, now: env.Now}
	if k.name == "" {
		k.name = s.Table.Name
	}
	log := env.Logger.With("table", s.Table.Name)
	if err := kafka.MakeTopic(context.Background(), env.Handoff.Kafka, log, Topic, map[string]string{"retention.ms": "604800000"}); err != nil {
		return nil, fmt.Errorf("table %q: %w", s.Table.Name, err)
	}
	var err error
	k.producer, err = kafka.NewProducer(env.Handoff.Kafka, kafka.ProducerOptions{Logger: log, Properties: map[string]string{"partitioner": "murmur2_random", "linger.ms": "2"}})
	if err != nil {
		return nil, fmt.Errorf("table %q: %w", s.Table.Name, err)
	}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	return k, nil
}

// Write makes an alert of each row. Of an update only the new row counts.
func (s *sink) Write(b *column.Batch, r *exec.Receipt) error {
	s.records.Reset()
	s.ids.Begin()
	for i := range b.Len {
		id := s.ids.Append(nil, b, i)
		kind := b.Kind(i)
		if kind == column.UpdateBefore {
			continue
		}
		a, err := s.alert(b, i)
		if err != nil {
			return err
		}
		a.EventId, a.Resolved = string(id), kind == column.Delete
		value, err := proto.Marshal(a)
		if err != nil {
			return err
		}
		s.records.Append(kafka.PartitionByKey, s.key(a), value)
	}
	if s.records.Len() == 0 {
		return nil
	}
	if r != nil {
		r.Hold()
	}
	return s.producer.Produce(s.ctx, Topic, &s.records, func(err error, _ []kafka.Failure) {
		if r != nil {
			r.Release(err)
		}
	})
}

func (s *sink) alert(b *column.Batch, i int) (*alertv1.Alert, error) {
	a := &alertv1.Alert{Job: s.job, Table: s.table, Labels: map[string]string{nameLabel: s.name, severityColumn: s.severity, "job": s.job},
		Annotations: make(map[string]string), StartsAt: timestamppb.New(s.now()), ResolveAfter: durationpb.New(s.after)}
	for c, role := range s.roles {
		col := b.Cols[c]
		if col.IsNull(i) {
			continue
		}
		if role.starts {
			t := col.Time(i)
			a.StartsAt = timestamppb.New(time.UnixMilli(t.Millis).Add(time.Duration(t.Nanos)))
			continue
		}
		text, err := s.value(col, i)
		if err != nil {
			return nil, err
		}
		if role.label {
			a.Labels[role.name] = text
		} else {
			a.Annotations[role.name] = text
		}
	}
	return a, nil
}

// value returns a value as people read it: without quotes around texts and times.
func (s *sink) value(col *column.Vector, i int) (string, error) {
	if col.Type.Kind.IsCharacter() {
		return col.Strs[i], nil
	}
	var err error
	if s.scratch, err = s.text.AppendValue(s.scratch[:0], col, i); err != nil {
		return "", err
	}
	if len(s.scratch) > 0 && s.scratch[0] == '"' {
		var text string
		err = json.Unmarshal(s.scratch, &text)
		return text, err
	}
	return string(s.scratch), nil
}

// key is the same for the records of an alert.
func (s *sink) key(a *alertv1.Alert) []byte {
	h := xxh3.New()
	names := make([]string, 0, len(a.GetLabels()))
	for name := range a.GetLabels() {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		_, _ = h.WriteString(name + "\x00" + a.GetLabels()[name] + "\x00")
	}
	sum := h.Sum128().Bytes()
	return sum[:]
}

// Poll does nothing: the client sends by itself.
func (s *sink) Poll(time.Time) error { return nil }

// Flush waits until the cluster has everything.
func (s *sink) Flush(ctx context.Context) error { return s.producer.Flush(ctx) }

// Abort makes a Write that waits for room return.
func (s *sink) Abort() { s.cancel() }

// Close gives up what is not written.
func (s *sink) Close() error {
	s.cancel()
	s.producer.Close()
	return nil
}
