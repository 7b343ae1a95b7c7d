package ingest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	ingestv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ingest/v1"
	topicv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/topic/v1"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

// reader follows a topic from now on.
type reader struct {
	t       *testing.T
	stream  grpc.ServerStreamingClient[topicv1.FollowMessagesResponse]
	pending []string
}

func follow(ctx context.Context, t *testing.T, conn *grpc.ClientConn, req *topicv1.FollowMessagesRequest) *reader {
	t.Helper()
	s, err := topicv1.NewMessageServiceClient(conn).FollowMessages(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	return &reader{t: t, stream: s}
}

// next is the first word of the next line.
func (r *reader) next() string {
	r.t.Helper()
	for len(r.pending) == 0 {
		res, err := r.stream.Recv()
		if err != nil {
			r.t.Fatal(err)
		}
		for _, m := range res.GetMessages() {
			var event struct{ Message string }
			if err := json.Unmarshal([]byte(m.GetText()), &event); err != nil {
				r.t.Fatal(err)
			}
			word, _, _ := strings.Cut(event.Message, " ")
			r.pending = append(r.pending, word)
		}
	}
	word := r.pending[0]
	r.pending = r.pending[1:]
	return word
}

// Those who follow together each get every line once and in order, also who is so slow
// that he has to read on by himself.
func TestFollowTogether(t *testing.T) {
	conn := start(t, kafkatest.Start(t, "topic-app-info"), nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	sequence := uint64(0)
	push := func(texts ...string) {
		t.Helper()
		sequence++
		if _, err := ingestv1.NewIngestServiceClient(conn).PushBatch(ctx, &ingestv1.PushBatchRequest{Batch: lines(sequence, testSource(), texts...)}); err != nil {
			t.Error(err)
		}
	}
	readers := make([]*reader, 6)
	for i := range readers {
		readers[i] = follow(ctx, t, conn, &topicv1.FollowMessagesRequest{Topic: "topic-app-info"})
	}
	begun, pushed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(pushed)
		for {
			push("begin")
			select {
			case <-begun:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	for _, r := range readers {
		r.next()
	}
	close(begun)
	<-pushed
	// More than may wait for one of them.
	const count, batch = 1600, 100
	long := strings.Repeat("x", 8<<10)
	for i := 0; i < count; i += batch {
		var texts []string
		for j := i; j < i+batch; j++ {
			texts = append(texts, fmt.Sprintf("%d %s", j, long))
		}
		push(texts...)
	}
	for n, r := range readers { // the last ones wait long
		for i := range count {
			word := r.next()
			for word == "begin" {
				word = r.next()
			}
			if word != strconv.Itoa(i) {
				t.Fatalf("reader %d gets %s; want %d", n, word, i)
			}
		}
	}
	// Who has left costs the others nothing, and who comes anew gets what comes then.
	gone, leave := context.WithCancel(ctx)
	r := follow(gone, t, conn, &topicv1.FollowMessagesRequest{Topic: "topic-app-info"})
	leave()
	if _, err := r.stream.Recv(); status.Code(err) != codes.Canceled {
		t.Errorf("err = %v", err)
	}
	push("end")
	for n, r := range readers {
		if word := r.next(); word != "end" {
			t.Errorf("reader %d gets %s", n, word)
		}
	}
}

func TestFollowWhatIsNotThere(t *testing.T) {
	conn := start(t, kafkatest.Start(t, "topic-app-info"), nil)
	for name, req := range map[string]*topicv1.FollowMessagesRequest{
		"topic":     {Topic: "nowhere"},
		"partition": {Topic: "topic-app-info", Partition: new(int32(99))},
	} {
		if _, err := follow(t.Context(), t, conn, req).stream.Recv(); status.Code(err) != codes.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}
