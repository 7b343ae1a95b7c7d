package ledger_test

import (
	"io"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	ledgerv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/ledger/v1"
	"github.com/weirflow/weirflow/services/platform/ledger"
	"github.com/weirflow/weirflow/services/platform/telemetry"
)

func TestAccountBalancesWhileItIsWritten(t *testing.T) {
	tel, err := telemetry.New(t.Context(), "test", telemetry.DefaultConfig(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ledger.NewBook("test", "i", tel.Meters)
	if err != nil {
		t.Fatal(err)
	}
	s := b.Stage("x")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 1000 {
				s.In(5)
				s.Out(1)
				s.Filtered(1)
				s.DeadLettered(1)
				s.Returned(1)
				s.Out(1)
			}
		})
	}
	for range 100 {
		if a := b.Accounts()[0]; a.In != a.Out+a.Filtered+a.DeadLettered+a.InFlight {
			t.Fatalf("does not balance: %+v", a)
		}
	}
	wg.Wait()
	a := b.Accounts()[0]
	if a.In != 16000 || a.Out != 8000 || a.Filtered != 4000 || a.DeadLettered != 4000 || a.InFlight != 0 {
		t.Errorf("account = %+v", a)
	}
	res, err := ledger.Server{Book: b}.GetLedger(t.Context(), &ledgerv1.GetLedgerRequest{})
	if err != nil || len(res.GetStages()) != 1 || res.GetStages()[0].GetService() != "test" || res.GetStages()[0].GetOut() != 8000 {
		t.Errorf("GetLedger = %v, %v", res, err)
	}
	w := httptest.NewRecorder()
	tel.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{`weirflow_test_events_in_total{stage="x"} 16000`, `weirflow_test_events_in_flight{stage="x"} 0`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	if b.Close("x"); len(b.Accounts()) != 0 {
		t.Error("a closed stage is still there")
	}
}
