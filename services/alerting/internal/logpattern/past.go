package logpattern

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/platform/kafka"
)

const (
	// readWithin bounds how long lines of the past are read, maxMatches how many of them
	// may match.
	readWithin = 20 * time.Second
	maxMatches = 1_000_000
)

// ErrTooMuch says that the past that was asked for is too long.
var ErrTooMuch = errors.New("there are too many lines in that time")

// Run is a time during which a policy would have fired for one set of labels.
type Run struct {
	// Labels are those of the fields by which lines are counted.
	Labels map[string]string
	// From is when it began, To when it ended; zero: it goes on at the end.
	From, To time.Time
	// Lines is how many there were when it began.
	Lines int
}

// Past says when a policy would have fired between two times. Lines have the times of
// their records, which is about when they came.
func (j *Jobs) Past(ctx context.Context, p *alertv1.Policy, from, to time.Time) ([]Run, error) {
	s, err := New(p, j.kafka)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPattern, err)
	}
	if topic := s.p.GetTopic(); kafka.Internal(topic) {
		return nil, fmt.Errorf("%w: topic %q is kept by Weirflow or Kafka itself: its records are not looked at", ErrPattern, topic)
	}
	m, err := newMatcher(s)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPattern, err)
	}
	if err := m.read(ctx, j.kafka, from.Add(-s.within), to); err != nil {
		return nil, err
	}
	var all []Run
	for _, key := range m.keys {
		for _, r := range s.runs(m.times[key], from, to) {
			r.Labels = m.labels(key)
			all = append(all, r)
		}
	}
	return all, nil
}

// runs goes through the times, in milliseconds, of the lines of one set of labels.
func (s *Script) runs(times []int64, from, to time.Time) []Run {
	slices.Sort(times)
	var all []Run
	var last time.Time // when the pattern held last
	end := func() {
		if n := len(all); n > 0 && all[n-1].To.IsZero() {
			if over := last.Add(s.end); !over.After(to) {
				all[n-1].To = over
			}
		}
	}
	first := 0
	for i, ms := range times {
		for times[first] < ms-s.within.Milliseconds() {
			first++
		}
		at := time.UnixMilli(ms)
		if n := i - first + 1; int64(n) >= s.count && !at.Before(from) {
			if last.IsZero() || at.Sub(last) > s.end {
				end()
				all = append(all, Run{From: at, Lines: n})
			}
			last = at
		}
	}
	end()
	return all
}

// matcher finds the lines of a pattern.
type matcher struct {
	s     *Script
	text  []byte // of the pattern, where it can be looked for in a record as it is
	match func(string) bool
	keys  []string
	times map[string][]int64
	found int
}

func newMatcher(s *Script) (*matcher, error) {
	m := &matcher{s: s, times: map[string][]int64{}}
	if text := s.p.GetContains(); text != "" {
		m.match = func(v string) bool { return strings.Contains(v, text) }
		if !strings.ContainsFunc(text, escaped) {
			m.text = []byte(text)
		}
		return m, nil
	}
	r, err := regexp.Compile(s.p.GetRegexp())
	if err != nil {
		return nil, err
	}
	m.match = r.MatchString
	return m, nil
}

// escaped tells what JSON may write in another way.
func escaped(r rune) bool {
	return r < ' ' || r > '~' || strings.ContainsRune(`"\/<>&'`, r)
}

// read goes through the records of a time.
func (m *matcher) read(ctx context.Context, cluster kafka.Config, from, to time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	c, err := kafka.NewConsumer(cluster, kafka.ConsumerOptions{Logger: slog.New(slog.DiscardHandler), Ends: true, Properties: map[string]string{"auto.offset.reset": "earliest"}})
	if err != nil {
		return err
	}
	defer c.Close()
	ends, err := m.begin(ctx, c, cluster, from)
	if err != nil {
		return err
	}
	lines, reached := 0, from
	for len(ends) > 0 {
		b, err := c.Poll(ctx, time.Second)
		if b != nil {
			for i := range b.Len() {
				r := b.Record(i)
				if r.Offset < ends[r.Partition] {
					lines, reached = lines+1, time.UnixMilli(r.TimestampMillis)
					if reached.Before(to) {
						m.take(r)
					}
				}
				if r.Offset+1 >= ends[r.Partition] {
					delete(ends, r.Partition)
				}
			}
			b.Release()
		}
		for p, end := range ends { // the last records may have been compacted away
			if at, ok := c.End(m.s.p.GetTopic(), p); ok && at >= end {
				delete(ends, p)
			}
		}
		switch {
		case m.found > maxMatches:
			return fmt.Errorf("%w: more than %d match up to %s; ask for a shorter one", ErrTooMuch, maxMatches, reached.UTC().Format(time.RFC3339))
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			return fmt.Errorf("%w: %d were read in %s, up to %s; ask for a shorter one", ErrTooMuch, lines, readWithin, reached.UTC().Format(time.RFC3339))
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && len(ends) > 0:
			return fmt.Errorf("read topic %q: %w", m.s.p.GetTopic(), err)
		}
	}
	return nil
}

// begin has partitions read from a time on, and returns where each ends now.
func (m *matcher) begin(ctx context.Context, c *kafka.Consumer, cluster kafka.Config, from time.Time) (map[int32]int64, error) {
	a, err := kafka.NewAdmin(cluster, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	defer a.Close()
	topic := m.s.p.GetTopic()
	info, err := a.Topic(ctx, topic)
	if err != nil {
		return nil, err
	}
	var asked []kafka.Position
	for _, p := range info.Partitions {
		asked = append(asked, kafka.Position{Topic: topic, Partition: p.ID, Offset: from.UnixMilli()})
	}
	starts, err := c.OffsetsForTime(ctx, asked)
	if err != nil {
		return nil, err
	}
	ends := map[int32]int64{}
	var at []kafka.Position
	for _, p := range starts {
		_, high, err := c.Bounds(ctx, topic, p.Partition)
		if err != nil {
			return nil, err
		}
		if p.Offset >= 0 && p.Offset < high {
			ends[p.Partition] = high
			at = append(at, p)
		}
	}
	if len(at) == 0 {
		return nil, nil
	}
	return ends, c.Assign(at)
}

// take keeps the time of a record that matches.
func (m *matcher) take(r kafka.Record) {
	if len(m.text) > 0 && !bytes.Contains(r.Value, m.text) {
		return
	}
	line, ok := textAt(r.Value, m.s.field)
	if !ok || !m.match(line) {
		return
	}
	values := make([]string, len(m.s.by))
	for i, path := range m.s.by {
		values[i], _ = textAt(r.Value, path)
	}
	key := strings.Join(values, "\x00")
	if _, known := m.times[key]; !known {
		m.keys = append(m.keys, key)
	}
	m.times[key] = append(m.times[key], r.TimestampMillis)
	m.found++
}

func (m *matcher) labels(key string) map[string]string {
	out := map[string]string{}
	for i, v := range strings.Split(key, "\x00") {
		if i < len(m.s.labels) {
			out[m.s.labels[i]] = v
		}
	}
	return out
}

// textAt is the value of a field of a JSON object, as the column of a text has it.
func textAt(object []byte, path []string) (string, bool) {
	var fields map[string]json.RawMessage
	for i, name := range path {
		if json.Unmarshal(object, &fields) != nil {
			return "", false
		}
		v, ok := fields[name]
		if !ok || string(v) == "null" {
			return "", false
		}
		if i < len(path)-1 {
			object, fields = v, nil
			continue
		}
		if v[0] != '"' {
			return string(v), true
		}
		var text string
		err := json.Unmarshal(v, &text)
		return text, err == nil
	}
	return "", false
}
