package elasticsearch

import (
	"context"
	"fmt"
	"hash/fnv"
	"strconv"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weirflow/weirflow/services/platform/fault"
	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/eval"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/format"
	"github.com/weirflow/weirflow/services/transform/internal/format/json"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

const (
	maxDocuments = 400
	maxBytes     = 1 << 20
	maxWait      = 50 * time.Millisecond
)

// TopicPrefix begins the name of the topic that carries a job's documents.
const TopicPrefix = "weirflow.index."

// MaxMessage bounds an IndexBatch: the longest line that is collected fits in.
const MaxMessage = 32 << 20

// sink collects documents and hands them to the indexer in batches.
type sink struct {
	env      connector.Env
	topic    string
	table    string
	index    []indexPart
	static   []byte // the quoted index name, when it has no columns
	fields   int
	keys     []int
	delim    string
	nullKey  string
	enc      format.Encoder
	producer *kafka.Producer
	ids      connector.RowIDs
	open     []batch // by partition
	job      []byte  // job name and a separator, in front of what ids are derived from
	name     []byte
	id       []byte
	quoted   []byte
	ctx      context.Context //nolint:containedctx // ends with the sink: Produce blocks while the queue is full
	cancel   context.CancelFunc
}

// batch is the documents of one partition that are not sent yet.
type batch struct {
	records kafka.Records // holds the record that is being filled, up to the end of body
	buf     []byte        // of records; nil when no record is open
	start   int           // where the body begins in buf
	lengths []byte        // varints
	docs    int
	oldest  int64
	since   time.Time
	held    []*exec.Receipt
}

func newSink(env connector.Env, p *plan.Sink, o *connector.Options, version int32) (connector.Sink, error) {
	name := p.Table.Name
	if env.Job == "" || len(env.Handoff.Kafka.Brokers) == 0 {
		return nil, fmt.Errorf("table %q: documents are written by a job, because the indexer takes them from Kafka; run the statements as a job (JobService or 'weirflow run --sql')", name)
	}
	index, err := parseIndex(o.Text("index"))
	if err != nil {
		return nil, o.Wrong("index", err.Error())
	}
	if err := bindIndex(index, p.Table.Physical); err != nil {
		return nil, o.Wrong("index", err.Error())
	}
	s := &sink{env: env, topic: TopicPrefix + env.Job, table: name, index: index, fields: len(p.Table.Physical),
		keys: p.PrimaryKey, delim: o.Text("document-id.key-delimiter"), nullKey: o.Text("document-id.key-null-literal"),
		ids: connector.RowIDs{Lane: env.Lane}, job: []byte(env.Job + "\x00" + name + "\x00"), open: make([]batch, max(1, env.Handoff.Partitions))}
	if len(index) == 1 && index[0].field == "" {
		s.static = json.AppendQuoted(nil, index[0].text)
	}
	if s.enc, err = format.NewEncoder(o, "json", "", p.Table.Physical); err != nil {
		return nil, err
	}
	if err := env.Handoff.Announce(context.Background(), announcement(env, name, o, version)); err != nil {
		return nil, fmt.Errorf("table %q: tell the indexer: %w", name, err)
	}
	s.producer, err = kafka.NewProducer(env.Handoff.Kafka, kafka.ProducerOptions{Logger: env.Logger.With("table", name), Properties: map[string]string{
		"queue.buffering.max.kbytes": "32768", "message.max.bytes": strconv.Itoa(MaxMessage), "linger.ms": "1",
	}})
	if err != nil {
		return nil, fmt.Errorf("table %q: %w", name, err)
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Write renders rows as bulk actions.
func (s *sink) Write(b *column.Batch, r *exec.Receipt) error {
	s.ids.Begin()
	s.enc.Begin()
	now := s.env.Now()
	for i := range b.Len {
		s.name = s.ids.Append(append(s.name[:0], s.job...), b, i)
		kind := b.Kind(i)
		if kind == column.UpdateBefore {
			continue
		}
		if err := s.identify(b, i); err != nil {
			return err
		}
		to := &s.open[s.partition()]
		if err := s.action(to, b, i, kind, now); err != nil {
			return err
		}
		if b.Origin != nil {
			if at := b.Origin.EventMillis(b.Record(i)); at > 0 && (to.oldest == 0 || at < to.oldest) {
				to.oldest = at
			}
		}
		if r != nil && (len(to.held) == 0 || to.held[len(to.held)-1] != r) {
			r.Hold()
			to.held = append(to.held, r)
		}
		if to.docs >= maxDocuments || len(to.buf)-to.start >= maxBytes {
			if err := s.send(to); err != nil {
				return err
			}
		}
	}
	return nil
}

// identify sets s.id to the document's id; empty when the store shall choose one.
func (s *sink) identify(b *column.Batch, i int) error {
	s.id = s.id[:0]
	if len(s.keys) == 0 {
		if b.Origin != nil {
			s.id = connector.AppendDerivedID(s.id, s.name)
		}
		return nil
	}
	for k, c := range s.keys {
		if k > 0 {
			s.id = append(s.id, s.delim...)
		}
		if b.Cols[c].IsNull(i) {
			s.id = append(s.id, s.nullKey...)
			continue
		}
		s.id = eval.AppendText(s.id, b.Cols[c], i, time.UTC)
	}
	if len(s.id) > 512 {
		return fault.Permanent(fmt.Errorf("table %q: the primary key makes a document id of %d bytes; 512 are allowed", s.table, len(s.id)))
	}
	return nil
}

func (s *sink) partition() int { return PartitionOf(s.id, len(s.open)) }

// PartitionOf is the partition, of so many, that carries all actions on a document.
func PartitionOf(id []byte, partitions int) int {
	if partitions == 1 {
		return 0
	}
	h := fnv.New32a()
	_, _ = h.Write(id)
	return int(h.Sum32() % uint32(partitions))
}

// action appends the lines of one document.
func (s *sink) action(to *batch, b *column.Batch, i int, kind column.Kind, now time.Time) error {
	if to.buf == nil {
		s.openBatch(to)
	}
	start := len(to.buf)
	body := to.buf
	remove := kind == column.Delete
	if remove {
		body = append(body, `{"delete":{"_index":`...)
	} else {
		body = append(body, `{"index":{"_index":`...)
	}
	if s.static != nil {
		body = append(body, s.static...)
	} else {
		var err error
		if s.quoted, err = appendIndex(s.quoted[:0], s.index, b.Cols, i, now); err != nil {
			return fault.Permanent(fmt.Errorf("table %q: %w", s.table, err))
		}
		body = json.AppendQuoted(body, column.View(s.quoted))
	}
	if len(s.id) > 0 {
		body = append(body, `,"_id":`...)
		body = json.AppendQuoted(body, column.View(s.id))
	}
	body = append(body, "}}\n"...)
	if !remove {
		var err error
		if body, err = s.enc.AppendRow(body, b.Cols[:s.fields], i); err != nil {
			return err
		}
		body = append(body, '\n')
	}
	if to.docs == 0 {
		to.since = now
	}
	to.buf = body
	to.lengths = protowire.AppendVarint(to.lengths, uint64(len(body)-start))
	to.docs++
	return nil
}

// send produces an IndexBatch.
func (s *sink) send(to *batch) error {
	if to.docs == 0 {
		return nil
	}
	to.records.Close(s.closeBatch(to))
	held := append([]*exec.Receipt(nil), to.held...)
	to.buf, to.lengths, to.held = nil, to.lengths[:0], to.held[:0]
	to.docs, to.oldest = 0, 0
	return s.producer.Produce(s.ctx, s.topic, &to.records, func(err error, _ []kafka.Failure) {
		for _, r := range held {
			r.Release(err)
		}
	})
}

// The fields of index.v1.IndexBatch.
const (
	fieldJob = 1 + iota
	fieldSink
	fieldBody
	fieldLengths
	fieldOldest
	_ // replay_of
	fieldEpoch
	fieldGeneration
)

// widthOfLength is how many bytes the length of the body takes: a varint may have
// more than it needs, so its place is kept before the body is known.
const widthOfLength = 4

// openBatch begins an IndexBatch in the memory of the record that will carry it, so
// that documents are rendered where they are sent from.
func (s *sink) openBatch(to *batch) {
	partition := int32(0)
	for p := range s.open {
		if &s.open[p] == to {
			partition = int32(p)
		}
	}
	to.records.Reset()
	buf := to.records.Open(partition, nil)
	buf = protowire.AppendString(protowire.AppendTag(buf, fieldJob, protowire.BytesType), s.env.Job)
	buf = protowire.AppendString(protowire.AppendTag(buf, fieldSink, protowire.BytesType), s.table)
	buf = protowire.AppendTag(buf, fieldBody, protowire.BytesType)
	buf = append(buf, make([]byte, widthOfLength)...)
	to.buf = buf
	to.start = len(to.buf)
}

// closeBatch fills in the length of the body and appends what is behind it.
func (s *sink) closeBatch(b *batch) []byte {
	buf := b.buf
	n := len(buf) - b.start
	for i := range widthOfLength {
		buf[b.start-widthOfLength+i] = byte(n>>(7*i))&0x7f | 0x80
	}
	buf[b.start-1] &= 0x7f
	buf = protowire.AppendBytes(protowire.AppendTag(buf, fieldLengths, protowire.BytesType), b.lengths)
	if b.oldest > 0 {
		buf = protowire.AppendVarint(protowire.AppendTag(buf, fieldOldest, protowire.VarintType), uint64(b.oldest))
	}
	if s.env.Generation != nil {
		buf = protowire.AppendVarint(protowire.AppendTag(buf, fieldEpoch, protowire.VarintType), uint64(s.env.Epoch))
		buf = protowire.AppendVarint(protowire.AppendTag(buf, fieldGeneration, protowire.VarintType), uint64(s.env.Generation()))
	}
	return buf
}

// Poll sends batches that have waited long enough.
func (s *sink) Poll(now time.Time) error {
	for p := range s.open {
		if b := &s.open[p]; b.docs > 0 && now.Sub(b.since) >= maxWait {
			if err := s.send(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// Flush sends everything and waits until the cluster has it.
func (s *sink) Flush(ctx context.Context) error {
	for p := range s.open {
		if err := s.send(&s.open[p]); err != nil {
			return err
		}
	}
	return s.producer.Flush(ctx)
}

// Abort makes a Write that waits for room return.
func (s *sink) Abort() { s.cancel() }

// Close gives up what is not written; receipts that are still held hear of it.
func (s *sink) Close() error {
	s.cancel()
	for p := range s.open {
		for _, r := range s.open[p].held {
			r.Release(context.Canceled)
		}
	}
	s.producer.Close()
	return nil
}
