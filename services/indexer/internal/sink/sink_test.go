package sink_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"
	"github.com/weirflow/weirflow/services/indexer/internal/bulk"
	"github.com/weirflow/weirflow/services/indexer/internal/sink"
	"github.com/weirflow/weirflow/services/platform/ledger"
)

// box can't keep dead letters until it has been asked a few times.
type box struct{ left atomic.Int32 }

func (*box) State(*indexv1.Sink, indexv1.SinkState, bulk.Item) {}

func (b *box) SetAside(context.Context, *indexv1.Sink, bulk.Action, bulk.Item) error {
	if b.left.Add(-1) >= 0 {
		return errors.New("no room")
	}
	return nil
}

// start makes a sink whose store refuses every document; it counts the requests.
func start(t *testing.T, b *box) (*sink.Sink, *ledger.Book, *atomic.Int32) {
	t.Helper()
	var requests atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, `{"errors":true,"items":[{"index":{"status":400,"error":{"type":"mapper","reason":"no"}}}]}`)
	}))
	t.Cleanup(srv.Close)
	book, err := ledger.NewBook("indexer", "test", noop.NewMeterProvider())
	if err != nil {
		t.Fatal(err)
	}
	spec := &indexv1.Sink{Job: "j", Sink: "s", Hosts: []string{srv.URL}, FailureHandler: indexv1.FailureHandler_FAILURE_HANDLER_IGNORE}
	return sink.New(spec, sink.Store{}, slog.New(slog.DiscardHandler), b, book.Stage("j/s")), book, &requests
}

func action() []bulk.Action {
	return []bulk.Action{{Lines: []byte("{\"index\":{\"_index\":\"i\",\"_id\":\"1\"}}\n{}\n")}}
}

// While a dead letter can't be kept, the store is not asked again and again.
func TestDeadLettersThatCantBeKept(t *testing.T) {
	b := &box{}
	b.left.Store(3)
	s, book, requests := start(t, b)
	s.Stage().In(1)
	begun := time.Now()
	if err := s.Write(t.Context(), action()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); requests.Load() != 4 || took < 300*time.Millisecond {
		t.Errorf("%d requests in %s", requests.Load(), took)
	}
	if a := book.Accounts()[0]; a.In != 1 || a.DeadLettered != 1 {
		t.Errorf("ledger = %+v", a)
	}
}

// What was not written when the context ends, or the job is deleted, is accounted for.
func TestLedgerWhenWritingEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(s *sink.Sink, cancel func())
		want ledger.Account
	}{
		{"the context ends", func(_ *sink.Sink, cancel func()) { cancel() }, ledger.Account{Name: "j/s"}},
		{"the job is deleted", func(s *sink.Sink, _ func()) { s.Update(nil) }, ledger.Account{Name: "j/s", In: 1, Filtered: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &box{}
			b.left.Store(1 << 20)
			s, book, _ := start(t, b)
			s.Stage().In(1)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			time.AfterFunc(100*time.Millisecond, func() { c.end(s, cancel) })
			if err := s.Write(ctx, action()); err == nil {
				t.Error("writing ended without an error")
			}
			if a := book.Accounts()[0]; a != c.want {
				t.Errorf("ledger = %+v, want %+v", a, c.want)
			}
		})
	}
}
