package kafka

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"time"

	"github.com/weirflow/weirflow/services/platform/kafka"

	"github.com/weirflow/weirflow/services/transform/internal/connector"
)

// begin waits until the topics are there and returns where to read from.
func (s *source) begin(ctx context.Context, from []connector.Position) ([]kafka.Position, error) {
	known := make(map[part]int64)
	for _, p := range from {
		known[part{p.Topic, p.Partition}] = p.Offset
	}
	for said := false; ; said = true {
		start, err := s.tryBegin(ctx, known)
		if err == nil {
			s.wait("")
			if said {
				s.log.Info("can be read now", "partitions", len(start))
			}
			return start, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s.wait(err.Error())
		if !said {
			s.log.Warn("cannot be read yet; trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(retryInterval):
		}
	}
}

func (s *source) wait(reason string) {
	s.mu.Lock()
	s.waiting = reason
	s.mu.Unlock()
}

// Waiting returns why the source cannot be read yet.
func (s *source) Waiting() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting
}

// watchEnds keeps the ends of the partitions up to date, for the lag.
func (s *source) watchEnds(ctx context.Context, parts []kafka.Position) {
	for {
		for _, p := range parts {
			ask, cancel := context.WithTimeout(ctx, askTimeout)
			low, high, err := s.c.Bounds(ask, p.Topic, p.Partition)
			cancel()
			if err != nil {
				break // the cluster is away; the lag is as it was
			}
			s.mu.Lock()
			at := part{p.Topic, p.Partition}
			if s.lag[at] == nil {
				from := p.Offset
				if from < 0 {
					from = low
				}
				s.lag[at] = &connector.PartitionLag{Position: connector.Position{Topic: p.Topic, Partition: p.Partition, Offset: from}}
			}
			s.lag[at].End = max(high, s.lag[at].Offset)
			s.mu.Unlock()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(endsInterval):
		}
	}
}

func (s *source) tryBegin(ctx context.Context, known map[part]int64) ([]kafka.Position, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	parts, err := s.partitions(ctx)
	if err != nil {
		return nil, err
	}
	var start, fresh []kafka.Position
	for _, p := range parts {
		if offset, ok := known[p]; ok {
			start = append(start, kafka.Position{Topic: p.topic, Partition: p.partition, Offset: offset})
			continue
		}
		fresh = append(fresh, kafka.Position{Topic: p.topic, Partition: p.partition})
	}
	if len(fresh) > 0 {
		// What came into being while the job was away is read from its beginning.
		if len(known) > 0 {
			for i := range fresh {
				fresh[i].Offset = kafka.OffsetBeginning
			}
		} else if fresh, err = s.startup(ctx, fresh); err != nil {
			return nil, err
		}
		start = append(start, fresh...)
	}
	if err := s.bounds(ctx, start); err != nil {
		return nil, err
	}
	for _, p := range start {
		s.number(part{p.Topic, p.Partition})
	}
	return start, nil
}

func (s *source) number(p part) {
	if _, ok := s.numbers[p]; !ok {
		s.numbers[p] = len(s.numbers)
	}
}

// partitions lists the partitions of the table's topics; all topics of a list must be there.
func (s *source) partitions(ctx context.Context) ([]part, error) {
	var topics []kafka.TopicInfo
	if pattern := s.o.Text("topic-pattern"); pattern != "" {
		re, err := regexp.Compile("^(?:" + pattern + ")$")
		if err != nil {
			return nil, err
		}
		all, err := s.admin.Topics(ctx)
		if err != nil {
			return nil, err
		}
		for _, t := range all {
			if re.MatchString(t.Name) && !kafka.Secluded(t.Name) {
				topics = append(topics, t)
			}
		}
		if len(topics) == 0 {
			return nil, fmt.Errorf("no topic matches %q", pattern)
		}
	}
	for _, name := range s.o.List("topic") {
		t, err := s.admin.Topic(ctx, name)
		if err != nil {
			return nil, err
		}
		if len(t.Partitions) == 0 {
			return nil, fmt.Errorf("topic %q has no partitions yet", name)
		}
		topics = append(topics, t)
	}
	var parts []part
	for _, t := range topics {
		for _, p := range t.Partitions {
			parts = append(parts, part{t.Name, p.ID})
		}
	}
	return parts, nil
}

// startup returns where a first start begins.
func (s *source) startup(ctx context.Context, ps []kafka.Position) ([]kafka.Position, error) {
	set := func(offset int64) {
		for i := range ps {
			ps[i].Offset = offset
		}
	}
	switch s.o.Enum("scan.startup.mode") {
	case earliest:
		set(kafka.OffsetBeginning)
	case latest:
		return s.ends(ctx, ps)
	case timestamp:
		set(s.o.Int("scan.startup.timestamp-millis"))
		return s.c.OffsetsForTime(ctx, ps)
	case specific:
		offsets, err := parseOffsets(s.o.Text("scan.startup.specific-offsets"))
		if err != nil {
			return nil, err
		}
		set(kafka.OffsetBeginning)
		for i, p := range ps {
			if o, ok := offsets[p.Partition]; ok {
				ps[i].Offset = o
			}
		}
	default:
		return s.fromGroup(ctx, ps)
	}
	return ps, nil
}

// fromGroup goes on where the consumer group stands; where it has no offset,
// auto.offset.reset says, and else the beginning.
func (s *source) fromGroup(ctx context.Context, ps []kafka.Position) ([]kafka.Position, error) {
	atEnd := s.o.Text("properties.auto.offset.reset") == "latest"
	if s.group != "" {
		committed, err := s.c.Committed(ctx, ps)
		if err != nil {
			return nil, err
		}
		ps = committed
	}
	for i := range ps {
		if s.group != "" && ps[i].Offset >= 0 {
			continue
		}
		ps[i].Offset = kafka.OffsetBeginning
		if atEnd {
			_, high, err := s.c.Bounds(ctx, ps[i].Topic, ps[i].Partition)
			if err != nil {
				return nil, err
			}
			ps[i].Offset = high
		}
	}
	return ps, nil
}

func (s *source) ends(ctx context.Context, ps []kafka.Position) ([]kafka.Position, error) {
	for i, p := range ps {
		_, high, err := s.c.Bounds(ctx, p.Topic, p.Partition)
		if err != nil {
			return nil, err
		}
		ps[i].Offset = high
	}
	return ps, nil
}

// bounds finds where a bounded scan ends.
func (s *source) bounds(ctx context.Context, start []kafka.Position) error {
	mode := s.o.Enum("scan.bounded.mode")
	if mode == unbounded {
		return nil
	}
	ends := append([]kafka.Position(nil), start...)
	var err error
	switch mode {
	case latest:
		ends, err = s.ends(ctx, ends)
	case group:
		ends, err = s.c.Committed(ctx, ends)
	case timestamp:
		for i := range ends {
			ends[i].Offset = s.o.Int("scan.bounded.timestamp-millis")
		}
		ends, err = s.c.OffsetsForTime(ctx, ends)
	case specific:
		var offsets map[int32]int64
		offsets, err = parseOffsets(s.o.Text("scan.bounded.specific-offsets"))
		for i := range ends {
			ends[i].Offset = offsets[ends[i].Partition]
		}
	}
	if err != nil {
		return err
	}
	return s.limit(ctx, start, ends)
}

func (s *source) limit(ctx context.Context, start, ends []kafka.Position) error {
	s.limits = make(map[part]int64)
	for i, e := range ends {
		p := part{e.Topic, e.Partition}
		low, high, err := s.c.Bounds(ctx, e.Topic, e.Partition)
		if err != nil {
			return err
		}
		if e.Offset < 0 || e.Offset > high {
			e.Offset = high
		}
		s.limits[p] = e.Offset
		from := start[i].Offset
		if from < 0 {
			from = low
		}
		s.mu.Lock()
		s.lag[p] = &connector.PartitionLag{Position: connector.Position{Topic: e.Topic, Partition: e.Partition, Offset: from}, End: high}
		s.mu.Unlock()
	}
	return nil
}

func (s *source) discovery() time.Duration {
	if s.limits != nil {
		return 0
	}
	return s.o.Duration("scan.topic-partition-discovery.interval")
}

// discover adds partitions that came into being, and returns them; they are read
// from their beginning.
func (s *source) discover(ctx context.Context) []kafka.Position {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	parts, err := s.partitions(ctx)
	if err != nil {
		s.log.Debug("discovering partitions", "error", err)
		return nil
	}
	var fresh []kafka.Position
	for _, p := range parts {
		if _, ok := s.numbers[p]; !ok {
			fresh = append(fresh, kafka.Position{Topic: p.topic, Partition: p.partition, Offset: kafka.OffsetBeginning})
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := s.c.AssignMore(fresh); err != nil {
		s.log.Warn("new partitions cannot be read yet", "error", err)
		return nil
	}
	numbers := make(map[part]int, len(s.numbers)+len(fresh)) // batches on their way still read the old map
	maps.Copy(numbers, s.numbers)
	s.numbers = numbers
	for _, p := range fresh {
		s.number(part{p.Topic, p.Partition})
	}
	s.log.Info("reading new partitions", "count", len(fresh))
	return fresh
}
