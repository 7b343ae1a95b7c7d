package message

import (
	"context"
	"maps"
	"sync"
	"time"

	topicv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/topic/v1"
	"github.com/weirflow/weirflow/services/ingest/internal/topic"
	"github.com/weirflow/weirflow/services/platform/kafka"
)

// maxBehind is how many bytes wait for one follower before it reads on by itself.
const maxBehind = 4 << 20

// feeds lets all who follow a topic from now on share one Kafka client.
type feeds struct {
	mu   sync.Mutex
	open map[string]*feed
}

// feed reads a topic for its followers, as long as it has some.
type feed struct {
	ready chan struct{} // closed when next or err is set
	end   context.CancelFunc
	done  chan struct{} // closed when reading has ended

	mu        sync.Mutex
	err       error           // why nothing comes any more
	next      map[int32]int64 // where reading goes on, by partition
	followers map[*follower]struct{}
}

// follower is one of those for whom a feed reads.
type follower struct {
	wake chan struct{} // has room for one word that there is something to take
	next map[int32]int64

	mu      sync.Mutex
	waiting []*topicv1.Message
	bytes   int
	slow    bool // nothing more comes: it has to read on by itself
	err     error
}

// join adds a follower to a topic's feed, which begins if there is none. leave is to be
// called at the end.
func (s *Server) join(ctx context.Context, name string) (_ *follower, leave func(), _ error) {
	s.feeds.mu.Lock()
	f := s.feeds.open[name]
	if f == nil {
		reading, end := context.WithCancel(context.WithoutCancel(ctx))
		f = &feed{ready: make(chan struct{}), end: end, done: make(chan struct{}), followers: map[*follower]struct{}{}}
		s.feeds.open[name] = f
		go f.run(reading, s, name)
	}
	w := &follower{wake: make(chan struct{}, 1)}
	f.mu.Lock()
	f.followers[w] = struct{}{}
	w.next = maps.Clone(f.next)
	f.mu.Unlock()
	s.feeds.mu.Unlock()
	leave = sync.OnceFunc(func() { s.leave(name, f, w) })
	select {
	case <-f.ready:
	case <-ctx.Done():
		leave()
		return nil, nil, ctx.Err()
	}
	f.mu.Lock()
	err := f.err
	f.mu.Unlock()
	if err != nil {
		leave()
		return nil, nil, err
	}
	return w, leave, nil
}

// leave takes a follower from a feed. With the last one it ends.
func (s *Server) leave(name string, f *feed, w *follower) {
	s.feeds.mu.Lock()
	f.mu.Lock()
	delete(f.followers, w)
	last := len(f.followers) == 0
	if last && s.feeds.open[name] == f {
		delete(s.feeds.open, name)
	}
	f.mu.Unlock()
	s.feeds.mu.Unlock()
	if last {
		f.end()
		<-f.done
	}
}

// run reads until the last follower has left or reading fails.
func (f *feed) run(ctx context.Context, s *Server, name string) {
	defer close(f.done)
	defer f.end()
	err := f.read(ctx, s, name)
	s.feeds.mu.Lock() // who comes now begins another
	if s.feeds.open[name] == f {
		delete(s.feeds.open, name)
	}
	s.feeds.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
	if f.next == nil {
		close(f.ready)
	}
	for w := range f.followers {
		w.fail(err)
	}
}

func (f *feed) read(ctx context.Context, s *Server, name string) error {
	c, err := s.consumer(false)
	if err != nil {
		return err
	}
	defer c.Close()
	at, err := s.starts(ctx, c, name, nil, &topicv1.Start{At: &topicv1.Start_Last{}})
	if err != nil {
		return err
	}
	if err := c.Assign(positions(name, at)); err != nil {
		return topic.Status(err)
	}
	f.mu.Lock()
	f.next = at
	for w := range f.followers {
		w.next = maps.Clone(at)
	}
	close(f.ready)
	f.mu.Unlock()
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
		f.spread(b)
		b.Release()
	}
}

// spread gives a batch to all followers.
func (f *feed) spread(b *kafka.Batch) {
	messages, size := make([]*topicv1.Message, b.Len()), 0
	for i := range messages {
		messages[i] = convert(b, i, maxValue)
		size += sizeOf(messages[i])
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range messages {
		f.next[m.GetPartition()] = m.GetOffset() + 1
	}
	for w := range f.followers {
		if !w.give(messages, size) {
			delete(f.followers, w)
		}
	}
}

// give adds what was read to what waits, and reports whether more may come.
func (w *follower) give(messages []*topicv1.Message, size int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.slow = w.bytes > 0 && w.bytes+size > maxBehind; !w.slow {
		w.waiting = append(w.waiting, messages...)
		w.bytes += size
	}
	w.signal()
	return !w.slow
}

// fail ends what the follower gets.
func (w *follower) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
	w.signal()
}

func (w *follower) signal() {
	select {
	case w.wake <- struct{}{}:
	default: // it knows already
	}
}

// take waits for messages. slow says that after these the follower has to read on by
// itself, from next on.
func (w *follower) take(ctx context.Context) (messages []*topicv1.Message, slow bool, _ error) {
	select {
	case <-w.wake:
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	messages, w.waiting, w.bytes = w.waiting, nil, 0
	if w.err != nil && len(messages) > 0 {
		w.signal() // first what there is
		return messages, false, nil
	}
	return messages, w.slow, w.err
}
