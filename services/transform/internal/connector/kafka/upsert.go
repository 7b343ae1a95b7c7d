package kafka

import (
	"context"
	"time"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/column"
	"github.com/weirflow/weirflow/services/transform/internal/connector"
	"github.com/weirflow/weirflow/services/transform/internal/exec"
	"github.com/weirflow/weirflow/services/transform/internal/format"
	"github.com/weirflow/weirflow/services/transform/internal/plan"
)

func upsertOptions(v map[string]string) []connector.Option {
	all := []connector.Option{
		{Key: "topic"}, {Key: "topic-pattern"}, {Key: "properties.", Prefix: true}, {Key: "properties.bootstrap.servers", Required: true},
		{Key: "key.format", Required: true}, {Key: "value.format", Required: true}, {Key: "key.fields-prefix"},
		{Key: "value.fields-include", Kind: connector.Enum, Default: "ALL", Values: []string{"ALL", "EXCEPT_KEY"}},
		// An upsert table is what all its records make of it.
		{Key: "scan.startup.mode", Kind: connector.Enum, Default: earliest, Values: []string{earliest}},
		{Key: "sink.buffer-flush.max-rows", Kind: connector.Int, Default: "0"}, {Key: "sink.buffer-flush.interval", Kind: connector.Duration, Default: "0"},
	}
	all = append(all, boundedOptions()...)
	all = append(all, guaranteeOptions()...)
	all = append(all, errorOptions()...)
	all = append(all, format.Options(v["value.format"], "value.")...)
	return append(all, format.Options(v["key.format"], "key.")...)
}

func checkUpsert(t *plan.Table, o *connector.Options) error {
	if len(t.PrimaryKey) == 0 {
		return o.Wrong("connector", "'upsert-kafka' needs a PRIMARY KEY (…) NOT ENFORCED: it is the key of the records")
	}
	if (o.Int("sink.buffer-flush.max-rows") > 0) != (o.Duration("sink.buffer-flush.interval") > 0) {
		return o.Wrong("sink.buffer-flush.max-rows", "and 'sink.buffer-flush.interval' must both be more than 0, or neither")
	}
	if err := format.Check(o, "key.format"); err != nil {
		return err
	}
	if _, err := layoutOf(t, o); err != nil {
		return err
	}
	return checkCommon(o)
}

// buffer keeps the last row of each key for a while.
type buffer struct {
	max      int
	interval time.Duration
	rows     map[string]*buffered
	order    []*buffered // in the order in which keys came
	since    time.Time
	held     []*exec.Receipt
}

// buffered is a record that is not sent yet.
type buffered struct {
	key, value []byte // a nil value deletes
	id         []byte
	millis     int64
}

// newBuffer returns nil when rows are not reduced.
func newBuffer(o *connector.Options) *buffer {
	if o.Text("connector") != upsertName || o.Int("sink.buffer-flush.max-rows") <= 0 {
		return nil
	}
	return &buffer{max: int(o.Int("sink.buffer-flush.max-rows")), interval: o.Duration("sink.buffer-flush.interval"), rows: make(map[string]*buffered)}
}

func (f *buffer) full() bool { return len(f.rows) >= f.max }

func (f *buffer) due(now time.Time) bool {
	return (len(f.rows) > 0 || len(f.held) > 0) && now.Sub(f.since) >= f.interval
}

func (f *buffer) hold(r *exec.Receipt) {
	if r == nil || len(f.held) > 0 && f.held[len(f.held)-1] == r {
		return
	}
	r.Hold()
	f.held = append(f.held, r)
}

// drop gives up what is buffered.
func (f *buffer) drop() {
	for _, r := range f.held {
		r.Release(context.Canceled)
	}
	f.held = nil
}

// bufferRow keeps a row, whose key is in s.key, in place of the last of its key.
func (s *sink) bufferRow(b *column.Batch, i int, kind column.Kind) error {
	f := s.buffer
	if len(f.rows) == 0 && len(f.held) == 0 {
		f.since = time.Now()
	}
	if kind == column.UpdateBefore {
		s.id(nil, b, i)
		return nil
	}
	e := f.rows[string(s.key)]
	if e == nil {
		e = &buffered{key: append([]byte{}, s.key...)}
		f.rows[string(e.key)] = e
		f.order = append(f.order, e)
	}
	if kind == column.Delete {
		e.value = nil
	} else {
		if e.value == nil {
			e.value = []byte{} // not null, even if the format makes it empty
		}
		value, err := s.enc.AppendRow(e.value[:0], s.valueCols, i)
		if err != nil {
			return err
		}
		e.value = value
	}
	e.id, e.millis = e.id[:0], 0
	if b.Origin != nil {
		e.id = s.ids.Append(e.id, b, i)
	}
	if c := s.meta.timestamp; c >= 0 && !b.Cols[c].IsNull(i) {
		e.millis = b.Cols[c].Time(i).Millis
	}
	return nil
}

// flushBuffer produces what is buffered.
func (s *sink) flushBuffer() error {
	f := s.buffer
	s.records.Reset()
	for _, e := range f.order {
		s.records.Append(s.partition, e.key, e.value)
		if e.millis != 0 {
			s.records.SetTime(e.millis)
		}
		if len(e.id) > 0 {
			s.records.CloseHeader(append(s.records.OpenHeader(EventID), e.id...))
		}
	}
	held := f.held
	f.held, f.order = nil, f.order[:0]
	clear(f.rows)
	if s.channel != nil {
		s.channel.wrote()
	}
	return s.producer.Produce(s.ctx, s.topic, &s.records, func(err error, _ []kafka.Failure) {
		for _, r := range held {
			r.Release(err)
		}
	})
}
