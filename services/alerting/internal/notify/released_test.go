package notify_test

import (
	"testing"
	"time"

	"github.com/prometheus/alertmanager/silence/silencepb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirflow/weirflow/services/alerting/internal/notify"
)

func quiet(t *testing.T, e *notify.Engine, name string) string {
	t.Helper()
	s := &silencepb.Silence{EndsAt: timestamppb.New(time.Now().Add(time.Hour)), CreatedBy: "ann", Comment: "why",
		MatcherSets: []*silencepb.MatcherSet{{Matchers: []*silencepb.Matcher{{Name: "alertname", Pattern: name}}}}}
	if err := e.SetSilence(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return s.GetId()
}

func expire(t *testing.T, e *notify.Engine, id string) {
	t.Helper()
	if err := e.ExpireSilence(t.Context(), id); err != nil {
		t.Fatal(err)
	}
}

func TestWhatGoesOnIsToldAgainWhenItsSilenceEnds(t *testing.T) {
	h := newHook(t)
	f := newFixture(t, routed(h.URL))
	e, stop := f.run("127.0.0.1")
	post(t, e, "/api/v2/alerts", firing("Deep"))
	post(t, e, "/api/v2/alerts", firing("Other"))
	eventually(t, "both are told", func() bool { return h.told("firing Deep") == 1 && h.told("firing Other") == 1 })
	expire(t, e, quiet(t, e, "Deep"))
	eventually(t, "the one that was silenced is told again", func() bool { return h.told("firing Deep") == 2 })

	// A silence that ends while nothing runs counts, too, and only once.
	id := quiet(t, e, "Deep")
	expire(t, e, id)
	stop()
	told := h.told("firing Deep") // it may have been told before the end
	if told != 2 && told != 3 {
		t.Fatalf("told %d times", told)
	}
	e, stop = f.run("127.0.0.1")
	defer stop()
	eventually(t, "it is told again", func() bool { return h.told("firing Deep") == 3 })

	// Its end is told once, whatever was silenced before.
	id = quiet(t, e, "Deep")
	expire(t, e, id)
	post(t, e, "/api/v2/alerts", ended("Deep"))
	eventually(t, "its end is told", func() bool { return h.told("resolved Deep") == 1 })
	post(t, e, "/api/v2/alerts", ended("Other"))
	eventually(t, "the other's end is told", func() bool { return h.told("resolved Other") == 1 })
	if n := h.told("firing Other"); n != 1 {
		t.Errorf("the other was told %d times", n)
	}
	if n := h.told("firing Deep"); n != 3 && n != 4 { // once more between the silence's end and its own
		t.Errorf("told %d times", n)
	}
}
