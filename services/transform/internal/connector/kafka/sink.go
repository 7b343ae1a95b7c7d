package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/format"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
	"github.com/weirflow/weirflow/services/transform/internal/types"
)

// sink writes rows to a topic.
type sink struct {
	topic     string
	partition int32
	producer  *kafka.Producer
	records   kafka.Records
	ids       connector.RowIDs
	values    []int // columns of the value
	keys      []int // columns of the key; nil without one
	enc       format.Encoder
	keyEnc    format.Encoder
	valueCols []*column.Vector
	keyCols   []*column.Vector
	key       []byte
	ctx       context.Context //nolint:containedctx // ends with the sink: Produce blocks while the queue is full
	cancel    context.CancelFunc
}

func checkSink(p *plan.Sink, o *connector.Options) error {
	name := p.Table.Name
	switch {
	case p.Input.Out().Mode != plan.InsertOnly:
		return fmt.Errorf("table %q: connector 'kafka' takes new rows only, and the query changes rows; use 'upsert-kafka'", name)
	case len(o.List("topic")) != 1:
		return o.Wrong("topic", "a sink writes exactly one topic")
	case len(p.Metadata) > 0:
		return fmt.Errorf("table %q: writing metadata column %q is not supported yet; declare it VIRTUAL", name, p.Metadata[0])
	}
	if v := o.Text("sink.partitioner"); v != "default" && v != "fixed" && v != "round-robin" {
		return o.Wrong("sink.partitioner", "must be one of default, fixed, round-robin")
	}
	return nil
}

func newSink(env connector.Env, p *plan.Sink, o *connector.Options) (connector.Sink, error) {
	name := p.Table.Name
	s := &sink{topic: o.List("topic")[0], partition: kafka.PartitionByKey, ids: connector.RowIDs{Lane: env.Lane}}
	if o.Text("sink.partitioner") == "fixed" {
		s.partition = 0
	}
	if err := s.encoders(p.Table, o); err != nil {
		return nil, err
	}
	cfg, _ := cluster(o)
	for _, k := range []string{"max.partition.fetch.bytes", "fetch.min.bytes", "session.timeout.ms", "auto.commit.interval.ms"} {
		delete(cfg.Properties, k)
	}
	log := env.Logger.With("table", name)
	ensureTopic(cfg, s.topic, log)
	var err error
	s.producer, err = kafka.NewProducer(cfg, kafka.ProducerOptions{Logger: log, Properties: map[string]string{"partitioner": "murmur2_random", "queue.buffering.max.kbytes": "131072"}})
	if err != nil {
		return nil, fmt.Errorf("table %q: %w", name, err)
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// ensureTopic makes the topic if it is missing: a cluster that makes none by
// itself would let records wait for ever. That the cluster is away, or does not
// allow it, shows when records are produced.
func ensureTopic(cfg kafka.Config, topic string, log *slog.Logger) {
	a, err := kafka.NewAdmin(cfg, log)
	if err != nil {
		return
	}
	defer a.Close()
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	if _, err = a.Topic(ctx, topic); err == nil || !kafka.HasCode(err, kafka.CodeUnknownTopicOrPartition, kafka.CodeUnknownTopic) {
		return
	}
	if err := a.EnsureTopic(ctx, topic, 0, nil); err != nil {
		log.Warn("the topic is missing and cannot be made", "topic", topic, "error", err)
		return
	}
	log.Info("the topic was missing and has been made", "topic", topic)
}

func (s *sink) encoders(t *plan.Table, o *connector.Options) error {
	keys, err := keyFields(t, o)
	if err != nil {
		return err
	}
	exceptKey := o.Enum("value.fields-include") == "EXCEPT_KEY"
	var values, keyed []types.Field
	for i, f := range t.Physical {
		if keys[i] {
			k := f
			k.Name = f.Name[len(o.Text("key.fields-prefix")):]
			keyed, s.keys = append(keyed, k), append(s.keys, i)
		}
		if !keys[i] || !exceptKey {
			values, s.values = append(values, f), append(s.values, i)
		}
	}
	name := valueFormat(o)
	prefix := name[:len(name)-len("format")]
	if s.enc, err = format.NewEncoder(o, o.Text(name), prefix, values); err != nil {
		return err
	}
	if len(keyed) > 0 {
		s.keyEnc, err = format.NewEncoder(o, o.Text("key.format"), "key.", keyed)
	}
	return err
}

// Write produces the rows. The receipt is released when the cluster has them.
func (s *sink) Write(b *column.Batch, r *exec.Receipt) error {
	s.records.Reset()
	s.ids.Begin()
	s.enc.Begin()
	if s.keyEnc != nil {
		s.keyEnc.Begin()
	}
	s.valueCols, s.keyCols = choose(s.valueCols[:0], b.Cols, s.values), choose(s.keyCols[:0], b.Cols, s.keys)
	for i := range b.Len {
		var key []byte
		if s.keyEnc != nil {
			var err error
			if s.key, err = s.keyEnc.AppendRow(s.key[:0], s.keyCols, i); err != nil {
				return err
			}
			key = s.key
		}
		value, err := s.enc.AppendRow(s.records.Open(s.partition, key), s.valueCols, i)
		if err != nil {
			return err
		}
		s.records.Close(value)
		if b.Origin != nil {
			s.records.CloseHeader(s.ids.Append(s.records.OpenHeader(EventID), b, i))
		}
	}
	if r != nil {
		r.Hold()
	}
	return s.producer.Produce(s.ctx, s.topic, &s.records, func(err error, _ []kafka.Failure) {
		if r != nil {
			r.Release(err)
		}
	})
}

func choose(dst, cols []*column.Vector, which []int) []*column.Vector {
	for _, i := range which {
		dst = append(dst, cols[i])
	}
	return dst
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
