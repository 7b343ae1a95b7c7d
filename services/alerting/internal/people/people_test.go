package people_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/alerting/internal/channel/receipt"
	"github.com/weirflow/weirflow/services/alerting/internal/history"
	"github.com/weirflow/weirflow/services/alerting/internal/notify"
	"github.com/weirflow/weirflow/services/alerting/internal/outgoing"
	"github.com/weirflow/weirflow/services/alerting/internal/people"
	"github.com/weirflow/weirflow/services/platform/kafka"
	"github.com/weirflow/weirflow/services/platform/kafka/kafkatest"
)

// server runs all that stands behind AlertService; what is returned ends it.
func server(t *testing.T, cfg kafka.Config, dir, hook string) (people.Server, func()) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	file := filepath.Join(t.TempDir(), "alertmanager.yml")
	if err := os.WriteFile(file, []byte("route: {receiver: hook, group_by: [n], group_wait: 0s}\nreceivers: [{name: hook, webhook_configs: [{url: '"+hook+"'}]}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	guard, err := outgoing.New([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := people.New(cfg, time.Now, log)
	if err != nil {
		t.Fatal(err)
	}
	h, err := history.New(cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	e, err := notify.New(notify.Config{Dir: dir, File: file}, notify.Deps{Logger: log, Registry: prometheus.NewRegistry(), Guard: guard, Acknowledged: p.Acknowledged, Sent: h.Add})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 3)
	for _, run := range []func(context.Context) error{p.Run, h.Run, e.Run} {
		go func() { done <- run(ctx) }()
	}
	select {
	case <-p.Ready():
	case <-time.After(20 * time.Second):
		t.Fatal("not ready after 20 s")
	}
	return people.Server{People: p, Engine: e, History: h}, func() {
		cancel()
		for range 3 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
}

func raise(t *testing.T, s people.Server, n, summary string) string {
	t.Helper()
	a := &alert.Alert{UpdatedAt: time.Now()}
	a.Labels, a.Annotations = model.LabelSet{"alertname": "Deep", "n": model.LabelValue(n)}, model.LabelSet{"summary": model.LabelValue(summary)}
	a.StartsAt, a.EndsAt = time.Now(), time.Now().Add(time.Hour)
	if err := s.Engine.Put(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	return a.Fingerprint().String()
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("%s: not within 20 s", what)
}

func TestWhatPeopleDoAboutAlerts(t *testing.T) {
	cfg, dir := kafkatest.Start(t), t.TempDir()
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer hook.Close()
	s, stop := server(t, cfg, dir, hook.URL)
	fp := raise(t, s, "1", "it is")
	raise(t, s, "2", "it is, too")
	ctx := t.Context()
	if _, err := s.AcknowledgeAlert(ctx, &alertv1.AcknowledgeAlertRequest{Fingerprint: fp, By: "ann", Comment: "looking"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AssignAlert(ctx, &alertv1.AssignAlertRequest{Fingerprint: fp, Assignee: "bob"}); err != nil {
		t.Fatal(err)
	}
	res, err := s.CommentAlert(ctx, &alertv1.CommentAlertRequest{Fingerprint: fp, By: "bob", Text: "disk"})
	if err != nil {
		t.Fatal(err)
	}
	if h := res.GetHandling(); h.GetAcknowledgedBy() != "ann" || h.GetAssignee() != "bob" || len(h.GetComments()) != 2 || h.GetComments()[1].GetText() != "disk" {
		t.Errorf("handling %v", h)
	}
	list := func(s people.Server, req *alertv1.ListAlertsRequest) string {
		t.Helper()
		res, err := s.ListAlerts(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		for _, a := range res.GetAlerts() {
			fmt.Fprint(&out, a.GetLabels()["n"], " ", a.GetState(), " ", a.GetReceivers(), " ", a.GetHandling().GetAcknowledgedBy(), ";")
		}
		return out.String()
	}
	want := "1 ALERT_STATE_ACKNOWLEDGED [hook] ann;2 ALERT_STATE_ACTIVE [hook] ;"
	if got := list(s, &alertv1.ListAlertsRequest{}); got != want {
		t.Errorf("alerts %s, want %s", got, want)
	}
	if got := list(s, &alertv1.ListAlertsRequest{Text: "TOO"}); got != "2 ALERT_STATE_ACTIVE [hook] ;" {
		t.Errorf("alerts %s", got)
	}
	for name, call := range map[string]func() error{
		"unknown alert": func() error {
			_, err := s.AssignAlert(ctx, &alertv1.AssignAlertRequest{Fingerprint: "0123456789abcdef"})
			return err
		},
		"no alert": func() error {
			_, err := s.AssignAlert(ctx, &alertv1.AssignAlertRequest{Fingerprint: "x y"})
			return err
		},
		"by nobody": func() error {
			_, err := s.AcknowledgeAlert(ctx, &alertv1.AcknowledgeAlertRequest{Fingerprint: fp})
			return err
		},
	} {
		want := map[string]codes.Code{"unknown alert": codes.NotFound}[name]
		if want == 0 {
			want = codes.InvalidArgument
		}
		if err := call(); status.Code(err) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	deliveries := func(s people.Server, req *alertv1.ListDeliveriesRequest) []*alertv1.Delivery {
		t.Helper()
		res, err := s.ListDeliveries(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		return res.GetDeliveries()
	}
	eventually(t, "both were told, and that is known", func() bool { return len(deliveries(s, &alertv1.ListDeliveriesRequest{})) == 2 })
	stop()
	// After a restart all of it is there.
	s, stop = server(t, cfg, dir, hook.URL)
	defer stop()
	if got := list(s, &alertv1.ListAlertsRequest{}); got != want {
		t.Errorf("alerts %s, want %s", got, want)
	}
	eventually(t, "what was sent is known", func() bool { return len(deliveries(s, &alertv1.ListDeliveriesRequest{})) == 2 })
	if d := deliveries(s, &alertv1.ListDeliveriesRequest{Text: "TOO"}); len(d) != 1 || d[0].GetChannel() != "webhook[0]" || d[0].GetError() != "" || d[0].GetAlerts()[0].GetLabels()["n"] != "2" {
		t.Errorf("deliveries %v", d)
	}
	if d := deliveries(s, &alertv1.ListDeliveriesRequest{Failed: true}); len(d) != 0 {
		t.Errorf("deliveries that failed %v", d)
	}
	if _, err := s.AcknowledgeAlert(ctx, &alertv1.AcknowledgeAlertRequest{Fingerprint: fp, By: "ann", Undo: true}); err != nil {
		t.Fatal(err)
	}
	if got := list(s, &alertv1.ListAlertsRequest{State: alertv1.AlertState_ALERT_STATE_ACKNOWLEDGED}); got != "" {
		t.Errorf("acknowledged %s", got)
	}
}

func TestPagesOfDeliveries(t *testing.T) {
	cfg := kafkatest.Start(t)
	s, stop := server(t, cfg, t.TempDir(), "http://127.0.0.1:1")
	defer stop()
	for i := range 5 {
		a := &alert.Alert{}
		a.Labels = model.LabelSet{"n": model.LabelValue(strconv.Itoa(i))}
		s.History.Add(notify.Delivery{At: time.UnixMilli(int64(i)), Receiver: "r", Channel: "c[0]", Alerts: []*alert.Alert{a}, Err: errors.New("no way \xff")})
	}
	var got []string
	eventually(t, "all are known", func() bool {
		got = nil
		token := ""
		for {
			res, err := s.ListDeliveries(t.Context(), &alertv1.ListDeliveriesRequest{PageSize: 2, PageToken: token, Failed: true, Text: "no way"})
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range res.GetDeliveries() {
				got = append(got, d.GetAlerts()[0].GetLabels()["n"])
			}
			if token = res.GetNextPageToken(); token == "" {
				return len(got) == 5
			}
		}
	})
	if fmt.Sprint(got) != "[4 3 2 1 0]" {
		t.Errorf("got %v", got)
	}
	if _, err := s.ListDeliveries(t.Context(), &alertv1.ListDeliveriesRequest{PageToken: "!"}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("error %v", err)
	}
}

func TestReceiptsAreSeenInTheHistory(t *testing.T) {
	cfg := kafkatest.Start(t)
	s, stop := server(t, cfg, t.TempDir(), "http://127.0.0.1:1")
	a := &alert.Alert{}
	a.Labels = model.LabelSet{"n": "1"}
	s.History.Add(notify.Delivery{At: time.Now(), Receiver: "r", Channel: "twilio_sms[0]", Alerts: []*alert.Alert{a}, Test: true,
		Taken: []receipt.Taken{{Provider: "twilio", Number: "+86****8000", ID: "SM1"}, {Provider: "tencent", Number: "+86****8001", ID: "s1"}, {Provider: "twilio", Number: "+86****8002", ID: "SM3"}}})
	states := func(s people.Server) string {
		res, err := s.ListDeliveries(t.Context(), &alertv1.ListDeliveriesRequest{})
		if err != nil || len(res.GetDeliveries()) == 0 || !res.GetDeliveries()[0].GetTest() {
			return fmt.Sprint(res, err)
		}
		var out []string
		for _, r := range res.GetDeliveries()[0].GetRecipients() {
			out = append(out, strings.TrimPrefix(r.GetState().String(), "RECIPIENT_STATE_")+" "+r.GetDetail())
		}
		return strings.Join(out, ",")
	}
	eventually(t, "nothing is known yet", func() bool { return states(s) == "PENDING ,PENDING ,PENDING " })
	for _, r := range []*alertv1.DeliveryReceipt{
		{Provider: "twilio", Id: "SM1", State: alertv1.RecipientState_RECIPIENT_STATE_DELIVERED, Detail: "delivered"},
		{Provider: "twilio", Id: "SM1", State: alertv1.RecipientState_RECIPIENT_STATE_PENDING, Detail: "sent"}, // late
		{Provider: "tencent", Id: "s1", State: alertv1.RecipientState_RECIPIENT_STATE_UNDELIVERED, Detail: "off"},
		{Provider: "tencent", Id: "SM3", State: alertv1.RecipientState_RECIPIENT_STATE_UNDELIVERED}, // of another provider
	} {
		if err := s.History.Note(r); err != nil {
			t.Fatal(err)
		}
	}
	want := "DELIVERED delivered,UNDELIVERED off,PENDING "
	eventually(t, "what was said is seen", func() bool { return states(s) == want })
	stop()
	s, stop = server(t, cfg, t.TempDir(), "http://127.0.0.1:1")
	defer stop()
	eventually(t, "and after a restart", func() bool { return states(s) == want })
}
