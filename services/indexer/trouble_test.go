package indexer_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	indexv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/index/v1"
	"github.com/weirflow/weirflow/services/platform/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A job that is deleted and made again under its name has a sink of its own:
// what it writes must not share the fate of the old one's documents.
func TestJobOfTheSameNameAfterDeletion(t *testing.T) {
	b := newBench(t)
	b.sink(nil)
	b.documents("old")
	b.until("the old job's document is written", func() bool { return b.store.count() == 1 })
	if err := b.sinks.Delete(t.Context(), "j/es"); err != nil {
		t.Fatal(err)
	}
	b.documents("late-1", "late-2") // nobody wants them any more
	b.until("late documents are counted", func() bool {
		for _, a := range b.env.Book.Accounts() {
			if a.Name == "j/es" && a.Filtered == 2 {
				return true
			}
		}
		return false
	})
	b.sink(func(s *indexv1.Sink) { s.Epoch = 2 })
	b.documents("new-1", "new-2")
	b.until("the new job's documents are written", func() bool { return b.store.count() == 3 })
	b.until("the ledger is settled", func() bool {
		return !slices.ContainsFunc(b.env.Book.Accounts(), func(a ledger.Account) bool { return a.InFlight > 0 })
	})
	b.balanced()
}

// What a run writes late does not take the place of what a later one has written.
func TestDocumentsOfARunThatWasOvertaken(t *testing.T) {
	b := newBench(t)
	b.sink(nil)
	filtered := func(n uint64) func() bool {
		return func() bool {
			return slices.ContainsFunc(b.env.Book.Accounts(), func(a ledger.Account) bool { return a.Name == "j/es" && a.Filtered == n && a.InFlight == 0 })
		}
	}
	b.written(1, 7, "a", "b")
	b.written(1, 8, "a") // another instance takes over
	b.written(1, 7, "a", "b", "late")
	b.documents("letter") // a dead letter is of no run
	b.written(1, 8, "c")
	b.written(2, 1, "d") // begun anew: what is remembered counts from the start
	b.written(1, 8, "late")
	b.until("what came late is left out", filtered(4))
	b.until("the rest is written", func() bool { return b.store.count() == 5 })
	b.balanced()
	b.store.set(func() {
		if _, there := b.store.docs["late"]; there {
			t.Error("what came late is written")
		}
	})

	if err := b.sinks.Delete(t.Context(), "j/es"); err != nil {
		t.Fatal(err)
	}
	b.until("the job's end is known", func() bool {
		return !slices.ContainsFunc(b.env.Book.Accounts(), func(a ledger.Account) bool { return a.Name == "j/es" })
	})
	b.sink(nil)
	b.written(1, 1, "e") // of a new job of the name
	b.until("the new job's document is written", func() bool { return b.store.count() == 6 })
}

// Documents that are left of a job that was deleted long ago do not block.
func TestDocumentsOfADeletedJobAfterARestart(t *testing.T) {
	b := newBench(t)
	b.stop()
	m := &indexv1.IndexBatch{Job: "j", Sink: "gone", Body: []byte("{}\n"), Lengths: []uint32{3}}
	v, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	b.record(v)
	b.sink(nil)
	b.documents("a")
	b.start()
	b.until("the living sink's document is written", func() bool { return b.store.count() == 1 })
	b.balanced()
}

// A record that can't be read is left out, and what is behind it goes on.
func TestUnreadableRecordsAreLeftOut(t *testing.T) {
	b := newBench(t)
	b.sink(nil)
	wrong, err := proto.Marshal(&indexv1.IndexBatch{Job: "j", Sink: "es", Body: []byte("{}\n"), Lengths: []uint32{4000}})
	if err != nil {
		t.Fatal(err)
	}
	b.record([]byte("\xff\xff\xff"))
	b.record(wrong)
	b.record(nil)
	b.documents("a")
	b.until("the document behind is written", func() bool { return b.store.count() == 1 })
	b.until("the ledger is settled", func() bool {
		return !slices.ContainsFunc(b.env.Book.Accounts(), func(a ledger.Account) bool { return a.InFlight > 0 })
	})
	b.balanced()
	for _, a := range b.env.Book.Accounts() {
		if a.Name == "unreadable records" && a.Filtered != 2 {
			t.Errorf("%d unreadable records were counted, want 2", a.Filtered)
		}
	}
}

// A statement whose bounds are never reached must not stop the lane when its
// memory is full.
func TestBoundsBeyondMemoryDoNotStall(t *testing.T) {
	b := newBench(t)
	b.stop()
	b.queueBytes = 1 << 16
	b.sink(func(s *indexv1.Sink) { s.BulkFlushMaxActions, s.FlushOnCheckpoint = 1_000_000, false })
	for i := range 100 {
		b.documents(ids(strings.Repeat("x", 100)+string(rune('a'+i%26))+string(rune('a'+i/26)), 50)...)
	}
	b.start()
	b.until("most documents are written", func() bool { return b.store.count() >= 4500 })
}

// The README names all metrics, and no others.
func TestMetricsAreThoseOfTheReadme(t *testing.T) {
	b := newBench(t)
	b.sink(nil)
	b.documents("a")
	b.until("the document is written", func() bool { return b.store.count() == 1 })
	w := httptest.NewRecorder()
	b.tel.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	checkMetrics(t, w.Body.String())
}

func checkMetrics(t *testing.T, page string) {
	t.Helper()
	var served []string
	for lines := bufio.NewScanner(strings.NewReader(page)); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "# TYPE weirflow_"); ok {
			name, _, _ = strings.Cut(name, " ")
			served = append(served, "weirflow_"+name)
		}
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, m := range regexp.MustCompile("`(weirflow_[a-z_]+)(?:\\{([a-z_,]+)\\}([a-z_]*))?`").FindAllStringSubmatch(string(readme), -1) {
		for part := range strings.SplitSeq(m[2], ",") {
			told = append(told, m[1]+part+m[3])
		}
	}
	slices.Sort(served)
	slices.Sort(told)
	if told = slices.Compact(told); !slices.Equal(served, told) {
		t.Errorf("served:\n%s\nREADME:\n%s", strings.Join(served, "\n"), strings.Join(told, "\n"))
	}
}
