package kafka_test

import (
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirflow/weirflow/services/platform/kafka"
)

// spent is how much processor time the process has used.
func spent(t *testing.T) time.Duration {
	t.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// A producer with records that wait leaves the processor to others while the cluster
// stands still, and sends all of them when it goes on.
func TestAProducerThatWaitsDoesNotSpin(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	p := newProducer(t, kafka.Config{Brokers: cluster.ListenAddrs()}, nil)
	var r kafka.Records
	r.Append(0, nil, []byte("the first"))
	produce(t, p, "t", &r)

	goOn := make(chan struct{})
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		<-goOn
		return nil, nil, false
	})
	const batches, each = 20, 10
	answers := make(chan error, batches)
	for range batches {
		r.Reset()
		for i := range each {
			r.Append(0, nil, []byte(strconv.Itoa(i)))
		}
		if err := p.Produce(t.Context(), "t", &r, func(err error, _ []kafka.Failure) { answers <- err }); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond) // beyond linger.ms: each is one to send
	}
	before := spent(t)
	const look = time.Second
	time.Sleep(look)
	if used := spent(t) - before; used > look/2 {
		t.Errorf("%s of processor time in %s of waiting", used, look)
	}
	if n := p.InFlight(); n != batches*each {
		t.Errorf("%d of %d records wait", n, batches*each)
	}
	close(goOn)
	for range batches {
		select {
		case err := <-answers:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("not all is answered after the cluster goes on")
		}
	}
}
