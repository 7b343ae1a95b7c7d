package main

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/weirflow/weirflow/services/platform/kafka"
)

const (
	eventBytes = 904
	// perSecond is how many events there are in a second of their own time.
	perSecond = 1000
	paths     = 100
	users     = 5000
	// answers come so many events after their requests: a second.
	answerAfter = 1000
	partitions  = 2
)

// firstEvent is the time of the first event.
var firstEvent = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

// appendEvent appends event i as Filebeat writes it, eventBytes long. Even events
// are requests; odd ones answer the request of a second before.
func appendEvent(dst []byte, i int) []byte {
	at := len(dst)
	kind, trace := "request", i/2
	if i%2 == 1 {
		kind, trace = "response", i/2-answerAfter/2
	}
	num := int32(uint32(i) * 2654435761 >> 1) // each once
	status, level := 200, "INFO"
	if i%10 == 7 {
		status, level = 500, "ERROR"
	}
	dst = append(dst, `{"@timestamp":"`...)
	dst = firstEvent.Add(time.Duration(i)*time.Second/perSecond).AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	dst = append(dst, `","@metadata":{"beat":"filebeat","type":"_doc","version":"8.15.0"},"host":{"name":"web-01","hostname":"web-01","architecture":"x86_64","os":{"type":"linux","platform":"ubuntu","version":"22.04.4 LTS (Jammy Jellyfish)","family":"debian","name":"Ubuntu","kernel":"5.15.0-105-generic","codename":"jammy"},"id":"4f1c2b3a5d6e7f80912a3b4c5d6e7f80","containerized":false,"ip":["10.20.30.40","fe80::f816:3eff:fe12:3456"],"mac":["FA-16-3E-12-34-56"]},"agent":{"type":"filebeat","version":"8.15.0","ephemeral_id":"0d5f6b1c-7f1e-4f0a-9c57-3a6b2f1e8d90","id":"9b2d7c64-3c5b-4b7e-8a55-1f0e6d2c4b3a","name":"web-01"},"ecs":{"version":"8.0.0"},"input":{"type":"log"},"log":{"offset":`...)
	dst = strconv.AppendInt(dst, int64(num), 10)
	dst = fmt.Appendf(dst, `,"file":{"path":"/var/log/app/service-%02d.log"}},"event":{"kind":"%s"},"trace":{"id":"t%010d"},"user":{"name":"u%04d"},"message":"level=%s path=/api/v1/items/%d status=%d user=u%04d `, i*7%paths, kind, trace, i*31%users, level, i%977, status, i*31%users)
	for len(dst)-at < eventBytes-2 {
		dst = append(dst, 'a'+byte((len(dst)-at)%26))
	}
	return append(dst, `"}`...)
}

// appendSmall appends an event of the test with many keys: each key comes twice.
func (b *bench) appendSmall(dst []byte, i int) []byte {
	key := i * 7919 % b.keys
	at := firstEvent.Add(time.Duration(i) * (50 * time.Minute / time.Duration(2*b.keys)))
	return fmt.Appendf(dst, `{"at":"%s","k":"key%09d","n":%d}`, at.Format("2006-01-02 15:04:05.000"), key, i%1000)
}

// fill writes n events into a topic, one after the other to its partitions.
func (b *bench) fill(topic string, n int, event func([]byte, int) []byte) error {
	ctx := context.Background()
	a, err := kafka.NewAdmin(kafka.Config{Brokers: []string{b.brokers}}, slog.Default())
	if err != nil {
		return err
	}
	defer a.Close()
	if err := a.EnsureTopic(ctx, topic, partitions, nil); err != nil {
		return err
	}
	p, err := kafka.NewProducer(kafka.Config{Brokers: []string{b.brokers}}, kafka.ProducerOptions{Logger: slog.Default()})
	if err != nil {
		return err
	}
	defer p.Close()
	var r kafka.Records
	var mu sync.Mutex
	var failed error
	var buf []byte
	for i := range n {
		buf = event(buf[:0], i)
		r.Append(int32(i%partitions), nil, buf)
		if r.Len() < 5000 && i < n-1 {
			continue
		}
		if err := p.Produce(ctx, topic, &r, func(err error, _ []kafka.Failure) {
			mu.Lock()
			defer mu.Unlock()
			if failed == nil {
				failed = err
			}
		}); err != nil {
			return err
		}
		r.Reset()
	}
	if err := p.Flush(ctx); err != nil {
		return err
	}
	mu.Lock()
	defer mu.Unlock()
	return failed
}

// read passes every record of a topic to f, in the order of each partition.
func (b *bench) read(topic string, f func(key, value []byte)) (int, error) {
	ctx := context.Background()
	a, err := kafka.NewAdmin(kafka.Config{Brokers: []string{b.brokers}}, slog.Default())
	if err != nil {
		return 0, err
	}
	defer a.Close()
	ends, err := a.EndOffsets(ctx, topic)
	if err != nil {
		return 0, err
	}
	c, err := kafka.NewConsumer(kafka.Config{Brokers: []string{b.brokers}}, kafka.ConsumerOptions{Logger: slog.Default(), Ends: true})
	if err != nil {
		return 0, err
	}
	defer c.Close()
	var from []kafka.Position
	for p := range ends {
		from = append(from, kafka.Position{Topic: topic, Partition: p, Offset: kafka.OffsetBeginning})
	}
	if err := c.Assign(from); err != nil {
		return 0, err
	}
	n := 0
	for {
		batch, err := c.Poll(ctx, 100*time.Millisecond)
		if err != nil {
			return n, err
		}
		if batch != nil {
			for i := range batch.Len() {
				rec := batch.Record(i)
				f(rec.Key, rec.Value)
			}
			n += batch.Len()
			batch.Release()
		}
		left := false
		for p, end := range ends {
			at, ok := c.End(topic, p)
			left = left || end > 0 && (!ok || at < end)
		}
		if !left {
			return n, nil
		}
	}
}
