// Package message answers MessageService: which messages are in a topic.
package message

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	topicv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/topic/v1"
	"github.com/weirflow/weirflow/services/ingest/internal/topic"
	"github.com/weirflow/weirflow/services/platform/kafka"
)

const (
	defaultPage = 50
	maxPage     = 1000
	// maxValue is how much of a value is shown, where few are asked for.
	maxValue = 1 << 20
	// maxAnswer is how much all values of an answer have together: it has to be
	// less than a message may have.
	maxAnswer = 16 << 20
	// listWithin bounds the reading of one page, however little matches.
	listWithin = 10 * time.Second
)

// Server reads messages. Each call has a Kafka client of its own, but those that follow
// from now on share one for each topic.
type Server struct {
	topicv1.UnimplementedMessageServiceServer
	cfg   kafka.Config
	admin *kafka.Admin
	log   *slog.Logger
	feeds feeds
}

// NewServer answers from a cluster.
func NewServer(cfg kafka.Config, a *kafka.Admin, log *slog.Logger) *Server {
	return &Server{cfg: cfg, admin: a, log: log, feeds: feeds{open: map[string]*feed{}}}
}

// ListMessages reads what is there now.
func (s *Server) ListMessages(ctx context.Context, req *topicv1.ListMessagesRequest) (*topicv1.ListMessagesResponse, error) {
	size := int(req.GetPageSize())
	switch {
	case size == 0:
		size = defaultPage
	case size < 0 || size > maxPage:
		return nil, status.Errorf(codes.InvalidArgument, "page_size %d: 1 to %d are allowed", size, maxPage)
	}
	if err := readable(req.GetTopic()); err != nil {
		return nil, err
	}
	c, err := s.consumer(true)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var spans []span
	if req.GetPageToken() != "" {
		spans, err = parseToken(req.GetPageToken())
	} else {
		start := req.GetStart()
		if start.GetAt() == nil {
			start = &topicv1.Start{At: &topicv1.Start_Last{Last: int64(size)}}
		}
		spans, err = s.spans(ctx, c, req.GetTopic(), req.Partition, start) //nolint:protogetter // presence matters
	}
	if err != nil {
		return nil, err
	}
	p := page{size: size, shown: min(maxValue, maxAnswer/size), contains: []byte(req.GetContains()), last: req.GetStart().GetAt() == nil && req.GetPageToken() == ""}
	if err := p.read(ctx, c, req.GetTopic(), spans); err != nil {
		return nil, err
	}
	return p.response(), nil
}

// readable refuses topics in which Weirflow keeps what nobody is to see, such as
// the passwords of sinks and the statements of jobs.
func readable(name string) error {
	if kafka.Internal(name) {
		return status.Errorf(codes.PermissionDenied, "topic %q is kept by Weirflow or Kafka itself: its messages are not shown", name)
	}
	return nil
}

func (s *Server) consumer(ends bool) (*kafka.Consumer, error) {
	c, err := kafka.NewConsumer(s.cfg, kafka.ConsumerOptions{Logger: s.log, MaxRecords: 1024, Ends: ends, Properties: map[string]string{
		"queued.max.messages.kbytes": "8192", "auto.offset.reset": "earliest",
	}})
	if err != nil {
		return nil, topic.Status(err)
	}
	return c, nil
}

// span is what is to be read of a partition: offsets from next on, below end.
type span struct {
	partition int32
	next, end int64
}

// spans finds where reading begins and where the end is now.
func (s *Server) spans(ctx context.Context, c *kafka.Consumer, name string, partition *int32, start *topicv1.Start) ([]span, error) {
	info, err := s.admin.Topic(ctx, name)
	if err != nil {
		return nil, topic.Status(err)
	}
	if _, one := start.GetAt().(*topicv1.Start_Offset); one && partition == nil && len(info.Partitions) > 1 {
		return nil, status.Errorf(codes.InvalidArgument, "start.offset needs a partition: topic %q has %d", name, len(info.Partitions))
	}
	var out []span
	for _, p := range info.Partitions {
		if partition != nil && *partition != p.ID {
			continue
		}
		low, high, err := c.Bounds(ctx, name, p.ID)
		if err != nil {
			return nil, topic.Status(err)
		}
		next, err := begin(ctx, c, name, p.ID, low, high, start)
		if err != nil {
			return nil, err
		}
		out = append(out, span{partition: p.ID, next: next, end: high})
	}
	if len(out) == 0 {
		return nil, noPartition(name, *partition)
	}
	return out, nil
}

func noPartition(name string, partition int32) error {
	return status.Errorf(codes.NotFound, "topic %q has no partition %d", name, partition)
}

// starts are the offsets at which reading begins, by partition.
func (s *Server) starts(ctx context.Context, c *kafka.Consumer, name string, partition *int32, start *topicv1.Start) (map[int32]int64, error) {
	spans, err := s.spans(ctx, c, name, partition, start)
	out := map[int32]int64{}
	for _, sp := range spans {
		out[sp.partition] = sp.next
	}
	return out, err
}

func positions(name string, from map[int32]int64) []kafka.Position {
	var out []kafka.Position
	for p, next := range from {
		out = append(out, kafka.Position{Topic: name, Partition: p, Offset: next})
	}
	return out
}

func begin(ctx context.Context, c *kafka.Consumer, name string, partition int32, low, high int64, start *topicv1.Start) (int64, error) {
	switch at := start.GetAt().(type) {
	case *topicv1.Start_Offset:
		return min(max(at.Offset, low), high), nil
	case *topicv1.Start_Timestamp:
		ps, err := c.OffsetsForTime(ctx, []kafka.Position{{Topic: name, Partition: partition, Offset: at.Timestamp.AsTime().UnixMilli()}})
		if err != nil {
			return 0, topic.Status(err)
		}
		if ps[0].Offset < 0 {
			return high, nil
		}
		return ps[0].Offset, nil
	case *topicv1.Start_Last:
		return max(low, high-at.Last), nil
	default:
		return low, nil
	}
}

// page gathers messages until it is full or the end is reached.
type page struct {
	size     int
	shown    int // bytes of each value
	contains []byte
	last     bool // the last messages are wanted, not the first

	messages []*topicv1.Message
	scanned  int64
	spans    map[int32]*span
}

func (p *page) read(ctx context.Context, c *kafka.Consumer, name string, spans []span) error {
	p.spans = map[int32]*span{}
	var at []kafka.Position
	left := 0
	for _, s := range spans {
		p.spans[s.partition] = &s
		if s.next < s.end {
			left++
			at = append(at, kafka.Position{Topic: name, Partition: s.partition, Offset: s.next})
		}
	}
	if left == 0 {
		return nil
	}
	if err := c.Assign(at); err != nil {
		return topic.Status(err)
	}
	ctx, cancel := context.WithTimeout(ctx, listWithin)
	defer cancel()
	for left > 0 && !p.full() {
		b, err := c.Poll(ctx, time.Second)
		if b != nil {
			left -= p.take(b)
			b.Release()
		}
		if ctx.Err() != nil {
			return nil // time is over: the token says where to go on
		}
		if err != nil {
			return topic.Status(err)
		}
		if !p.full() {
			left -= p.atEnd(c, name)
		}
	}
	return nil
}

func (p *page) full() bool { return !p.last && len(p.messages) >= p.size }

// atEnd finishes partitions of which there is no more, though their last offsets
// have no record: it was compacted away, or is a transaction's mark.
func (p *page) atEnd(c *kafka.Consumer, name string) (finished int) {
	for _, s := range p.spans {
		if at, ok := c.End(name, s.partition); ok && s.next < s.end && at >= s.end {
			s.next = s.end
			finished++
		}
	}
	return finished
}

// take adds a batch's messages and returns how many partitions it finished.
func (p *page) take(b *kafka.Batch) (finished int) {
	for i := range b.Len() {
		r := b.Record(i)
		s := p.spans[r.Partition]
		if r.Offset < s.next || s.next >= s.end || p.full() {
			continue
		}
		if r.Offset < s.end {
			p.scanned++
			if matches(r, p.contains) {
				p.messages = append(p.messages, convert(b, i, p.shown))
				if p.last && len(p.messages) >= 4*p.size {
					p.keepLast()
				}
			}
		}
		if s.next = r.Offset + 1; s.next >= s.end {
			finished++
		}
	}
	return finished
}

// keepLast puts the messages in order and, where the last are wanted, forgets others.
func (p *page) keepLast() {
	slices.SortStableFunc(p.messages, func(a, b *topicv1.Message) int {
		return cmp.Or(a.GetTimestamp().AsTime().Compare(b.GetTimestamp().AsTime()), cmp.Compare(a.GetPartition(), b.GetPartition()), cmp.Compare(a.GetOffset(), b.GetOffset()))
	})
	if n := len(p.messages) - p.size; p.last && n > 0 {
		p.messages = slices.Delete(p.messages, 0, n)
	}
}

func (p *page) response() *topicv1.ListMessagesResponse {
	p.keepLast()
	res := &topicv1.ListMessagesResponse{Messages: p.messages, Scanned: p.scanned}
	for _, s := range p.spans {
		if s.next < s.end {
			res.NextPageToken = formatToken(p.spans)
		}
	}
	return res
}

// FollowMessages sends what comes until the client ends it.
func (s *Server) FollowMessages(req *topicv1.FollowMessagesRequest, stream topicv1.MessageService_FollowMessagesServer) error {
	if err := readable(req.GetTopic()); err != nil {
		return err
	}
	w := &wanted{stream: stream, partition: req.Partition, contains: []byte(req.GetContains())} //nolint:protogetter // presence matters
	err := s.follow(stream.Context(), req, w)
	if ctx := stream.Context(); ctx.Err() != nil {
		return status.FromContextError(ctx.Err()).Err()
	}
	return err
}

func (s *Server) follow(ctx context.Context, req *topicv1.FollowMessagesRequest, w *wanted) error {
	start := req.GetStart()
	if start.GetAt() == nil {
		start = &topicv1.Start{At: &topicv1.Start_Last{}}
	}
	var from map[int32]int64
	if last, ok := start.GetAt().(*topicv1.Start_Last); ok && last.Last == 0 && len(w.contains) == 0 {
		var err error
		if from, err = s.together(ctx, req.GetTopic(), w); err != nil {
			return err
		}
	}
	c, err := s.consumer(false)
	if err != nil {
		return err
	}
	defer c.Close()
	if from == nil {
		if from, err = s.starts(ctx, c, req.GetTopic(), w.partition, start); err != nil {
			return err
		}
	}
	return alone(ctx, c, positions(req.GetTopic(), from), w)
}

// together follows with all others who follow from now on, as long as the client takes
// what comes. It returns where to read on alone, nil for the end of the topic.
func (s *Server) together(ctx context.Context, name string, w *wanted) (map[int32]int64, error) {
	info, err := s.admin.Topic(ctx, name)
	if err != nil {
		return nil, topic.Status(err)
	}
	f, leave, err := s.join(ctx, name)
	if err != nil {
		return nil, err
	}
	defer leave()
	if len(info.Partitions) != len(f.next) { // there are more since the others began
		return nil, nil
	}
	if w.partition != nil {
		maps.DeleteFunc(f.next, func(p int32, _ int64) bool { return p != *w.partition })
		if len(f.next) == 0 {
			return nil, noPartition(name, *w.partition)
		}
	}
	for {
		messages, slow, err := f.take(ctx)
		if err != nil {
			return nil, err
		}
		messages = slices.DeleteFunc(messages, func(m *topicv1.Message) bool { _, ok := f.next[m.GetPartition()]; return !ok })
		for _, m := range messages {
			f.next[m.GetPartition()] = m.GetOffset() + 1
		}
		if err := w.send(messages); err != nil {
			return nil, err
		}
		if slow {
			return f.next, nil
		}
	}
}

// alone follows with a client of one's own.
func alone(ctx context.Context, c *kafka.Consumer, from []kafka.Position, w *wanted) error {
	if err := c.Assign(from); err != nil {
		return topic.Status(err)
	}
	for {
		b, err := c.Poll(ctx, time.Second)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return topic.Status(err)
		}
		if b == nil {
			continue
		}
		messages := make([]*topicv1.Message, 0, b.Len())
		for i := range b.Len() {
			if matches(b.Record(i), w.contains) {
				messages = append(messages, convert(b, i, maxValue))
			}
		}
		b.Release()
		if err := w.send(messages); err != nil {
			return err
		}
	}
}

// wanted is what a client follows.
type wanted struct {
	stream    topicv1.MessageService_FollowMessagesServer
	partition *int32
	contains  []byte
}

// send sends messages, in answers that are small enough.
func (w *wanted) send(messages []*topicv1.Message) error {
	res, size := &topicv1.FollowMessagesResponse{}, 0
	for _, m := range messages {
		size += sizeOf(m)
		if res.Messages = append(res.Messages, m); size < maxAnswer/2 {
			continue
		}
		if err := w.stream.Send(res); err != nil {
			return err
		}
		res, size = &topicv1.FollowMessagesResponse{}, 0
	}
	if len(res.GetMessages()) == 0 {
		return nil
	}
	return w.stream.Send(res)
}

func matches(r kafka.Record, text []byte) bool {
	return len(text) == 0 || bytes.Contains(r.Value, text) || bytes.Contains(r.Key, text)
}

// sizeOf is about how many bytes a message has.
func sizeOf(m *topicv1.Message) int {
	size := len(m.GetText()) + len(m.GetBinary()) + len(m.GetKey()) + 64
	for _, h := range m.GetHeaders() {
		size += len(h.GetKey()) + len(h.GetValue())
	}
	return size
}

// convert copies a record, and as much of its value as is shown, out of Kafka's memory.
func convert(b *kafka.Batch, i, shown int) *topicv1.Message {
	r := b.Record(i)
	m := &topicv1.Message{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: timestamppb.New(time.UnixMilli(r.TimestampMillis)),
		Key: bytes.Clone(r.Key), Size: int64(len(r.Value)), Truncated: len(r.Value) > shown,
	}
	value := r.Value[:min(len(r.Value), shown)]
	if m.GetTruncated() {
		value = wholeRunes(value)
	}
	if utf8.Valid(value) {
		m.Text = string(value)
	} else {
		m.Binary = bytes.Clone(value)
	}
	for _, h := range b.Headers(i) {
		m.Headers = append(m.Headers, &topicv1.Header{Key: h.Key, Value: h.Value})
	}
	return m
}

// wholeRunes drops a character that was cut at the end.
func wholeRunes(b []byte) []byte {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if c := b[len(b)-n]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-n:]) {
				return b[:len(b)-n]
			}
			break
		}
	}
	return b
}
