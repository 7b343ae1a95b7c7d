package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	deadletterv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/deadletter/v1"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
)

// What error-handling.mode says about records that cannot be decoded.
const (
	handleOff   = "off"
	handleLog   = "log"
	handleKeep  = "dlq"
	handleAfter = "fail-after"
)

const (
	// sample is how many records must be read before their share of broken ones
	// ends a job within the window.
	sample      = 100
	logInterval = 10 * time.Second
	flushDead   = 10 * time.Second
)

func errorOptions() []connector.Option {
	return []connector.Option{
		{Key: "error-handling.mode", Kind: connector.Enum, Default: handleOff, Values: []string{handleOff, handleLog, handleKeep, handleAfter}},
		{Key: "error-handling.dlq.table"}, {Key: "error-handling.fail-after.ratio", Default: "0.01"},
		{Key: "error-handling.fail-after.window", Kind: connector.Duration, Default: "1 min"},
	}
}

func checkErrorHandling(o *connector.Options) error {
	mode := o.Enum("error-handling.mode")
	value := valueFormat(o)
	prefix := value[:len(value)-len("format")]
	for _, ignoring := range []string{prefix + "json.ignore-parse-errors", prefix + "csv.ignore-parse-errors"} {
		if mode != handleOff && o.Bool(ignoring) {
			return o.Wrong("error-handling.mode", "'"+mode+"' has nothing to handle with '"+ignoring+"' = 'true'; leave one of them out")
		}
	}
	switch {
	case o.Has("error-handling.dlq.table") && mode != handleKeep && mode != handleAfter:
		return o.Wrong("error-handling.dlq.table", "needs 'error-handling.mode' = 'dlq' or 'fail-after'")
	}
	for _, k := range []string{"error-handling.fail-after.ratio", "error-handling.fail-after.window"} {
		if o.Has(k) && mode != handleAfter {
			return o.Wrong(k, "needs 'error-handling.mode' = 'fail-after'")
		}
	}
	if r, err := strconv.ParseFloat(o.Text("error-handling.fail-after.ratio"), 64); err != nil || !(r >= 0 && r < 1) {
		return o.Wrong("error-handling.fail-after.ratio", "must be a number from 0 to less than 1, such as 0.01")
	}
	if o.Duration("error-handling.fail-after.window") <= 0 {
		return o.Wrong("error-handling.fail-after.window", "must be longer than 0")
	}
	return nil
}

// broken deals with the records of a source that cannot be decoded. Its methods
// are called by the source's goroutine, but keep and abort.
type broken struct {
	mode   string
	job    string
	table  string
	input  string // which reading of the table
	topic  string
	log    *slog.Logger
	now    func() time.Time
	ratio  float64
	window time.Duration

	late     kafka.Records   // used by the pipeline's goroutine only
	producer *kafka.Producer // nil: broken records are not kept
	ctx      context.Context //nolint:containedctx // ends when the source is aborted: Produce blocks while the queue is full
	cancel   context.CancelFunc

	since      time.Time // when the window began
	read, bad  int       // in the window
	last       error
	quiet      int // broken records that were not logged
	lastLogged time.Time
}

// newBroken returns nil when a broken record ends the job.
func newBroken(env connector.Env, table, mode string, o *connector.Options, log *slog.Logger) (*broken, error) {
	if mode == handleOff {
		return nil, nil //nolint:nilnil // nothing handles them then
	}
	h := &broken{mode: mode, job: env.Job, table: table, input: env.Input, topic: o.Text("error-handling.dlq.table"), log: log, now: env.Now,
		window: o.Duration("error-handling.fail-after.window"), since: env.Now()}
	h.ratio, _ = strconv.ParseFloat(o.Text("error-handling.fail-after.ratio"), 64) // checked with the table
	if mode == handleLog {
		return h, nil
	}
	if env.Job == "" || len(env.Handoff.Kafka.Brokers) == 0 {
		return nil, o.Wrong("error-handling.mode", "'"+mode+"' works in jobs only, because dead letters are kept in a topic; use 'log' here")
	}
	partitions, settings := 0, map[string]string(nil)
	if h.topic == "" {
		// One partition: what becomes of letters is noted behind them.
		h.topic, partitions, settings = connector.LetterPrefix+env.Job, 1, connector.LetterSettings(env.Handoff.Letters)
	}
	ensureTopic(env.Handoff.Kafka, h.topic, partitions, settings, log)
	var err error
	h.producer, err = kafka.NewProducer(env.Handoff.Kafka, kafka.ProducerOptions{Logger: log, Properties: map[string]string{"queue.buffering.max.kbytes": "16384"}})
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h, err
}

// add takes a record that could not be decoded.
func (h *broken) add(letters *kafka.Records, b records, i int, cause error) error {
	h.bad++
	h.last = cause
	r := b.Record(i)
	if h.producer == nil {
		h.say(r, cause)
		return nil
	}
	return h.letter(letters, b, i, "parse_error", cause.Error())
}

// letter adds a record to those that are kept.
func (h *broken) letter(letters *kafka.Records, b records, i int, kind, message string) error {
	r := b.Record(i)
	o := origin{batch: b}
	letter := &deadletterv1.DeadLetter{
		RawPayload: r.Value, NullPayload: r.Value == nil, SourceTable: h.table, Input: h.input, ErrorType: kind, ErrorMessage: strings.ToValidUTF8(message, "\uFFFD"),
		IngestionTs: timestamppb.New(h.now()), Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Job: h.job, Stage: "transform",
		Key: r.Key, TimestampMillis: r.TimestampMillis, LogAppendTime: r.LogAppendTime, EventId: strings.ToValidUTF8(string(o.AppendEventID(nil, i)), "\uFFFD"),
	}
	for _, x := range b.Headers(i) {
		letter.Headers = append(letter.Headers, &deadletterv1.RecordHeader{Key: strings.ToValidUTF8(x.Key, "\uFFFD"), Value: x.Value})
	}
	if again, ok := b.(*replayed); ok {
		letter.ReplayOf = again.letters[i].GetReplayOf()
	}
	value, err := proto.MarshalOptions{}.MarshalAppend(letters.Open(kafka.PartitionByKey, nil), letter)
	letters.Close(value)
	if err != nil {
		return fmt.Errorf("encode a dead letter: %w", err)
	}
	letters.CloseHeader(o.AppendEventID(letters.OpenHeader(EventID), i))
	return nil
}

// keepLate writes records that were left out because of their time.
func (h *broken) keepLate(b records, records []int32, done func(error)) {
	h.late.Reset()
	for _, i := range records {
		if err := h.letter(&h.late, b, int(i), "late", "the row came after its window was closed, or has no time"); err != nil {
			done(err)
			return
		}
	}
	h.keep(&h.late, done)
}

// say logs now and then: one line for all broken records of a while.
func (h *broken) say(r kafka.Record, cause error) {
	h.quiet++
	if now := h.now(); now.Sub(h.lastLogged) >= logInterval {
		h.log.Warn("broken records are skipped", "count", h.quiet, "topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "error", cause)
		h.quiet, h.lastLogged = 0, now
	}
}

// judge says after a batch whether too many records are broken.
func (h *broken) judge(records int) error {
	h.read += records
	if h.mode != handleAfter {
		return nil
	}
	over := h.now().Sub(h.since) >= h.window
	if (over || h.read >= sample) && float64(h.bad) > h.ratio*float64(h.read) {
		return fmt.Errorf("%d of %d records within %s are broken, and 'error-handling.fail-after.ratio' is %v; the last: %w",
			h.bad, h.read, h.window, h.ratio, h.last)
	}
	if over {
		h.since, h.read, h.bad = h.now(), 0, 0
	}
	return nil
}

// keep writes letters; done is called when the cluster has them.
func (h *broken) keep(letters *kafka.Records, done func(error)) {
	_ = h.producer.Produce(h.ctx, h.topic, letters, func(err error, _ []kafka.Failure) {
		if err != nil {
			err = fmt.Errorf("keep broken records of table %q in topic %q: %w", h.table, h.topic, err)
		}
		done(err)
	}) // done hears of it
}

func (h *broken) abort() {
	if h != nil && h.cancel != nil {
		h.cancel()
	}
}

// close waits for the letters on their way.
func (h *broken) close() {
	if h == nil || h.producer == nil {
		return
	}
	ctx, cancel := context.WithTimeout(h.ctx, flushDead)
	defer cancel()
	if err := h.producer.Flush(ctx); err != nil {
		h.log.Warn("dead letters are given up; their records will be read again", "error", err)
	}
	h.producer.Close()
	h.cancel()
}
