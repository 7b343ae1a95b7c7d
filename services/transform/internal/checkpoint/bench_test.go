package checkpoint_test

import (
	"fmt"
	"testing"

	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"

	"github.com/weirflow/weirflow/services/transform/internal/checkpoint"
)

// BenchmarkCapture is how long rows wait for a checkpoint of a million keys of which
// one in a hundred changed; the writing is not counted.
func BenchmarkCapture(b *testing.B) {
	const keys = 1_000_000
	m := newMemory()
	for i := range keys {
		m.rows[0].Put(fmt.Sprintf("/api/v1/items/%d", i), "0123456789abcdef")
	}
	s, err := checkpoint.Open(b.Context(), config(b, kafkatest.Start(b)))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	l := checkpoint.NewLog(s)
	defer l.Close()
	if _, err := l.Capture(m); err != nil {
		b.Fatal(err)
	}
	if err := l.Commit(b.Context(), nil); err != nil {
		b.Fatal(err)
	}
	names := make([]string, keys)
	for i := range names {
		names[i] = fmt.Sprintf("/api/v1/items/%d", i)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		b.StopTimer()
		for range keys / 100 {
			m.rows[0].Put(names[n*7919%keys], "fedcba9876543210")
			n++
		}
		b.StartTimer()
		p, err := l.Capture(m)
		b.StopTimer()
		if err == nil {
			err = l.Commit(b.Context(), nil)
		}
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(p.Bytes), "bytes/op")
		b.StartTimer()
	}
}
