package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/format"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

// sink writes rows to a topic.
type sink struct {
	topic     string
	topics    map[string]*kafka.Records // when a column says which topic; by those allowed
	partition int32
	producer  *kafka.Producer
	channel   *channel // of the producer, when it has transactions
	script    bool     // nobody else commits
	records   kafka.Records
	ids       connector.RowIDs
	values    []int // columns of the value
	keys      []int // columns of the key; nil without one
	meta      metaColumns
	upsert    bool
	buffer    *buffer // of an upsert sink that reduces rows by key
	careless  bool    // nobody waits for the cluster's answer
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
	upsert := o.Text("connector") == upsertName
	if p.Input.Out().Mode != plan.InsertOnly && !upsert {
		return fmt.Errorf("table %q: connector 'kafka' takes new rows only, and the query changes rows; use 'upsert-kafka'", name)
	}
	topic := false
	for _, m := range p.Metadata {
		topic = topic || m == "topic"
	}
	switch n := len(o.List("topic")); {
	case topic && n == 0:
		return o.Wrong("topic", "a sink with the metadata column 'topic' needs the list of topics that it may write")
	case !topic && n != 1:
		return o.Wrong("topic", "a sink writes exactly one topic, unless the table has the metadata column 'topic'")
	}
	switch v := o.Text("sink.partitioner"); {
	case v != "" && v != "default" && v != "fixed" && v != "round-robin":
		return o.Wrong("sink.partitioner", "must be one of default, fixed, round-robin; classes of Java cannot be loaded")
	case v == "round-robin" && o.Has("key.fields"):
		return o.Wrong("sink.partitioner", "'round-robin' works for tables without 'key.fields' only")
	}
	_, err := metaOf(p)
	return err
}

func newSink(env connector.Env, p *plan.Sink, o *connector.Options, shared *channels) (connector.Sink, error) {
	name := p.Table.Name
	s := &sink{topic: o.List("topic")[0], partition: kafka.PartitionByKey, ids: connector.RowIDs{Lane: env.Lane}, script: env.Job == "",
		upsert: o.Text("connector") == upsertName, careless: guarantee(o) == noGuarantee}
	if o.Text("sink.partitioner") == "fixed" {
		s.partition = 0
	}
	if err := s.encoders(p.Table, o); err != nil {
		return nil, err
	}
	var err error
	if s.meta, err = metaOf(p); err != nil {
		return nil, err
	}
	cfg, _ := cluster(o)
	log := env.Logger.With("table", name)
	for _, topic := range o.List("topic") {
		ensureTopic(cfg, topic, 0, nil, log)
		if s.meta.topic >= 0 {
			if s.topics == nil {
				s.topics = make(map[string]*kafka.Records)
			}
			s.topics[topic] = &kafka.Records{}
		}
	}
	s.buffer = newBuffer(o)
	if err := s.connect(env, cfg, o, shared, log); err != nil {
		return nil, fmt.Errorf("table %q: %w", name, err)
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if s.channel != nil {
		return exactSink{s}, nil
	}
	return s, nil
}

// connect gives the sink its producer.
func (s *sink) connect(env connector.Env, cfg kafka.Config, o *connector.Options, shared *channels, log *slog.Logger) error {
	var err error
	if guarantee(o) != exactlyOnce {
		props := map[string]string{"partitioner": "murmur2_random", "queue.buffering.max.kbytes": "131072"}
		s.producer, err = kafka.NewProducer(cfg, kafka.ProducerOptions{Logger: log, Properties: props})
		return err
	}
	switch {
	case env.Job != "" && !env.Commits:
		return o.Wrong("sink.delivery-guarantee", "'exactly-once' is not supported in jobs yet; use 'at-least-once': records carry ids that stay the same when they are written again")
	case env.Job != "" && !sameCluster(cfg, env.Handoff.Kafka):
		return o.Wrong("sink.delivery-guarantee", "'exactly-once' needs the topic on the cluster of the job's checkpoints ("+strings.Join(env.Handoff.Kafka.Brokers, ",")+"), so that both are written in one transaction")
	}
	if s.channel, err = shared.openChannel(env, cfg, o); err == nil {
		s.producer = s.channel.producer
	}
	return err
}

// ensureTopic makes the topic if it is missing: a cluster that makes none by
// itself would let records wait for ever. That the cluster is away, or does not
// allow it, shows when records are produced.
func ensureTopic(cfg kafka.Config, topic string, partitions int, settings map[string]string, log *slog.Logger) {
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
	if err := a.EnsureTopic(ctx, topic, partitions, settings); err != nil {
		log.Warn("the topic is missing and cannot be made", "topic", topic, "error", err)
		return
	}
	log.Info("the topic was missing and has been made", "topic", topic)
}

func (s *sink) encoders(t *plan.Table, o *connector.Options) error {
	l, err := layoutOf(t, o)
	if err != nil {
		return err
	}
	s.keys, s.values = l.keys, l.values
	name := valueFormat(o)
	if s.enc, err = format.NewEncoder(o, o.Text(name), strings.TrimSuffix(name, "format"), l.valueFields); err != nil {
		return err
	}
	if len(l.keys) > 0 {
		s.keyEnc, err = format.NewEncoder(o, o.Text("key.format"), "key.", l.keyFields)
	}
	return err
}

// Write produces the rows. The receipt is released when the cluster has them.
func (s *sink) Write(b *column.Batch, r *exec.Receipt) error {
	s.reset()
	s.ids.Begin()
	s.enc.Begin()
	if s.keyEnc != nil {
		s.keyEnc.Begin()
	}
	s.valueCols, s.keyCols = choose(s.valueCols[:0], b.Cols, s.values), choose(s.keyCols[:0], b.Cols, s.keys)
	for i := range b.Len {
		if err := s.row(b, i); err != nil {
			return err
		}
	}
	if s.careless {
		r = nil
	}
	if s.buffer != nil {
		s.buffer.hold(r)
		if !s.buffer.full() {
			return nil
		}
		return s.flushBuffer()
	}
	return s.produce(r)
}

func (s *sink) reset() {
	s.records.Reset()
	for _, r := range s.topics {
		r.Reset()
	}
}

// row adds a row to the records, or to the buffer.
func (s *sink) row(b *column.Batch, i int) error {
	var key []byte
	if s.keyEnc != nil {
		var err error
		if s.key, err = s.keyEnc.AppendRow(s.key[:0], s.keyCols, i); err != nil {
			return err
		}
		key = s.key
	}
	kind := b.Kind(i)
	tombstone := kind == column.Delete
	if s.buffer != nil {
		return s.bufferRow(b, i, kind)
	}
	if s.upsert && kind == column.UpdateBefore {
		s.id(nil, b, i) // it has a number all the same
		return nil
	}
	to, err := s.target(b, i)
	if err != nil {
		return err
	}
	if tombstone {
		to.Append(s.partition, key, nil)
	} else {
		value, err := s.enc.AppendRow(to.Open(s.partition, key), s.valueCols, i)
		if err != nil {
			return err
		}
		to.Close(value)
	}
	s.meta.add(to, b, i)
	if b.Origin != nil {
		s.id(to, b, i)
	}
	return nil
}

// id adds the header with the row's name.
func (s *sink) id(to *kafka.Records, b *column.Batch, i int) {
	if to == nil {
		s.key = s.ids.Append(s.key[:0], b, i)
		return
	}
	to.CloseHeader(s.ids.Append(to.OpenHeader(EventID), b, i))
}

// target returns the records of the topic that a row goes to.
func (s *sink) target(b *column.Batch, i int) (*kafka.Records, error) {
	if s.topics == nil {
		return &s.records, nil
	}
	col := b.Cols[s.meta.topic]
	if col.IsNull(i) {
		if len(s.topics) == 1 {
			return s.topics[s.topic], nil
		}
		return nil, errors.New("column of metadata 'topic' is NULL, and the table has several topics")
	}
	to := s.topics[col.Strs[i]]
	if to == nil {
		return nil, fmt.Errorf("the row is for topic %q, which is not among the table's option 'topic'", col.Strs[i])
	}
	return to, nil
}

func (s *sink) produce(r *exec.Receipt) error {
	if s.channel != nil {
		s.channel.wrote()
	}
	if s.topics == nil {
		return s.send(s.topic, &s.records, r)
	}
	for topic, records := range s.topics {
		if records.Len() == 0 {
			continue
		}
		if err := s.send(topic, records, r); err != nil {
			return err
		}
	}
	return nil
}

func (s *sink) send(topic string, records *kafka.Records, r *exec.Receipt) error {
	if r != nil {
		r.Hold()
	}
	return s.producer.Produce(s.ctx, topic, records, func(err error, _ []kafka.Failure) {
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

// Poll sends what has been buffered long enough, and commits what a script has
// written; the client itself sends the rest.
func (s *sink) Poll(now time.Time) error {
	if s.buffer != nil && s.buffer.due(now) {
		if err := s.flushBuffer(); err != nil {
			return err
		}
	}
	if s.channel != nil && s.script {
		return s.channel.due(now)
	}
	return nil
}

// Flush waits until the cluster has everything.
func (s *sink) Flush(ctx context.Context) error {
	if s.buffer != nil {
		if err := s.flushBuffer(); err != nil {
			return err
		}
	}
	if err := s.producer.Flush(ctx); err != nil {
		return err
	}
	if s.channel != nil && s.script {
		return s.channel.commit(ctx, "", nil, nil)
	}
	return nil
}

// Abort makes a Write that waits for room return.
func (s *sink) Abort() { s.cancel() }

// Close gives up what is not written.
func (s *sink) Close() error {
	s.cancel()
	if s.buffer != nil {
		s.buffer.drop()
	}
	if s.channel != nil {
		s.channel.close()
		return nil
	}
	s.producer.Close()
	return nil
}
